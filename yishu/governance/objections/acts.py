"""What is done to an objection: raised, moved on, settled by a publication; each act on record."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, text

from catalog.model import CatalogView
from catalog.roles import Action, Role
from yishu.governance.errors import ObjectionStepRefused
from yishu.governance.objections.duty import KIND, run_clocks, tell, tell_step
from yishu.governance.objections.rows import ObjectionRow, objection, objections
from yishu.governance.objections.states import (
    DONE,
    FOLLOWS,
    NEED_A_REASON,
    OF_THE_OBJECTOR,
    OF_THE_SOURCE,
    STEPS,
    ObjectionState,
    Origin,
)
from yishu.governance.objections.target import RowKey, Target, target
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import OBJECTION_NUMBER, Objection, ObjectionStep
from yishu.redact import redact

OVERSEERS = frozenset({Role.QUALITY_MONITOR, Role.AUTHORITY_REVIEWER})
"""Whoever watches over all objections may dispute, close and reopen those of others too."""


@dataclass(frozen=True)
class NewObjection:
    """What somebody objects to, and why.

    Attributes:
        column: Field name; None: the entry or row as a whole.
        key: The row; None: the entry or column as a whole.
        scope: Values of the row that may decide whose it is, by field name; never kept.
        profile: The rule profile whose time limits hold.
        authority: The body that accepts objections and decides disputes.
    """

    origin: Origin
    entry_id: str
    summary: str
    column: str | None = None
    key: RowKey | None = None
    scope: tuple[tuple[str, str], ...] = ()
    profile: str = "wuxi_2022"
    authority: str = "big_data_bureau"


@dataclass(frozen=True)
class Step:
    """A step to take: into which state, and what is said with it."""

    state: ObjectionState
    note: str | None = None
    run_id: str | None = None
    table_version: int | None = None


@dataclass(frozen=True)
class Publication:
    """A published version of an entry: the run that pulled it, and when its source was read."""

    entry_id: str
    run_id: str
    table_version: int
    pulled_at: datetime


@dataclass(frozen=True)
class Recipient:
    """Who received affected data: a body, and through which grant or channel."""

    org: str
    through: str


Recipients = Callable[[Connection, str, int], Sequence[Recipient]]
"""Who received versions of an entry older than the given one."""


def nobody(_connection: Connection, _entry_id: str, _version: int) -> Sequence[Recipient]:
    """No recipients: nothing was shared yet."""
    return ()


def raise_objection(
    connection: Connection, new: NewObjection, catalog: CatalogView, actor: Actor, at: datetime
) -> str:
    """Put an objection on record, addressed to the source department; its number.

    An objection to the same thing as an open one is merged into that one: one case is followed
    up, and everybody who objected is told the result. A comparison does not say a thing twice.

    Raises:
        Forbidden: the role may not object.
        ObjectionMisplaced: no such entry or column.
        ObjectionStepRefused: nothing is said against the data.
    """
    require(actor, Action.RAISE_OBJECTION, new.entry_id)
    summary = redact(new.summary.strip())
    if not summary:
        raise _without_reason(new.entry_id, ObjectionState.RAISED)
    goes_to = target(catalog, new.entry_id, new.column, dict(new.scope))
    fingerprint = _fingerprint(goes_to.entry_id, new)
    lock = text("select pg_advisory_xact_lock(hashtext('objection'), hashtext(:print))")
    connection.execute(lock, {"print": fingerprint})
    same = objections(connection, fingerprint=fingerprint)
    open_one = next((one for one in same if one.state not in DONE), None)
    if new.origin is Origin.CROSS_CHECK:
        said = open_one or next((one for one in same if one.summary == summary), None)
        if said is not None:
            return said.objection_id
    values = {
        **_facts(new, goes_to, actor, at),
        "objection_id": f"YY{at:%Y}-{connection.scalar(OBJECTION_NUMBER):06d}",
        "summary": summary,
        "fingerprint": fingerprint,
        "merged_into": open_one.objection_id if open_one else None,
    }
    connection.execute(insert(Objection).values(values))
    made = objection(connection, values["objection_id"])
    step = Step(ObjectionState.RAISED, summary)
    doing = _Doing(actor, Action.RAISE_OBJECTION, at)
    if open_one is None:
        _take(connection, made, step, doing)
    else:
        _record(connection, made, step, doing)
        merged = Step(ObjectionState.MERGED, f"与 {open_one.objection_id} 为同一问题")
        _record(connection, made, merged, doing)
    return made.objection_id


def move(
    connection: Connection, objection_id: str, step: Step, actor: Actor, at: datetime
) -> ObjectionState:
    """Take a step, and those that follow by themselves; the state that it leads to.

    Raises:
        ObjectionUnknown: no such objection.
        ObjectionStepRefused: it does not follow from the present state, or lacks its reason.
        Forbidden: not this role, or another body's objection.
    """
    _lock(connection, objection_id)
    found = objection(connection, objection_id)
    action = STEPS.get(found.state, {}).get(step.state)
    if action is None:
        raise _out_of_turn(found, step.state)
    require(actor, action, objection_id, owner(found, step.state, actor))
    if step.state in NEED_A_REASON and not (step.note or "").strip():
        raise _without_reason(objection_id, step.state)
    doing = _Doing(actor, action, at)
    _take(connection, found, step, doing)
    reached = step.state
    while (following := FOLLOWS.get(reached)) is not None:
        _take(connection, found, Step(following), doing)
        reached = following
    return reached


def correct(
    connection: Connection, objection_id: str, note: str, actor: Actor, at: datetime
) -> ObjectionState:
    """The source department says that it corrected its system; the next publication settles it."""
    return move(connection, objection_id, Step(ObjectionState.CORRECTED, note), actor, at)


def published(
    connection: Connection,
    done: Publication,
    actor: Actor,
    at: datetime,
    recipients: Recipients = nobody,
) -> list[str]:
    """Settle what was corrected before this publication was pulled; the numbers of those.

    A publication has passed its checks. Everybody who objected and everybody who received older
    versions is told, each once.
    """
    settled = []
    waiting = ObjectionState.CORRECTED
    for found in objections(connection, source_entry_id=done.entry_id, state=waiting):
        if found.since <= done.pulled_at:
            _lock(connection, found.objection_id)
            if objection(connection, found.objection_id).state is not waiting:
                continue
            step = Step(ObjectionState.FED_BACK, None, done.run_id, done.table_version)
            _take(connection, found, step, _Doing(actor, Action.ANSWER_OBJECTION, at))
            for one in recipients(connection, done.entry_id, done.table_version):
                _tell_recipient(connection, found, done, one, at)
            settled.append(found.objection_id)
    return settled


@dataclass(frozen=True)
class _Doing:
    """Who does what when."""

    actor: Actor
    action: Action
    at: datetime


def _take(connection: Connection, found: ObjectionRow, step: Step, doing: _Doing) -> None:
    actor, at = doing.actor, doing.at
    _record(connection, found, step, doing)
    run_clocks(connection, found, step.state, actor, at)
    tell_step(connection, found, step.state, at)


def _tell_recipient(
    connection: Connection, found: ObjectionRow, done: Publication, one: Recipient, at: datetime
) -> None:
    text_zh = (
        f"{done.entry_id} 已更正并发布第 {done.table_version} 版（运行 {done.run_id}），"
        f"此前经 {one.through} 取得的数据请更新。"
    )
    event = f"corrected:{done.run_id}:{one.through}"
    role = Role.DEPARTMENT_OFFICER
    tell(connection, found, event=event, org=one.org, role=role, text=text_zh, at=at)


def _record(connection: Connection, found: ObjectionRow, step: Step, doing: _Doing) -> None:
    actor, at = doing.actor, doing.at
    note = redact(step.note) if step.note else None
    values = {
        "objection_id": found.objection_id,
        "state": step.state.value,
        "at": at,
        "person": actor.person,
        "account": actor.account,
        "role": actor.role.value,
        "org": actor.org,
        "note": note,
        "run_id": step.run_id,
        "table_version": step.table_version,
    }
    connection.execute(insert(ObjectionStep).values(values))
    after = {"state": step.state.value, "run_id": step.run_id}
    append(connection, Act(actor, doing.action, KIND, found.objection_id, at, note, after=after))


def _facts(new: NewObjection, goes_to: Target, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "origin": new.origin.value,
        "raised_org": actor.org,
        "raised_at": at,
        "profile": new.profile,
        "authority": new.authority,
        "entry_id": new.entry_id,
        "column_name": new.column,
        "key_masked": new.key.masked if new.key else None,
        "key_digest": new.key.digest if new.key else None,
        "source_entry_id": goes_to.entry_id,
        "source_org": goes_to.org,
    }


def _fingerprint(source_entry_id: str, new: NewObjection) -> str:
    parts = (source_entry_id, new.entry_id, new.column or "", new.key.digest if new.key else "")
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def owner(found: ObjectionRow, state: ObjectionState, actor: Actor) -> str | None:
    """The body whose step it is, as far as this actor is concerned; None: nobody's own."""
    if state in OF_THE_SOURCE:
        return found.source_org
    if state in OF_THE_OBJECTOR:
        is_concerned = actor.org in {found.raised_org, *found.joined_orgs}
        return actor.org if is_concerned or actor.role in OVERSEERS else found.raised_org
    return None


def _lock(connection: Connection, objection_id: str) -> None:
    statement = text("select 1 from ledger.objection where objection_id = :objection_id for update")
    connection.execute(statement, {"objection_id": objection_id})


def _out_of_turn(found: ObjectionRow, state: ObjectionState) -> ObjectionStepRefused:
    possible = ", ".join(STEPS.get(found.state, {})) or "no step by hand"
    return ObjectionStepRefused(
        found.objection_id,
        found=f"the step {state} of an objection that is {found.state}",
        expected=possible,
        remedy="see its history; a corrected one waits for the next publication of its source",
    )


def _without_reason(object_id: str, state: ObjectionState) -> ObjectionStepRefused:
    return ObjectionStepRefused(
        object_id,
        found=f"the step {state} without a word",
        expected="the reason in words",
        remedy="say what was found; the other side reads it",
    )
