"""Objections (异议处理机制, S004 Art.16): from the first word to the corrected data.

raised -> accepted -> forwarded to the source department -> verified -> corrected | rejected
       -> fed back -> closed; a dispute goes up to the authority, a closed one can be reopened.
"""

from yishu.governance.objections.acts import (
    NewObjection,
    Publication,
    Recipient,
    Recipients,
    Step,
    correct,
    move,
    nobody,
    owner,
    published,
    raise_objection,
)
from yishu.governance.objections.evidence import MAX_BYTES, Attachment, attach, evidence
from yishu.governance.objections.rows import (
    ObjectionRow,
    StepRow,
    counted,
    history,
    objection,
    objections,
)
from yishu.governance.objections.states import ObjectionState, Origin
from yishu.governance.objections.target import RowKey, Target, row_key, target
from yishu.governance.objections.waiting import possible_steps, waits

__all__ = [
    "MAX_BYTES",
    "Attachment",
    "NewObjection",
    "ObjectionRow",
    "ObjectionState",
    "Origin",
    "Publication",
    "Recipient",
    "Recipients",
    "RowKey",
    "Step",
    "StepRow",
    "Target",
    "attach",
    "correct",
    "counted",
    "evidence",
    "history",
    "move",
    "nobody",
    "objection",
    "objections",
    "owner",
    "possible_steps",
    "published",
    "raise_objection",
    "row_key",
    "target",
    "waits",
]
