"""Everything that the report of a month says, as plain records."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median

from sqlalchemy import Connection

from catalog.model import CatalogView
from catalog.vocabulary import QualityDimension
from yishu.clocks import BEIJING, ClockState
from yishu.governance.clock_rules import ClockRules
from yishu.governance.freezing import Answer, Frozen, answers, frozen
from yishu.governance.objections import ObjectionRow, ObjectionState, objections
from yishu.governance.objections.states import DONE
from yishu.governance.period import Period
from yishu.governance.promises import Standing, clock_rows, standings
from yishu.governance.scores import FailingRule, Figure, Scores, Weights, scores

WORST_RULES = 20
TREND_MONTHS = 6
ODD_FALL = Decimal(2)
"""Points below the median of the months before, from which on a note is made."""
FEW_MONTHS = 2


@dataclass(frozen=True)
class DepartmentLine:
    """A department in the league table; ``rank`` None: nothing of it was measured."""

    rank: int | None
    department_id: str
    name: str
    entries: int
    rows_read: int
    quarantined: int
    total: Decimal | None
    dimensions: Mapping[str, Figure]
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class OpenObjection:
    """An objection that is open, and for how many days in Beijing."""

    row: ObjectionRow
    days: int


@dataclass(frozen=True)
class Report:
    """The report of a month.

    Attributes:
        frozen: The final figures where the month was frozen; else they may still move.
        city: Figures of the whole city by dimension; ``total`` is their weighted mean.
        trend: Total of the city by month, the oldest first; None: nothing was measured.
        notes: What is odd, in Chinese.
        never_loaded: Names of entries of which no run was validated in the month.
    """

    period: Period
    at: datetime
    frozen: Frozen | None
    scores: Scores
    city: Mapping[str, Figure]
    total: Decimal | None
    departments: tuple[DepartmentLine, ...]
    trend: tuple[tuple[str, Decimal | None], ...]
    worst: tuple[FailingRule, ...]
    objections: tuple[OpenObjection, ...]
    corrected: tuple[ObjectionRow, ...]
    overdue: tuple[Standing, ...]
    notes: tuple[str, ...]
    never_loaded: tuple[str, ...]
    entry_names: Mapping[str, str]
    department_names: Mapping[str, str]


def gather(
    connection: Connection,
    period: Period,
    now: datetime,
    *,
    catalog: CatalogView,
    weights: Callable[[date], Weights],
    rules: ClockRules,
) -> Report:
    """The report of a month; of a frozen one the final figures.

    Args:
        connection: The ledger.
        period: The month.
        now: The present moment.
        catalog: The release in force.
        weights: The weights that hold on a day; each month has its own.
        rules: By which clocks run.
    """
    done = frozen(connection, period)
    limits = {entry.id: entry.update_cycle.freshness for entry in catalog.entries.values()}

    def computed(month: Period) -> Scores:
        kept = done if month == period else frozen(connection, month)
        if kept is not None:
            return kept.scores
        in_force, is_own = weights(month.first), month == period
        return scores(connection, month, now, weights=in_force, limits=limits, names_rules=is_own)

    found = computed(period)
    months = [period]
    for _ in range(TREND_MONTHS - 1):
        months.insert(0, months[0].previous)
    earlier = [computed(month) for month in months[:-1]]
    trend = tuple((one.period, one.total(one.city)) for one in (*earlier, found))
    names = {id_: one.name for id_, one in catalog.departments.items()}
    lines = _league(found, names, answers(connection, period))
    every = objections(connection)
    measured = {entry.entry_id for entry in found.entries if entry.runs}
    return Report(
        period=period,
        at=now,
        frozen=done,
        scores=found,
        city=found.city,
        total=found.total(found.city),
        departments=lines,
        trend=trend,
        worst=_worst(found),
        objections=_open(every, period, now),
        corrected=tuple(one for one in every if _is_corrected_in(one, period)),
        overdue=_overdue(connection, rules, now),
        notes=tuple(_notes(lines, earlier, trend)),
        never_loaded=tuple(e.name for e in catalog.entries.values() if e.id not in measured),
        entry_names={entry.id: entry.name for entry in catalog.entries.values()},
        department_names=names,
    )


def _league(
    found: Scores, names: Mapping[str, str], said: Sequence[Answer]
) -> tuple[DepartmentLine, ...]:
    totals = {name: found.total(figures) for name, figures in found.departments.items()}
    ordered = sorted(totals.items(), key=lambda one: (one[1] is None, -(one[1] or 0), one[0]))
    lines = []
    for department_id, total in ordered:
        own = [entry for entry in found.entries if entry.department_id == department_id]
        # Equal totals share a rank.
        better = sum(
            1 for _, other in ordered if other is not None and total is not None and other > total
        )
        lines.append(
            DepartmentLine(
                rank=None if total is None else better + 1,
                department_id=department_id,
                name=names.get(department_id, department_id),
                entries=len(own),
                rows_read=sum(entry.rows_read for entry in own),
                quarantined=sum(entry.quarantined for entry in own),
                total=total,
                dimensions=found.departments[department_id],
                answers=tuple(one for one in said if one.department_id == department_id),
            )
        )
    return tuple(lines)


def _worst(found: Scores) -> tuple[FailingRule, ...]:
    every = (rule for entry in found.entries for rule in entry.failing)
    return tuple(sorted(every, key=lambda one: (-one.failed, one.entry_id, one.check_id)))[
        :WORST_RULES
    ]


def _open(
    every: Iterable[ObjectionRow], period: Period, now: datetime
) -> tuple[OpenObjection, ...]:
    today = _day(now)
    return tuple(
        OpenObjection(one, (today - _day(one.raised_at)).days)
        for one in every
        if one.state not in DONE and one.raised_at < period.end
    )


def _is_corrected_in(one: ObjectionRow, period: Period) -> bool:
    is_settled = one.state in {ObjectionState.FED_BACK, ObjectionState.CLOSED}
    return is_settled and one.corrected and period.start <= one.since < period.end


def _overdue(connection: Connection, rules: ClockRules, now: datetime) -> tuple[Standing, ...]:
    running = standings(clock_rows(connection, is_open=True), rules, now)
    late = [one for one in running if one.status.state is ClockState.RED]
    return tuple(sorted(late, key=lambda one: one.status.due_on))


def _notes(
    lines: Sequence[DepartmentLine],
    earlier: Sequence[Scores],
    trend: Sequence[tuple[str, Decimal | None]],
) -> Iterable[str]:
    before = [total for _, total in trend[:-1] if total is not None]
    now = trend[-1][1]
    if _fell(before, now):
        yield f"全市得分 {now}，低于前几个月中位数 {median(before)}。"
    for line in lines:
        past = [_total_of(one, line.department_id) for one in earlier]
        known = [total for total in past if total is not None]
        if _fell(known, line.total):
            yield f"{line.name}得分 {line.total}，低于前几个月中位数 {median(known)}。"
        yield from _odd_dimensions(line)


def _odd_dimensions(line: DepartmentLine) -> Iterable[str]:
    for name, figure in line.dimensions.items():
        if figure.waived:
            label = QualityDimension(name).label_zh
            yield f"{line.name}的{label}有 {figure.waived:,} 处不合格经豁免放行，仍计入得分。"


def _fell(before: Sequence[Decimal], now: Decimal | None) -> bool:
    is_known = now is not None and len(before) >= FEW_MONTHS
    return is_known and median(before) - (now or 0) >= ODD_FALL


def _total_of(found: Scores, department_id: str) -> Decimal | None:
    own = found.departments.get(department_id)
    return found.total(own) if own else None


def _day(moment: datetime) -> date:
    return moment.astimezone(BEIJING).date()
