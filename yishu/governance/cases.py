"""Service cases under supervision: each application and acceptance runs on a clock (SUP-01).

The library says what happened to a case; a round of supervision brings its clocks up to that, so
that warnings, cards and orders come from the same sweep as all others. What was once recorded of a
case is never edited: a later correction at the source moves no last day (SUP-08).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, select, text

from catalog.roles import Action
from yishu.clocks import ClockState, EventKind, WorkingDays, beijing_day
from yishu.governance.board import BoardLine, board
from yishu.governance.cards import CardRow, OrderRow, cards, orders, standing_red, withdraw
from yishu.governance.clock_rules import ClockRules, by_rule
from yishu.governance.errors import ClockUnknown
from yishu.governance.procedures import Handled, Procedure, stand_still
from yishu.governance.promises import NewClock, clock_rows, open_clocks, standings
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Act, append
from yishu.ledger.models import Clock, ClockEventRow

CASE = "case"
"""Kind of object under which the clocks of cases stand; the object is the case number."""

_ACCEPTANCE, _HANDLING = "acceptance", "handling"
_PAUSED_PROMISE = "case_handling"
_CAME_LATE = "办结信息晚到，实际按时办结"


@dataclass(frozen=True)
class Case:
    """What the library knows of a service case; without its applicant.

    Attributes:
        entry_id: The entry that it comes from.
        ended_at: When it was decided or closed; None: not that is known.
        promised_days: Working days that the item promises; None: the item is not known.
        statutory_days: Working days that the law gives the item, which no promise exceeds.
        promised_on: The day that was named at acceptance, asked where the item is not known.
        is_end_told: Whether the end of any case of its entry ever arrives. Where none does,
            nobody can say which cases are late, and they are not judged.
        procedures: Its special procedures (特别程序); they do not count towards its limit.
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
    statutory_days: int | None = None
    procedures: tuple[Procedure, ...] = ()


@dataclass(frozen=True)
class CasesSeen:
    """How far supervision reaches; ``blind``: cases whose end nobody reports, by entry.

    ``corrected`` counts ends that are another day than was known, or that came back; ``procedures``
    the cases of which a special procedure began or ended.
    """

    cases: int
    supervised: int
    opened: int
    ended: int
    reopened: int
    corrected: int
    procedures: int
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

    @property
    def end(self) -> datetime | None:
        """When it ended; of one that is said to end before it began: when it began."""
        return None if self.ended_at is None else max(self.began_at, self.ended_at)

    @property
    def pauses(self) -> bool:
        """Whether special procedures may interrupt it: not acceptance, not what is done at once."""
        return self.promise == _PAUSED_PROMISE

    def clock(self, profile: str) -> NewClock:
        case = self.case
        return NewClock(
            self.promise, profile, CASE, case.case_no, case.holder_org, self.cause, self.began_at,
            note=case.entry_id, working_days=self.working_days,
        )  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """What supervision has of a stage; ``has_ended``: an end of it was recorded once."""

    clock_id: str
    closed_at: datetime | None = None
    has_ended: bool = False

    def ends(self, stage: _Stage) -> bool:
        """Whether its end is told for the first time."""
        return stage.end is not None and not self.has_ended

    def handled(self, stage: _Stage) -> Handled:
        """The clock with what interrupts it."""
        return Handled(self.clock_id, stage.began_at, stage.end, stage.case.procedures)

    def is_wrong(self, stage: _Stage) -> bool:
        """Whether the source now tells another day of its end, or one after it was reopened."""
        if stage.end is None or not self.has_ended:
            return False
        return self.closed_at is None or beijing_day(self.closed_at) != beijing_day(stage.end)


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
    known |= {stage.key: _Known(id_) for stage, id_ in zip(new, ids, strict=True)}
    found = [(stage, known[stage.key]) for stage in stages]
    ended = [(one.clock_id, stage.end) for stage, one in found if one.ends(stage)]
    reopened = [(one.clock_id, now) for stage, one in found if one.closed_at and not stage.end]
    corrected = [(one.clock_id, stage.end) for stage, one in found if one.is_wrong(stage)]
    _record(connection, ended, EventKind.FULFILLED, now)
    _record(connection, reopened, EventKind.REOPENED, now)
    _record(connection, corrected, EventKind.END_CORRECTED, now)
    stood = stand_still(
        connection, CASE, [one.handled(stage) for stage, one in found if stage.pauses]
    )
    _heal(connection, [*stood, *(id_ for id_, _ in (*ended, *corrected))], rules, now)
    supervised = len(kept) - blind.total()
    counts = (len(new), len(ended), len(reopened), len(corrected), len(stood))
    seen = CasesSeen(len(kept), supervised, *counts, dict(blind))
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
        promise = "case_instant" if days == 0 else _PAUSED_PROMISE
        yield _Stage(case, _HANDLING, promise, case.accepted_at, case.ended_at, days or 0)


def _promised(case: Case, accepted_at: datetime, calendar: WorkingDays) -> int | None:
    """Working days that a case may take; None: nothing is known, and the law's limit holds.

    What the item promises, else the day that was named, else what the law gives the item; a promise
    beyond what the law gives does not count.
    """
    days = case.promised_days
    if days is None and case.promised_on is not None:
        days = max(1, calendar.count(beijing_day(accepted_at), case.promised_on))
    return min((one for one in (days, case.statutory_days) if one is not None), default=None)


def _known(connection: Connection) -> dict[tuple[str, str], _Known]:
    """Clocks of cases by case and stage."""
    has_ended = exists().where(
        ClockEventRow.clock_id == Clock.clock_id,
        ClockEventRow.kind.in_([EventKind.FULFILLED.value, EventKind.END_CORRECTED.value]),
    )
    asked = select(Clock.object_id, Clock.cause, Clock.clock_id, Clock.closed_at, has_ended).where(
        Clock.object_kind == CASE
    )
    found = connection.execute(asked).all()
    return {(case_no, cause): _Known(id_, at, ended) for case_no, cause, id_, at, ended in found}


_SET_CLOSED = text("""
    update ledger.clock set closed_at = told.at
    from unnest(cast(:ids as text[]), cast(:ats as timestamptz[])) as told (clock_id, at)
    where clock.clock_id = told.clock_id
""")


def _record(
    connection: Connection,
    happened: Sequence[tuple[str, datetime | None]],
    kind: EventKind,
    now: datetime,
) -> None:
    if not happened:
        return
    actor = by_rule("cases").account
    is_correction = kind is EventKind.END_CORRECTED
    rows = [
        {
            "clock_id": id_, "at": now if is_correction else at, "kind": kind.value,
            "working_days": 0, "actor": actor,
            "due_on": beijing_day(at) if is_correction and at else None,
        }
        for id_, at in happened
    ]  # fmt: skip
    insert_all(connection, ClockEventRow, rows)
    ids = [id_ for id_, _ in happened]
    ats = [None if kind is EventKind.REOPENED else at for _, at in happened]
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
    names = ("opened", "ended", "reopened", "corrected", "procedures")
    after = {name: getattr(seen, name) for name in names}
    if any(after.values()):
        day = str(beijing_day(now))
        append(connection, Act(by_rule("cases"), Action.RUN_CLOCK, CASE, day, now, after=after))
