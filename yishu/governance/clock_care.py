"""What people ask of a clock: more time, a pause, another department; each by the promise's rules.

The account that acts is the one that consents, and its role is asked for (S004 Art.14, Decree 809
Art.17 and 21). What is refused leaves the clock as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from catalog.promise import ClockCause
from catalog.roles import Action, Role
from yishu.clocks import ClockEvent, ClockState, EventKind, beijing_day
from yishu.governance.clock_rules import ClockRules
from yishu.governance.errors import ExtensionRefused, PauseRefused
from yishu.governance.notices import Notice, enqueue
from yishu.governance.permission import require
from yishu.governance.promises import (
    CLOCK,
    Standing,
    clock_of,
    clock_rows,
    record_event,
    standings,
)
from yishu.ledger.journal import Act, Actor, append

_RUNS = (ClockState.GREEN, ClockState.YELLOW, ClockState.PAUSED)


@dataclass(frozen=True)
class Extension:
    """More working days for a listed cause; the requester is told where the promise says so."""

    working_days: int
    cause: ClockCause
    reason: str
    requester_org: str | None = None


def standing(connection: Connection, clock_id: str, rules: ClockRules, now: datetime) -> Standing:
    """How one clock stands.

    Raises:
        ClockUnknown: no such clock.
    """
    (found,) = standings([clock_of(connection, clock_id)], rules, now)
    return found


def extend(
    connection: Connection,
    clock_id: str,
    asked: Extension,
    rules: ClockRules,
    *,
    actor: Actor,
    now: datetime,
) -> Standing:
    """Give a clock more time; how it stands then.

    Raises:
        Forbidden: the actor may not consent.
        ExtensionRefused: after the last day, beyond what the promise allows, or for another cause.
    """
    before = standing(connection, clock_id, rules, now)
    require(actor, Action.EXTEND_CLOCK, clock_id, before.row.holder_org)
    _require_extensible(before, asked, now)
    event = ClockEvent(
        EventKind.EXTENDED,
        now,
        cause=asked.cause,
        working_days=asked.working_days,
        consent_by=actor.account,
        note=asked.reason,
    )
    record_event(connection, clock_id, event, actor)
    after = standing(connection, clock_id, rules, now)
    if before.promise.is_requester_told and asked.requester_org:
        enqueue(connection, _told(after, asked.requester_org, now))
    return after


def pause(
    connection: Connection,
    clock_id: str,
    cause: ClockCause,
    reason: str,
    rules: ClockRules,
    *,
    actor: Actor,
    now: datetime,
) -> Standing:
    """Let a clock stand still for a listed cause; how it stands then.

    Raises:
        Forbidden: the actor may not consent.
        PauseRefused: for another cause, after the last day, or while it stands still.
    """
    before = standing(connection, clock_id, rules, now)
    require(actor, Action.PAUSE_CLOCK, clock_id, before.row.holder_org)
    _require_pausable(before, cause)
    event = ClockEvent(EventKind.PAUSED, now, cause=cause, consent_by=actor.account, note=reason)
    record_event(connection, clock_id, event, actor)
    return standing(connection, clock_id, rules, now)


def resume(
    connection: Connection, clock_id: str, rules: ClockRules, *, actor: Actor, now: datetime
) -> Standing:
    """Let a clock that stands still run on; how it stands then.

    Raises:
        Forbidden: the actor may not.
        PauseRefused: it does not stand still.
    """
    before = standing(connection, clock_id, rules, now)
    require(actor, Action.PAUSE_CLOCK, clock_id, before.row.holder_org)
    if before.status.state is not ClockState.PAUSED:
        raise _no_pause(clock_id, f"a clock that is {before.status.state}", "a paused clock")
    record_event(connection, clock_id, ClockEvent(EventKind.RESUMED, now), actor)
    return standing(connection, clock_id, rules, now)


def reassign(
    connection: Connection, old_org: str, new_org: str, reason: str, *, actor: Actor, now: datetime
) -> Sequence[str]:
    """Hand the open clocks of a body that was merged away to its successor; their ids.

    Last days stay: whoever takes over a duty takes over its time limit.

    Raises:
        Forbidden: the actor may not.
    """
    require(actor, Action.REASSIGN_CLOCK, old_org)
    rows = clock_rows(connection, is_open=True, org=old_org)
    for row in rows:
        event = ClockEvent(EventKind.REASSIGNED, now, org=new_org, note=reason)
        record_event(connection, row.clock_id, event, actor)
    ids = [row.clock_id for row in rows]
    act = Act(
        actor,
        Action.REASSIGN_CLOCK,
        "department",
        old_org,
        now,
        reason=reason,
        after={"to": new_org, "clocks": ids},
    )
    append(connection, act)
    return ids


def _require_extensible(found: Standing, asked: Extension, now: datetime) -> None:
    promise, status = found.promise, found.status
    used = sum(event.working_days for event in found.row.events if event.kind is EventKind.EXTENDED)
    left = promise.extension_working_days - used
    if status.state not in _RUNS:
        fault = f"a request on {beijing_day(now)}, after the last day {status.due_on}"
    elif asked.cause not in promise.extension_causes:
        fault = f"the cause {asked.cause.value}"
    elif not 0 < asked.working_days <= left:
        fault = f"{asked.working_days} working days more, of {left} that are left"
    elif not asked.reason.strip():
        fault = "no reason"
    elif promise.is_requester_told and not asked.requester_org:
        fault = "no requester named, who must be told"
    else:
        return
    causes = ", ".join(promise.extension_causes) or "no cause"
    raise ExtensionRefused(
        found.row.clock_id,
        found=fault,
        expected=f"a request before the last day, for {causes}, of at most {left} working days "
        f"({promise.basis})",
        remedy="the last day stays; finish the file, it counts from now on as late or in time",
    )


def _require_pausable(found: Standing, cause: ClockCause) -> None:
    state = found.status.state
    causes = ", ".join(found.promise.pause_causes) or "no cause at all"
    if state is ClockState.PAUSED or state not in _RUNS:
        raise _no_pause(found.row.clock_id, f"a clock that is {state}", "a clock that runs in time")
    if cause not in found.promise.pause_causes:
        expected = f"{causes} ({found.promise.basis})"
        raise _no_pause(found.row.clock_id, f"the cause {cause.value}", expected)


def _no_pause(clock_id: str, found: str, expected: str) -> PauseRefused:
    remedy = "the clock stays as it was; see `yishu clocks show`"
    return PauseRefused(clock_id, found=found, expected=expected, remedy=remedy)


def _told(after: Standing, requester_org: str, now: datetime) -> Notice:
    row = after.row
    return Notice(
        key=f"extended:{row.clock_id}:{after.status.due_on}",
        org=requester_org,
        role=Role.DEPARTMENT_OFFICER,
        subject=f"延期告知：{after.promise.name}",
        text=f"{row.object_id} 的办理期限延长至 {after.status.due_on}。",
        at=now,
        object_kind=CLOCK,
        object_id=row.clock_id,
    )
