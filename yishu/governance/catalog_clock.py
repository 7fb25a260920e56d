"""The clock of the catalog: a change has to be in it within the promised days (S004 Art.14).

It starts on the declared day of the change, else on the day on which drift was seen. It ends by a
published version, or when the authority accepts that the catalog needs no change. What calls for
the same kind of change while it runs merges with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, select

from catalog.roles import Action, Role
from catalog.vocabulary import ChangeCause
from yishu.clocks import BEIJING, ClockEvent, EventKind
from yishu.governance.clock_rules import by_rule
from yishu.governance.errors import Forbidden, ReasonMissing, StateRefused
from yishu.governance.permission import require
from yishu.governance.promises import NewClock, clock_of, clock_rows, open_clock, record_event
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import Clock, ClockEventRow

PROMISE = "catalog_update"
ENTRY = "catalog_entry"

_LONG_AGO, _AHEAD = timedelta(days=5 * 366), timedelta(days=183)
"""How far from today the day of a declared change may lie: a local choice."""


@dataclass(frozen=True)
class DriftSeen:
    """A pull saw that a source is not what its entry says.

    Attributes:
        evidence: The difference, in names and types; the same difference has the same text.
        matched: The last pull that matched; None: none ever did.
    """

    entry_id: str
    provider_org: str
    evidence: str
    seen_at: datetime
    matched: str | None = None


@dataclass(frozen=True)
class Declared:
    """A change that somebody declared: for one entry, or for all of a department.

    Attributes:
        entries: Provider of each entry concerned, by entry id.
        changed_on: The day of the change, in Beijing; it is not counted.
    """

    entries: Mapping[str, str]
    cause: ChangeCause
    changed_on: date
    reason: str


def on_drift(connection: Connection, seen: DriftSeen, profile: str) -> str | None:
    """Open or merge the clock of an entry whose source drifted; its id.

    None: the authority has accepted that this difference needs no change, or it is known already.
    """
    if _is_accepted(connection, seen) or _is_known(connection, seen):
        return None
    matched = f"；最近一次相符：{seen.matched}" if seen.matched else "；从未相符"
    new = NewClock(
        promise=PROMISE,
        profile=profile,
        object_kind=ENTRY,
        object_id=seen.entry_id,
        holder_org=seen.provider_org,
        cause=ChangeCause.ELEMENT_CHANGE.value,
        received_at=seen.seen_at,
        note=f"{seen.evidence}{matched}",
    )
    return open_clock(connection, new, by_rule("drift"))


def on_change(
    connection: Connection, declared: Declared, profile: str, *, actor: Actor, now: datetime
) -> list[str]:
    """Open the clocks of every entry that a declared change concerns; their ids.

    A change of function concerns all entries of the department; one of law those that rest on it.

    Raises:
        Forbidden: the actor may not register changes, or, as a department, not those of another.
        ReasonMissing: nothing says what changed.
        StateRefused: the day of the change is not near the present one.
    """
    require(actor, Action.REPORT_CHANGE, declared.cause.value)
    _require_own(declared, actor)
    _require_near(declared, now)
    _require_reason(declared.cause.value, declared.reason)
    start = datetime.combine(declared.changed_on, time(), BEIJING)
    ids = [
        open_clock(connection, _declared_clock(entry_id, org, declared, profile, start), actor)
        for entry_id, org in sorted(declared.entries.items())
    ]
    after = {"changed_on": declared.changed_on.isoformat(), "clocks": ids}
    act = Act(
        actor,
        Action.REPORT_CHANGE,
        "catalog_change",
        declared.cause.value,
        now,
        reason=declared.reason,
        after=after,
    )
    append(connection, act)
    return ids


def submitted(connection: Connection, entry_id: str, *, actor: Actor, now: datetime) -> None:
    """The department has handed a version in: from now on the authority holds the file."""
    _record(connection, entry_id, ClockEvent(EventKind.SUBMITTED, now), actor)


def returned(
    connection: Connection, entry_id: str, reason: str, *, actor: Actor, now: datetime
) -> None:
    """The authority has sent a version back: the department holds the file, and its time runs."""
    _record(connection, entry_id, ClockEvent(EventKind.RETURNED, now, note=reason), actor)


def published(
    connection: Connection, entry_id: str, version: int, *, actor: Actor, now: datetime
) -> None:
    """A version of the entry is published: its clocks end."""
    event = ClockEvent(EventKind.FULFILLED, now, note=f"第 {version} 版发布")
    _record(connection, entry_id, event, actor)


def propose_no_change(
    connection: Connection, clock_id: str, reason: str, *, actor: Actor, now: datetime
) -> None:
    """The department says why the catalog needs no change; the authority holds the file.

    Raises:
        Forbidden: it is another body's entry.
        ReasonMissing: no reason is given.
    """
    row = clock_of(connection, clock_id)
    require(actor, Action.COMPILE_ENTRY, clock_id, row.holder_org)
    _require_reason(clock_id, reason)
    event = ClockEvent(EventKind.SUBMITTED, now, note=f"无需变更：{reason}")
    record_event(connection, clock_id, event, actor)


def accept_no_change(
    connection: Connection, clock_id: str, reason: str, *, actor: Actor, now: datetime
) -> None:
    """The authority accepts that the catalog needs no change: the clock ends.

    The same difference opens no clock again.

    Raises:
        Forbidden: the actor is not of the data authority.
        ReasonMissing: no reason is given.
        ClockEnded: it has ended already.
    """
    require(actor, Action.ACCEPT_NO_CHANGE, clock_id)
    _require_reason(clock_id, reason)
    event = ClockEvent(EventKind.NO_CHANGE_NEEDED, now, note=reason)
    record_event(connection, clock_id, event, actor)
    act = Act(actor, Action.ACCEPT_NO_CHANGE, "clock", clock_id, now, reason=reason)
    append(connection, act)


def _declared_clock(
    entry_id: str, org: str, declared: Declared, profile: str, start: datetime
) -> NewClock:
    return NewClock(
        promise=PROMISE,
        profile=profile,
        object_kind=ENTRY,
        object_id=entry_id,
        holder_org=org,
        cause=declared.cause.value,
        received_at=start,
        note=declared.reason,
    )


def _record(connection: Connection, entry_id: str, event: ClockEvent, actor: Actor) -> None:
    for row in _open_rows(connection, entry_id):
        record_event(connection, row, event, actor)


def _open_rows(connection: Connection, entry_id: str) -> Sequence[str]:
    rows = clock_rows(connection, is_open=True, promise=PROMISE, object_id=entry_id)
    return [row.clock_id for row in rows]


def _is_accepted(connection: Connection, seen: DriftSeen) -> bool:
    """Whether the newest clock with this evidence ended by "no change needed"."""
    asked = (
        select(Clock.clock_id)
        .join(ClockEventRow, ClockEventRow.clock_id == Clock.clock_id)
        .where(Clock.promise == PROMISE, Clock.object_id == seen.entry_id)
        .where(ClockEventRow.note.startswith(seen.evidence, autoescape=True))
        .where(Clock.closed_at.is_not(None))
        .order_by(Clock.closed_at.desc())
        .limit(1)
    )
    clock_id = connection.execute(asked).scalar()
    if clock_id is None:
        return False
    closing = select(ClockEventRow.kind).where(
        ClockEventRow.clock_id == clock_id,
        ClockEventRow.kind == EventKind.NO_CHANGE_NEEDED.value,
    )
    return connection.execute(closing).first() is not None


def _is_known(connection: Connection, seen: DriftSeen) -> bool:
    """Whether an open clock has this evidence already: each pull sees the same drift again."""
    asked = (
        select(Clock.clock_id)
        .join(ClockEventRow, ClockEventRow.clock_id == Clock.clock_id)
        .where(Clock.promise == PROMISE, Clock.object_id == seen.entry_id)
        .where(ClockEventRow.note.startswith(seen.evidence, autoescape=True))
        .where(Clock.closed_at.is_(None))
    )
    return connection.execute(asked).first() is not None


def _require_own(declared: Declared, actor: Actor) -> None:
    """The authority registers changes of every body, a department its own alone."""
    foreign = set(declared.entries.values()) - {actor.org}
    if actor.role is Role.DEPARTMENT_OFFICER and foreign:
        raise Forbidden(
            declared.cause.value,
            found=f"a change of {', '.join(sorted(foreign))} by an officer of {actor.org}",
            expected="entries of the officer's own department",
            remedy="tell the data authority, which registers changes of every body",
        )


def _require_near(declared: Declared, now: datetime) -> None:
    """A mistyped year would start a clock outside every calendar, which no board could show."""
    today = now.astimezone(BEIJING).date()
    first, last = today - _LONG_AGO, today + _AHEAD
    if not first <= declared.changed_on <= last:
        raise StateRefused(
            declared.cause.value,
            found=f"a change on {declared.changed_on}",
            expected=f"a day from {first} to {last}",
            remedy="correct the day of the change",
        )


def _require_reason(obj: str, reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing(
            obj,
            found="no reason",
            expected="what changed, or why the catalog needs no change",
            remedy="say it in a sentence",
        )
