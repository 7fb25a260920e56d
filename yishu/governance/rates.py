"""The five rates of a department and quarter (S004 Art.14 to 18), each opening to its cases.

A rate is kept cases over due cases. Three of them count clocks that ended or fell due, two of them
count what the runs of the quarter say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from catalog.vocabulary import Labelled, QualityDimension
from yishu.clocks import ClockState, ClockStatus
from yishu.governance.clock_rules import ClockRules
from yishu.governance.period import Period
from yishu.governance.promises import clock_rows, standings
from yishu.governance.running import alike
from yishu.governance.scores import EntryFigures, Figure, Scores
from yishu.ledger.models import FrozenPeriod, IndicatorValue

_LONGEST = timedelta(days=120)
"""Nothing that is due in a period was closed longer before it."""

_OVER = frozenset({ClockState.RED, ClockState.MET, ClockState.MET_LATE})

OF_DELIVERY = {QualityDimension.TIMELINESS.value, QualityDimension.ACCESSIBILITY.value}


class Rate(Labelled):
    """What departments are measured by for the data that they supply."""

    CATALOG_TIMELINESS = "catalog_timeliness", "目录更新及时率"
    UPDATE_TIMELINESS = "update_timeliness", "数据更新及时率"
    QUALITY = "quality", "数据质量合格率"
    REPLY_TIMELINESS = "reply_timeliness", "共享答复及时率"
    OBJECTION_HANDLING = "objection_handling", "异议办理及时率"


RATE_OF_PROMISE: Mapping[str, Rate] = {
    "catalog_update": Rate.CATALOG_TIMELINESS,
    "request_reply_unconditional": Rate.REPLY_TIMELINESS,
    "request_reply_conditional": Rate.REPLY_TIMELINESS,
    "correction": Rate.OBJECTION_HANDLING,
}
"""Which promise's clocks a rate counts."""


@dataclass(frozen=True)
class Case:
    """What a rate counts: an entry's deliveries or checks, or one clock (``due`` 1)."""

    rate: Rate
    department_id: str
    object_kind: str
    object_id: str
    kept: int
    due: int


@dataclass(frozen=True)
class Indicator:
    """A rate as it was last refreshed: value, moment (UTC), and the run that refreshed it."""

    period: str
    department_id: str
    rate: Rate
    figure: Figure
    run_id: str
    at: datetime


def cases(found: Scores, clocks: Iterable[Case] = ()) -> list[Case]:
    """All cases of the five rates in a period, by department and rate."""
    every = [*clocks]
    for entry in found.entries:
        every += _of_entry(entry)
    return sorted(every, key=lambda one: (one.department_id, one.rate, one.object_id))


def clock_cases(
    connection: Connection,
    rules: ClockRules,
    period: Period,
    now: datetime,
    *,
    org: str | None = None,
) -> list[Case]:
    """The clocks whose last day lies in a period and that ended or are overdue, as cases."""
    since = period.start - _LONGEST
    rows = [
        row
        for promise in RATE_OF_PROMISE
        for row in clock_rows(
            connection, promise=promise, org=org, is_open=True, closed_since=since
        )
    ]
    found = []
    for one in standings(rows, rules, now, beside=False):
        if _counts(one.status, period):
            row, kept = one.row, int(one.status.state is ClockState.MET)
            rate = RATE_OF_PROMISE[row.promise]
            found.append(Case(rate, row.holder_org, row.object_kind, row.object_id, kept, 1))
    return found


def clock_rates(
    connection: Connection, rules: ClockRules, period: Period, now: datetime
) -> dict[str, dict[Rate, Figure]]:
    """The same as ``rates(clock_cases(...))``, from clocks that stand alike instead of each."""
    found: dict[str, dict[Rate, Figure]] = {}
    for one in alike(connection, rules, now, ended_since=period.start - _LONGEST):
        rate = RATE_OF_PROMISE.get(one.name)
        if rate is not None and _counts(one.status, period):
            kept = one.clocks if one.status.state is ClockState.MET else 0
            own = found.setdefault(one.holder_org, {r: Figure(0, 0) for r in Rate})
            own[rate] += Figure(kept, one.clocks)
    return dict(sorted(found.items()))


def _counts(status: ClockStatus, period: Period) -> bool:
    """Whether the last day lies in a period, and the clock ended or is overdue."""
    return period.first <= status.due_on < period.after and status.state in _OVER


