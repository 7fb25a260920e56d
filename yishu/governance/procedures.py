"""Special procedures (特别程序) of service cases: the clock of handling stands still meanwhile.

Hearings, tenders, inspections, appraisals and expert reviews do not count towards the limit of a
permit (《行政许可法》 Art.45). The departments' systems tell them as steps of the case. What was
once recorded stays: a procedure that the source moves afterwards changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import distinct_on

from catalog.promise import ClockCause
from yishu.clocks import EventKind
from yishu.governance.clock_rules import by_rule
from yishu.ledger.bulk import insert_all
from yishu.ledger.models import Clock, ClockEventRow

_KINDS = (EventKind.PAUSED.value, EventKind.RESUMED.value)


@dataclass(frozen=True)
class Procedure:
    """One special procedure; ``ended_at`` None: it still lasts."""

    process_no: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Handled:
    """A clock of handling with the procedures of its case; ``ended_at`` None: it still runs."""

    clock_id: str
    began_at: datetime
    ended_at: datetime | None
    procedures: Sequence[Procedure]


def stretches(procedures: Iterable[Procedure]) -> list[Procedure]:
    """Procedures in order of time, those that overlap as one with the number of the first."""
    merged: list[Procedure] = []
    for one in sorted(procedures, key=lambda one: one.started_at):
        end = None if one.ended_at is None else max(one.started_at, one.ended_at)
        if merged and (merged[-1].ended_at is None or one.started_at <= merged[-1].ended_at):
            before = merged.pop()
            ends = (before.ended_at, end)
            last = None if None in ends else max(filter(None, ends))
            merged.append(Procedure(before.process_no, before.started_at, last))
        else:
            merged.append(Procedure(one.process_no, one.started_at, end))
    return merged


def stand_still(connection: Connection, kind: str, handled: Sequence[Handled]) -> list[str]:
    """Record the procedures that are new; the ids of the clocks whose course that changes.

    ``kind`` is the kind of object under which the clocks stand.
    """
    told = [one for one in handled if one.procedures]
    last = _last(connection, kind) if told else {}
    rows = [row for one in told for row in _events(one, last.get(one.clock_id))]
    insert_all(connection, ClockEventRow, rows)
    return sorted({str(row["clock_id"]) for row in rows})


def _events(handled: Handled, last: tuple[str, datetime] | None) -> Iterator[dict[str, object]]:
    """What follows the last pause or resumption on record, be it told or made by hand."""
    kind, at = last or (EventKind.RESUMED.value, None)
    for one in stretches(handled.procedures):
        if kind == EventKind.RESUMED:
            start = max(one.started_at, handled.began_at)
            is_over = handled.ended_at is not None and handled.ended_at <= start
            if is_over or (at is not None and start <= at):
                continue
            kind, at = EventKind.PAUSED.value, start
            yield _event(handled.clock_id, one, kind, at)
        if at is not None and one.ended_at is not None and one.ended_at > at:
            kind, at = EventKind.RESUMED.value, one.ended_at
            yield _event(handled.clock_id, one, kind, at)


def _event(clock_id: str, one: Procedure, kind: str, at: datetime) -> dict[str, object]:
    is_pause = kind == EventKind.PAUSED
    actor = by_rule("cases").account
    return {
        "clock_id": clock_id, "at": at, "kind": kind, "working_days": 0, "actor": actor,
        "cause": ClockCause.SPECIAL_PROCEDURE.value if is_pause else None,
        "consent_by": actor if is_pause else None, "note": f"环节记录 {one.process_no}",
    }  # fmt: skip


def _last(connection: Connection, kind: str) -> dict[str, tuple[str, datetime]]:
    """The last pause or resumption of each clock of a kind of object."""
    asked = (
        select(ClockEventRow.clock_id, ClockEventRow.kind, ClockEventRow.at)
        .join(Clock, Clock.clock_id == ClockEventRow.clock_id)
        .where(Clock.object_kind == kind, ClockEventRow.kind.in_(_KINDS))
        .ext(distinct_on(ClockEventRow.clock_id))
        .order_by(ClockEventRow.clock_id, ClockEventRow.at.desc())
    )
    return {clock_id: (event, at) for clock_id, event, at in connection.execute(asked)}
