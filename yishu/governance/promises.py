"""Clocks and their events in the ledger: opened once for a promise, object and cause.

Whoever works on an object opens its clock and records what happens to it, in the same transaction.
Events are only ever added; how a clock stands is computed at reading (`yishu.clocks.status`).
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, and_, any_, literal, select, update

from catalog.promise import ClockCause, Promise
from catalog.roles import Action
from yishu.clocks import (
    CLOSING,
    ClockEvent,
    ClockStatus,
    EventKind,
    earlier_elsewhere,
    statuses,
)
from yishu.clocks.errors import PromiseUnknown
from yishu.governance.clock_rules import ClockRules
from yishu.governance.errors import ClockEnded, ClockUnknown, PauseRefused
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import Clock, ClockEventRow

CLOCK = "clock"
"""Kind of object under which clocks stand in journal and notices."""


@dataclass(frozen=True)
class NewClock:
    """A time limit that begins.

    Attributes:
        holder_org: The department that has to keep it.
        cause: Why it runs; a second one for the same object and cause merges with the open one.
        received_at: When it began; the day in Beijing is not counted.
        note: The evidence, without personal data.
        working_days: The limit that the object states itself; 0: the promise's.
    """

    promise: str
    profile: str
    object_kind: str
    object_id: str
    holder_org: str
    cause: str
    received_at: datetime
    note: str | None = None
    working_days: int = 0

    @cached_property
    def clock_id(self) -> str:
        """Its id follows from what it is, so opening it again opens nothing."""
        at = self.received_at.astimezone(UTC).isoformat()
        parts = (self.promise, self.object_kind, self.object_id, self.cause, at)
        return "clk-" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


class ClockRow(NamedTuple):
    """A clock of the ledger with its events, the opening one first.

    A tuple, since a sweep makes one for every clock there is.
    """

    clock_id: str
    promise: str
    profile: str
    object_kind: str
    object_id: str
    holder_org: str
    cause: str
    received_at: datetime
    closed_at: datetime | None
    events: tuple[ClockEvent, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands now, and the earlier last day of another profile beside it."""

    row: ClockRow
    promise: Promise
    status: ClockStatus
    earlier_elsewhere: date | None


def open_clock(connection: Connection, new: NewClock, actor: Actor) -> str:
    """Open a clock, or merge with the open one of the same promise, object and cause; its id."""
    (clock_id,) = open_clocks(connection, [new], actor)
    after = {"cause": new.cause, "promise": new.promise, "object": new.object_id}
    _journal(connection, clock_id, new.received_at, actor, note=new.note, after=after)
    return clock_id


def open_clocks(connection: Connection, news: Sequence[NewClock], actor: Actor) -> list[str]:
    """Open many clocks in a few statements; the caller keeps the journal. Their ids, in order."""
    rows = {new.clock_id: new for new in news}
    made = insert_all(connection, Clock, [_clock_values(new) for new in rows.values()])
    opened = {row.clock_id for row in made}
    events = [_event_values(id_, _opening(rows[id_]), actor, rows[id_]) for id_ in opened]
    open_ids = _open_ones(connection, [new for id_, new in rows.items() if id_ not in opened])
    known = _known(connection, set(rows) - opened)
    ids = []
    for new in news:
        id_ = new.clock_id
        if id_ in opened or id_ in known:
            ids.append(id_)
            continue
        merged = open_ids[_identity(new)]
        event = ClockEvent(EventKind.MERGED, new.received_at)
        events.append(_event_values(merged, event, actor, new))
        ids.append(merged)
    insert_all(connection, ClockEventRow, events)
    return ids


def record_event(connection: Connection, clock_id: str, event: ClockEvent, actor: Actor) -> None:
    """Record what happened to a clock; recorded again it changes nothing.

    Pauses and extensions that people ask for go through `yishu.governance.clock_care`, which looks
    at what the promise allows.

    Raises:
        ClockUnknown: no such clock.
        ClockEnded: it has ended, and the event is no reopening.
        PauseRefused: a pause without a cause or without somebody who consents.
    """
    row = _locked(connection, clock_id)
    if event.kind is EventKind.PAUSED and not (event.cause and event.consent_by):
        raise _pause_without_cause(clock_id)
    if _has_event(connection, clock_id, event):
        return
    is_closed = row.closed_at is not None
    if is_closed != (event.kind is EventKind.REOPENED):
        raise _ended(clock_id, event.kind, is_closed=is_closed)
    insert_all(connection, ClockEventRow, [_event_values(clock_id, event, actor)])
    changed: dict[str, object] = {}
    if event.kind in CLOSING:
        changed["closed_at"] = event.at
    elif event.kind is EventKind.REOPENED:
        changed["closed_at"] = None
    elif event.kind is EventKind.REASSIGNED:
        changed["holder_org"] = event.org
    if changed:
        connection.execute(update(Clock).where(Clock.clock_id == clock_id).values(changed))
    after = {"event": event.kind.value, "holder_org": event.org or row.holder_org}
    _journal(connection, clock_id, event.at, actor, note=event.note, after=after)


