"""Whom an objection binds and whom it concerns: the clocks that run for it, and the notices."""

from datetime import datetime

from sqlalchemy import Connection

from catalog.roles import Role
from yishu.clocks import ClockEvent, EventKind
from yishu.governance.notices import Notice, enqueue
from yishu.governance.objections.rows import ObjectionRow
from yishu.governance.objections.states import ObjectionState, Origin
from yishu.governance.promises import NewClock, find_open, open_clock, record_event
from yishu.ledger.journal import Actor

KIND = "objection"
ACCEPTANCE = "objection_acceptance"
CORRECTION = "correction"

_ENDS = {
    ObjectionState.ACCEPTED: ACCEPTANCE,
    ObjectionState.DECLINED: ACCEPTANCE,
    ObjectionState.CORRECTED: CORRECTION,
    ObjectionState.REJECTED: CORRECTION,
}
"""Which promise a step keeps."""

_TOLD = {
    ObjectionState.RAISED: Role.AUTHORITY_REVIEWER,
    ObjectionState.FORWARDED: Role.DEPARTMENT_OFFICER,
    ObjectionState.DISPUTED: Role.AUTHORITY_REVIEWER,
    ObjectionState.DECLINED: Role.DEPARTMENT_OFFICER,
    ObjectionState.FED_BACK: Role.DEPARTMENT_OFFICER,
}

_ANSWERS = {ObjectionState.DECLINED, ObjectionState.FED_BACK}
"""What whoever objected is told: a department's officer, or the monitor who raised it."""


def run_clocks(
    connection: Connection,
    found: ObjectionRow,
    state: ObjectionState,
    actor: Actor,
    at: datetime,
) -> None:
    """Open the clock that a step starts, and end the one whose promise it keeps."""
    for promise, starts, holder in (
        (ACCEPTANCE, ObjectionState.RAISED, found.authority),
        (CORRECTION, ObjectionState.FORWARDED, found.source_org),
    ):
        if state is starts:
            new = NewClock(
                promise, found.profile, KIND, found.objection_id, holder, starts.value, at
            )
            open_clock(connection, new, actor)
        elif _ENDS.get(state) == promise:
            for clock_id in find_open(connection, promise, KIND, found.objection_id):
                ended = ClockEvent(EventKind.FULFILLED, at, note=state.label_zh)
                record_event(connection, clock_id, ended, actor)


def tell_step(
    connection: Connection, found: ObjectionRow, state: ObjectionState, at: datetime
) -> None:
    """Tell everybody whom a step concerns, each once."""
    objectors = {found.raised_org, *found.joined_orgs}
    orgs = {
        ObjectionState.RAISED: {found.authority},
        ObjectionState.FORWARDED: {found.source_org},
        ObjectionState.DISPUTED: {found.authority},
        ObjectionState.DECLINED: objectors,
        ObjectionState.FED_BACK: objectors,
    }
    for org in sorted(orgs.get(state, ())):
        text = f"{found.objection_id}：{found.entry_id}，{state.label_zh}。{found.summary}"
        event = f"{state.value}:{at.isoformat()}"
        is_monitor = org == found.raised_org and found.origin is Origin.MONITOR
        role = Role.QUALITY_MONITOR if is_monitor and state in _ANSWERS else _TOLD[state]
        tell(connection, found, event=event, org=org, role=role, text=text, at=at)


def tell(
    connection: Connection,
    found: ObjectionRow,
    *,
    event: str,
    org: str,
    role: Role,
    text: str,
    at: datetime,
) -> None:
    """Tell a role of a body something about an objection, once an event."""
    notice = Notice(
        key=f"{KIND}:{found.objection_id}:{event}:{org}",
        org=org,
        role=role,
        subject=f"数据异议 {found.objection_id}",
        text=text,
        at=at,
        object_kind=KIND,
        object_id=found.objection_id,
    )
    enqueue(connection, notice)
