"""Service cases under supervision: each application and acceptance runs on a clock (SUP-01).

The library says what happened to a case; a round of supervision brings its clocks up to that, so
that warnings, cards and orders come from the same sweep as all others. What was once recorded of a
case is never edited: a later correction at the source moves no last day (SUP-08).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, text

from catalog.roles import Action
from yishu.clocks import ClockState, EventKind, WorkingDays, beijing_day
from yishu.governance.board import BoardLine, board
from yishu.governance.cards import CardRow, OrderRow, cards, orders, standing_red, withdraw
from yishu.governance.clock_rules import ClockRules, by_rule
from yishu.governance.errors import ClockUnknown
from yishu.governance.promises import NewClock, clock_rows, open_clocks, standings
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Act, append
from yishu.ledger.models import Clock, ClockEventRow

CASE = "case"
"""Kind of object under which the clocks of cases stand; the object is the case number."""

_ACCEPTANCE, _HANDLING = "acceptance", "handling"
_CAME_LATE = "办结信息晚到，实际按时办结"


@dataclass(frozen=True)
class Case:
    """What the library knows of a service case; without its applicant.

    Attributes:
        entry_id: The entry that it comes from.
        ended_at: When it was decided or closed; None: not that is known.
        promised_days: Working days that the item promises; None: the item is not known.
        promised_on: The day that was named at acceptance, asked where the item is not known.
        is_end_told: Whether the end of any case of its entry ever arrives. Where none does,
            nobody can say which cases are late, and they are not judged.
    """

    case_no: str
    entry_id: str
    holder_org: str
    applied_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    promised_days: int | None
    promised_on: date | None
    is_end_told: bool


@dataclass(frozen=True)
class CasesSeen:
    """How far supervision reaches; ``blind``: cases whose end nobody reports, by entry."""

    cases: int
    supervised: int
    opened: int
    ended: int
    reopened: int
    blind: Mapping[str, int]


@dataclass(frozen=True)
class _Stage:
    """A stretch of a case with a limit of its own."""

    case: Case
    cause: str
    promise: str
    began_at: datetime
    ended_at: datetime | None
    working_days: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.case.case_no, self.cause

    def clock(self, profile: str) -> NewClock:
        case = self.case
        return NewClock(
            self.promise, profile, CASE, case.case_no, case.holder_org, self.cause, self.began_at,
            note=case.entry_id, working_days=self.working_days,
        )  # fmt: skip


def supervise_cases(
    connection: Connection, cases: Iterable[Case], rules: ClockRules, now: datetime
) -> CasesSeen:
    """Bring the clocks of all cases up to what is known of them; done again it changes nothing."""
    kept = list(cases)
    blind = Counter(case.entry_id for case in kept if not case.is_end_told)
    stages = [stage for case in kept if case.is_end_told for stage in _stages(case, rules.calendar)]
    known = _known(connection)
    new = [stage for stage in stages if stage.key not in known]
    ids = open_clocks(connection, [one.clock(rules.profile) for one in new], by_rule("cases"))
    known |= {stage.key: (id_, False) for stage, id_ in zip(new, ids, strict=True)}
    ended = [
        (known[one.key][0], max(one.began_at, one.ended_at))
        for one in stages
        if one.ended_at is not None and not known[one.key][1]
    ]
    reopened = [
        (known[one.key][0], now) for one in stages if one.ended_at is None and known[one.key][1]
    ]
    _record(connection, ended, EventKind.FULFILLED)
    _record(connection, reopened, EventKind.REOPENED)
    _heal(connection, [id_ for id_, _ in ended], rules, now)
    supervised = len(kept) - blind.total()
    seen = CasesSeen(len(kept), supervised, len(new), len(ended), len(reopened), dict(blind))
    _journal(connection, seen, now)
    return seen


@dataclass(frozen=True)
class CaseHistory:
    """Everything that supervision has on a case, in order of time (SUP-08)."""

    limits: Sequence[BoardLine]
    events: Sequence[Mapping[str, object]]
    cards: Sequence[CardRow]
    orders: Sequence[OrderRow]


def history(connection: Connection, case_no: str, rules: ClockRules, now: datetime) -> CaseHistory:
    """The whole course of a case.

    Raises:
        ClockUnknown: no case of that number is under supervision.
    """
    rows = clock_rows(connection, object_kind=CASE, object_id=case_no)
    if not rows:
        raise _unknown(case_no)
    events = [
        {"at": event.at, "limit": row.cause, "event": event.kind, "note": event.note}
        for row in rows
        for event in row.events
    ]
    limits = board(connection, rules, now, object_kind=CASE, object_id=case_no, with_ended=True)
    return CaseHistory(
        limits=limits,
        events=sorted(events, key=lambda event: str(event["at"])),
        cards=[card for row in rows for card in cards(connection, clock_id=row.clock_id)],
        orders=[one for row in rows for one in orders(connection, clock_id=row.clock_id)],
    )


def _stages(case: Case, calendar: WorkingDays) -> Iterator[_Stage]:
    until = case.accepted_at or case.ended_at
    yield _Stage(case, _ACCEPTANCE, "case_acceptance", case.applied_at, until)
    if case.accepted_at is not None:
        days = _promised(case, case.accepted_at, calendar)
        promise = "case_instant" if days == 0 else "case_handling"
        yield _Stage(case, _HANDLING, promise, case.accepted_at, case.ended_at, days or 0)


def _promised(case: Case, accepted_at: datetime, calendar: WorkingDays) -> int | None:
    """Working days that the case was promised; None: nothing was, and the law's limit holds."""
    if case.promised_days is not None or case.promised_on is None:
        return case.promised_days
    return max(1, calendar.count(beijing_day(accepted_at), case.promised_on))