def rates(found: Sequence[Case]) -> dict[str, dict[Rate, Figure]]:
    """The five rates by department; one of which nothing was due has nothing counted."""
    by_department: dict[str, dict[Rate, Figure]] = {}
    for case in found:
        own = by_department.setdefault(case.department_id, {r: Figure(0, 0) for r in Rate})
        own[case.rate] += Figure(case.kept, case.due)
    return dict(sorted(by_department.items()))


@dataclass(frozen=True)
class Place:
    """A department's place in the league: by the mean of its rates that have something counted.

    That each rate weighs the same is a local choice. ``rank`` and ``mean`` None: nothing was due;
    equal means share a rank.
    """

    rank: int | None
    department_id: str
    mean: Fraction | None
    figures: Mapping[Rate, Figure]


def rates_of(
    scores: Scores, clocks: Mapping[str, Mapping[Rate, Figure]]
) -> dict[str, dict[Rate, Figure]]:
    """The five rates by department, from the rates of clocks and the departments' sums."""
    found = {org: dict(own) for org, own in clocks.items()}
    for org, dimensions in scores.departments.items():
        own = found.setdefault(org, {r: Figure(0, 0) for r in Rate})
        for rate, figure in _of_dimensions(dimensions).items():
            own[rate] += Figure(figure.right, figure.counted)
    return {org: own for org, own in sorted(found.items()) if any(f.counted for f in own.values())}


def league(by_department: Mapping[str, Mapping[Rate, Figure]]) -> list[Place]:
    """Departments by the mean of their rates, the best first."""
    means = {org: _mean(figures) for org, figures in by_department.items()}
    known = [mean for mean in means.values() if mean is not None]
    places = [
        Place(_rank(means[org], known), org, means[org], figures)
        for org, figures in by_department.items()
    ]
    return sorted(places, key=lambda one: (one.mean is None, -(one.mean or 0), one.department_id))


def _rank(mean: Fraction | None, known: Sequence[Fraction]) -> int | None:
    return None if mean is None else 1 + sum(one > mean for one in known)


def _mean(figures: Mapping[Rate, Figure]) -> Fraction | None:
    shares = [Fraction(one.right, one.counted) for one in figures.values() if one.counted]
    return sum(shares, start=Fraction(0)) / len(shares) if shares else None


def refresh(
    connection: Connection,
    period: Period,
    found: Mapping[str, Mapping[Rate, Figure]],
    run_id: str,
    at: datetime,
) -> bool:
    """Keep the newest values of a period after a load; whether they moved: frozen ones do not."""
    frozen = select(FrozenPeriod.period).where(FrozenPeriod.period == period.name)
    if connection.execute(frozen).scalar() is not None:
        return False
    for department_id, figures in found.items():
        for rate, figure in figures.items():
            _keep(connection, (period.name, department_id, rate), figure, run_id, at)
    return True


def indicators(connection: Connection, period: Period) -> list[Indicator]:
    """The newest values of a period, by department and rate."""
    table = IndicatorValue
    asked = select(table.__table__).where(table.period == period.name)
    rows = connection.execute(asked.order_by(table.department_id, table.rate))
    return [_indicator(row) for row in rows]


def _of_dimensions(dimensions: Mapping[str, Figure]) -> dict[Rate, Figure]:
    """The two rates that count what runs say."""
    checked = [one for name, one in dimensions.items() if name not in OF_DELIVERY]
    whole = sum(checked, start=Figure(0, 0))
    came = dimensions.get(QualityDimension.TIMELINESS.value, Figure(0, 0))
    return {Rate.QUALITY: whole, Rate.UPDATE_TIMELINESS: came}


def _of_entry(entry: EntryFigures) -> Iterator[Case]:
    for rate, figure in _of_dimensions(entry.dimensions).items():
        if figure.counted:
            yield Case(
                rate, entry.department_id, "entry", entry.entry_id, figure.right, figure.counted
            )


def _indicator(row: Row[Any]) -> Indicator:
    figure = Figure(row.kept, row.due)
    return Indicator(row.period, row.department_id, Rate(row.rate), figure, row.run_id, row.at)


def _keep(
    connection: Connection,
    key: tuple[str, str, Rate],
    figure: Figure,
    run_id: str,
    at: datetime,
) -> None:
    period, department_id, rate = key
    values = {"kept": figure.right, "due": figure.counted, "run_id": run_id, "at": at}
    names = {"period": period, "department_id": department_id, "rate": rate.value}
    statement = insert(IndicatorValue).values(names | values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(names), set_=values))