def find_open(connection: Connection, promise: str, object_kind: str, object_id: str) -> list[str]:
    """Ids of the clocks of a promise that run for an object, the oldest first."""
    asked = (
        select(Clock.clock_id)
        .where(
            Clock.promise == promise,
            Clock.object_kind == object_kind,
            Clock.object_id == object_id,
            Clock.closed_at.is_(None),
        )
        .order_by(Clock.received_at, Clock.clock_id)
    )
    return list(connection.execute(asked).scalars())


def clock_rows(
    connection: Connection,
    *,
    is_open: bool | None = None,
    closed_since: datetime | None = None,
    org: str | None = None,
    promise: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    clock_ids: Collection[str] | None = None,
) -> list[ClockRow]:
    """Clocks with their events, the oldest first; ``closed_since`` adds those that ended since.

    Two statements, however many clocks there are.
    """
    conditions: list[ColumnElement[bool]] = []
    if is_open is not None:
        is_running = Clock.closed_at.is_(None) if is_open else Clock.closed_at.is_not(None)
        has_ended_since = Clock.closed_at >= closed_since if closed_since else None
        conditions.append(is_running if has_ended_since is None else is_running | has_ended_since)
    for column, value in (
        (Clock.holder_org, org),
        (Clock.promise, promise),
        (Clock.object_kind, object_kind),
        (Clock.object_id, object_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if clock_ids is not None:
        # One parameter for all ids: a statement with thousands takes longer to read than to run.
        conditions.append(Clock.clock_id == any_(literal(list(clock_ids), ARRAY(Text))))
    where = and_(True, *conditions)
    asked = select(Clock.__table__).where(where).order_by(Clock.received_at, Clock.clock_id)
    events = _events(connection, where)
    found = connection.execute(asked).all()
    return [ClockRow._make((*row, tuple(events[row.clock_id]))) for row in found]


def clock_of(connection: Connection, clock_id: str) -> ClockRow:
    """One clock.

    Raises:
        ClockUnknown: no such clock.
    """
    found = clock_rows(connection, clock_ids=[clock_id])
    if not found:
        raise _unknown(clock_id)
    return found[0]


def judgeable(rows: Sequence[ClockRow], rules: ClockRules) -> tuple[list[ClockRow], list[str]]:
    """Clocks whose promise is still made, and the ids of the others.

    A promise that was dropped from its file must not stop all other clocks.
    """
    known: dict[tuple[str, str], bool] = {}
    for key in {(row.profile, row.promise) for row in rows}:
        try:
            rules.promise(*key)
        except PromiseUnknown:
            known[key] = False
        else:
            known[key] = True
    good = [row for row in rows if known[row.profile, row.promise]]
    bad = [row.clock_id for row in rows if not known[row.profile, row.promise]]
    return good, bad


def standings(
    rows: Iterable[ClockRow], rules: ClockRules, now: datetime, *, beside: bool = True
) -> Iterator[Standing]:
    """How clocks stand at a moment; ``beside``: with the earlier last days of other profiles.

    Raises:
        PromiseUnknown: a clock runs for a promise that no profile makes any more.
    """
    kept = list(rows)
    keys = {(row.profile, row.promise) for row in kept}
    promises = {key: rules.promise(*key) for key in keys}
    elsewhere = {key: rules.elsewhere(*key) if beside else [] for key in keys}

    def others(row: ClockRow) -> list[Promise]:
        return elsewhere[row.profile, row.promise] if row.closed_at is None else []

    mine = ((promises[row.profile, row.promise], row.events) for row in kept)
    theirs = ((other, row.events) for row in kept for other in others(row))
    found = statuses(theirs, rules.calendar, now)
    for row, status in zip(kept, statuses(mine, rules.calendar, now), strict=True):
        earlier = earlier_elsewhere(status, islice(found, len(others(row))))
        yield Standing(row, promises[row.profile, row.promise], status, earlier)


def _clock_values(new: NewClock) -> dict[str, object]:
    return {
        "clock_id": new.clock_id,
        "promise": new.promise,
        "profile": new.profile,
        "object_kind": new.object_kind,
        "object_id": new.object_id,
        "holder_org": new.holder_org,
        "cause": new.cause,
        "received_at": new.received_at,
    }


def _opening(new: NewClock) -> ClockEvent:
    return ClockEvent(EventKind.OPENED, new.received_at, working_days=new.working_days)


def _event_values(
    clock_id: str, event: ClockEvent, actor: Actor, new: NewClock | None = None
) -> dict[str, object]:
    return {
        "clock_id": clock_id,
        "at": event.at,
        "kind": event.kind.value,
        "cause": event.cause.value if event.cause else None,
        "working_days": event.working_days,
        "consent_by": event.consent_by,
        "due_on": event.due_on,
        "org": event.org,
        "note": new.note if new else event.note,
        "actor": actor.account,
    }


def _identity(new: NewClock) -> tuple[str, str, str, str]:
    return new.promise, new.object_kind, new.object_id, new.cause


def _open_ones(
    connection: Connection, news: Sequence[NewClock]
) -> dict[tuple[str, str, str, str], str]:
    if not news:
        return {}
    asked = select(
        Clock.promise, Clock.object_kind, Clock.object_id, Clock.cause, Clock.clock_id
    ).where(
        Clock.closed_at.is_(None),
        Clock.object_id.in_({new.object_id for new in news}),
    )
    found = connection.execute(asked)
    return {(promise, kind, id_, cause): clock for promise, kind, id_, cause, clock in found}


def _known(connection: Connection, ids: set[str]) -> set[str]:
    asked = select(Clock.clock_id).where(Clock.clock_id.in_(ids))
    return set(connection.execute(asked).scalars()) if ids else set()


def _events(connection: Connection, where: ColumnElement[bool]) -> dict[str, list[ClockEvent]]:
    table = ClockEventRow.__table__
    asked = (
        select(table)
        .join(Clock, Clock.clock_id == table.c.clock_id)
        .where(where)
        # A merged cause may be older than the opening one, which stays the first.
        .order_by(table.c.clock_id, table.c.kind != EventKind.OPENED.value, table.c.at)
    )
    kinds = {kind.value: kind for kind in EventKind}
    found: dict[str, list[ClockEvent]] = {}
    for id_, at, kind, cause, days, consent, due, org, note, _ in connection.execute(asked).all():
        event = ClockEvent(
            kinds[kind], at, ClockCause(cause) if cause else None, days, consent, due, org, note
        )
        found.setdefault(id_, []).append(event)
    return found


def _has_event(connection: Connection, clock_id: str, event: ClockEvent) -> bool:
    table = ClockEventRow
    asked = select(table.kind).where(
        table.clock_id == clock_id, table.at == event.at, table.kind == event.kind.value
    )
    return connection.execute(asked).one_or_none() is not None


def _locked(connection: Connection, clock_id: str) -> ClockRow:
    asked = select(Clock.__table__).where(Clock.clock_id == clock_id).with_for_update()
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise _unknown(clock_id)
    return ClockRow._make((*row, ()))


def _journal(
    connection: Connection,
    clock_id: str,
    at: datetime,
    actor: Actor,
    *,
    note: str | None,
    after: Mapping[str, object],
) -> None:
    act = Act(actor, Action.RUN_CLOCK, CLOCK, clock_id, at, reason=note, after=after)
    append(connection, act)


def _unknown(clock_id: str) -> ClockUnknown:
    return ClockUnknown(
        clock_id,
        found="no clock of that id",
        expected="an id as `yishu clocks list` shows it",
        remedy="look it up with `yishu clocks list`",
    )


def _ended(clock_id: str, kind: EventKind, *, is_closed: bool) -> ClockEnded:
    return ClockEnded(
        clock_id,
        found=f"{kind.value} on a clock that {'has ended' if is_closed else 'still runs'}",
        expected="events on a clock that runs, and reopening of one that has ended",
        remedy="look at its course with `yishu clocks show`",
    )


def _pause_without_cause(clock_id: str) -> PauseRefused:
    return PauseRefused(
        clock_id,
        found="a pause without cause or consent",
        expected="a cause that the promise lists, and the account that consents",
        remedy="name both; a clock without them runs on",
    )