def _known(connection: Connection) -> dict[tuple[str, str], tuple[str, bool]]:
    """Clocks of cases by case and stage: their id, and whether they have ended."""
    asked = select(Clock.object_id, Clock.cause, Clock.clock_id, Clock.closed_at).where(
        Clock.object_kind == CASE
    )
    found = connection.execute(asked).all()
    return {(case_no, cause): (id_, at is not None) for case_no, cause, id_, at in found}


_SET_CLOSED = text("""
    update ledger.clock set closed_at = told.at
    from unnest(cast(:ids as text[]), cast(:ats as timestamptz[])) as told (clock_id, at)
    where clock.clock_id = told.clock_id
""")


def _record(
    connection: Connection, happened: Sequence[tuple[str, datetime]], kind: EventKind
) -> None:
    if not happened:
        return
    actor = by_rule("cases").account
    rows = [
        {"clock_id": id_, "at": at, "kind": kind.value, "working_days": 0, "actor": actor}
        for id_, at in happened
    ]
    insert_all(connection, ClockEventRow, rows)
    is_end = kind is EventKind.FULFILLED
    ids = [id_ for id_, _ in happened]
    ats = [at if is_end else None for _, at in happened]
    connection.execute(_SET_CLOSED, {"ids": ids, "ats": ats})


def _heal(connection: Connection, ids: Sequence[str], rules: ClockRules, now: datetime) -> None:
    """Take back red cards of cases that ended in time, as became known only later."""
    red = standing_red(connection).intersection(ids)
    rows = clock_rows(connection, object_kind=CASE) if red else []
    met = [
        one
        for one in standings((row for row in rows if row.clock_id in red), rules, now, beside=False)
        if one.status.state is ClockState.MET
    ]
    if met:
        withdraw(connection, met, now, why=_CAME_LATE)


def _unknown(case_no: str) -> ClockUnknown:
    return ClockUnknown(
        case_no,
        found="no case of that number under supervision",
        expected="a case number as `yishu clocks cases --all` shows it",
        remedy="run `yishu clocks sweep` after the case was published; entries whose ends nobody "
        "reports are named by it",
    )


def _journal(connection: Connection, seen: CasesSeen, now: datetime) -> None:
    if seen.opened or seen.ended or seen.reopened:
        after = {"opened": seen.opened, "ended": seen.ended, "reopened": seen.reopened}
        day = str(beijing_day(now))
        append(connection, Act(by_rule("cases"), Action.RUN_CLOCK, CASE, day, now, after=after))
