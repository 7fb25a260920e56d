"""Quality scores of a period, computed from stored runs alone: exact, and the same whenever asked.

Every figure is a numerator and a denominator; a percentage is rounded once, at the end, from whole
numbers. An entry's total is the weighted mean of the dimensions (GB/T 36344-2018) that were
measured, with the weights in force on the first day of the period.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from catalog.vocabulary import QualityDimension
from expectations import rulebook
from yishu.clocks import BEIJING
from yishu.governance.collector import uncollected
from yishu.governance.period import Period
from yishu.ledger.statements import query

_PLACES = 4
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  days are counted on Beijing's clock
_DAY = timedelta(days=1)

Weights = Mapping[QualityDimension, Fraction]

EQUAL: Weights = {dimension: Fraction(1, len(QualityDimension)) for dimension in QualityDimension}
"""Every dimension counts alike."""


def weights_on(day: date) -> Weights:
    """The weights that the bureau's rulebook says for a day, exact."""
    found = rulebook.weights(day).shares
    return {dimension: Fraction(str(share)) for dimension, share in found.items()}


@dataclass(frozen=True, slots=True)
class Figure:
    """How much was right of what was counted; ``waived``: wrong, but let past by a waiver."""

    right: int
    counted: int
    waived: int = 0

    @property
    def percent(self) -> Decimal | None:
        """0 to 100 with four places; None when nothing was counted, which is not perfection."""
        return _percent(self.right, self.counted) if self.counted else None

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            self.right + other.right, self.counted + other.counted, self.waived + other.waived
        )


@dataclass(frozen=True, slots=True)
class Volume:
    """How much a department gave in a period.

    Attributes:
        entries: How many of its entries were pulled.
        rows_last: Rows of their last validated runs together: what there is now.
        rows_read: Rows of all their runs.
        quarantined: Those of them that were set aside.
    """

    entries: int = 0
    rows_last: int = 0
    rows_read: int = 0
    quarantined: int = 0

    def with_entry(self, entry: "EntryFigures") -> "Volume":
        """This and one entry more."""
        return Volume(
            self.entries + 1,
            self.rows_last + (entry.rows_last or 0),
            self.rows_read + entry.rows_read,
            self.quarantined + entry.quarantined,
        )


@dataclass(frozen=True, slots=True)
class DayOfRows:
    """Rows that were validated on a day in Beijing, and those of them that were set aside."""

    day: date
    rows: int
    quarantined: int

    @property
    def share(self) -> float | None:
        """The share that was not set aside, 0 to 1; None: there were no rows."""
        return 1 - self.quarantined / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class FailingRule:
    """A check that rows failed in the period, in how many runs; ``text_en`` empty: not known."""

    entry_id: str
    check_id: str
    dimension: str
    text_zh: str
    runs: int
    counted: int
    failed: int
    waived: int = 0
    text_en: str = ""


@dataclass(frozen=True, slots=True)
class EntryFigures:
    """What the runs of a period say about an entry.

    Attributes:
        department_id: Whose data it was when it was last pulled in the period.
        rows_last: Rows of the last validated run, ``run_last``; None: no run was validated.
        rows_read: Rows of all runs together.
        quarantined: Those of them that were set aside.
        dimensions: Only those that were measured.
    """

    entry_id: str
    department_id: str
    runs: int
    rows_read: int
    quarantined: int
    rows_last: int | None
    run_last: str | None
    dimensions: Mapping[str, Figure]
    failing: tuple[FailingRule, ...] = ()


@dataclass(frozen=True)
class Scores:
    """The figures of a period, entry by entry; everything else is summed up from them.

    Attributes:
        period: Its name.
        until: The moment up to which runs counted, UTC.
        weights: By dimension, as exact fractions in text.
    """

    period: str
    until: datetime
    weights: Mapping[str, str]
    entries: tuple[EntryFigures, ...]

    @cached_property
    def departments(self) -> dict[str, dict[str, Figure]]:
        """Figures by department and dimension."""
        found: dict[str, dict[str, Figure]] = {}
        for entry in self.entries:
            own = found.setdefault(entry.department_id, {})
            for dimension, figure in entry.dimensions.items():
                own[dimension] = own.get(dimension, Figure(0, 0)) + figure
        return dict(sorted(found.items()))

    @cached_property
    def volumes(self) -> dict[str, Volume]:
        """How much each department gave."""
        found: dict[str, Volume] = {}
        for entry in self.entries:
            found[entry.department_id] = found.get(entry.department_id, Volume()).with_entry(entry)
        return found

    @cached_property
    def city(self) -> dict[str, Figure]:
        """Figures of the whole city by dimension."""
        return summed(self.departments.values())

    def total(self, dimensions: Mapping[str, Figure]) -> Decimal | None:
        """The weighted mean of measured dimensions, 0 to 100; None when none was measured."""
        measured = [
            (self._whole_weights.get(name, 0), one)
            for name, one in dimensions.items()
            if one.counted
        ]
        whole = sum(weight for weight, _ in measured)
        if not whole:
            return None
        # One fraction at the end: a year of scores adds up hundreds of thousands of them.
        counted = math.lcm(*(one.counted for _, one in measured))
        right = sum(weight * one.right * (counted // one.counted) for weight, one in measured)
        return _percent(right, whole * counted)

    @cached_property
    def _whole_weights(self) -> dict[str, int]:
        weights = {name: Fraction(text) for name, text in self.weights.items()}
        unit = math.lcm(*(weight.denominator for weight in weights.values()))
        return {name: int(weight * unit) for name, weight in weights.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain values, in one order; `from_json` reads them back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str, sort_keys=True))
        return plain

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Scores":
        """The scores that ``to_json`` wrote."""
        entries = tuple(_entry(one) for one in record["entries"])
        until = datetime.fromisoformat(record["until"])
        return cls(record["period"], until, dict(record["weights"]), entries)


def scores(
    connection: Connection,
    period: Period,
    now: datetime,
    *,
    weights: Weights,
    limits: Mapping[str, timedelta | None],
    entry_ids: Sequence[str] | None = None,
    names_rules: bool = True,
) -> Scores:
    """The scores of a period as far as it has gone.

    Args:
        connection: The ledger.
        period: The month or quarter.
        now: The present moment; later runs do not count.
        weights: What each dimension counts for.
        limits: The freshness limit of each entry by its update cycle; None: it has none.
        entry_ids: Those entries alone; None: all.
        names_rules: Whether the failing rules of each entry are wanted too.
    """
    until = min(period.end, now)
    asked = {"start": period.start, "until": until, "entry_ids": _array(entry_ids)}
    with uncollected():
        departments = {
            row.entry_id: row.department_id for row in _ask(connection, "departments", asked)
        }
        volumes = {row.entry_id: row for row in _ask(connection, "volume", asked)}
        figures = _figures(connection, asked, period, limits)
        failing = failing_rules(connection, period, now, entry_ids) if names_rules else {}
        entries = tuple(
            _of_entry(one, departments, volumes, figures, failing)
            for one in sorted({*volumes, *figures})
        )
    texts = {name.value: str(share) for name, share in weights.items()}
    return Scores(period.name, until, texts, entries)


def failing_rules(
    connection: Connection,
    period: Period,
    now: datetime,
    entry_ids: Sequence[str] | None = None,
) -> dict[str, list[FailingRule]]:
    """Checks that rows failed in a period, by entry, the worst first."""
    asked = {"start": period.start, "until": min(period.end, now), "entry_ids": _array(entry_ids)}
    found: dict[str, list[FailingRule]] = {}
    for row in connection.execute(query("failing_checks"), asked):
        found.setdefault(row.entry_id, []).append(FailingRule(**row._mapping))
    return found


def days_of_rows(
    connection: Connection, period: Period, until: datetime, entry_ids: Sequence[str] | None = None
) -> list[DayOfRows]:
    """The days of a period on which rows were validated, of those entries or of all."""
    asked = {"start": period.start, "until": until, "entry_ids": _array(entry_ids)}
    return [DayOfRows(*row) for row in connection.execute(query("quality_by_day"), asked)]


def summed(parts: Iterable[Mapping[str, Figure]]) -> dict[str, Figure]:
    """Figures of several parts added up by dimension, in the order of the standard."""
    found: dict[str, Figure] = {}
    for part in parts:
        for name, figure in part.items():
            found[name] = found.get(name, Figure(0, 0)) + figure
    return {name.value: found[name.value] for name in QualityDimension if name.value in found}


def _figures(
    connection: Connection,
    asked: Mapping[str, Any],
    period: Period,
    limits: Mapping[str, timedelta | None],
) -> dict[str, dict[str, Figure]]:
    found: dict[str, dict[str, Figure]] = {}

    def add(entry_id: str, dimension: str, figure: Figure) -> None:
        if figure.counted:
            found.setdefault(entry_id, {})[dimension] = figure

    for row in _ask(connection, "dimensions", asked):
        figure = Figure(row.counted - row.failed, row.counted, row.waived)
        add(row.entry_id, row.dimension, figure)
    limited = {name: limit / _DAY for name, limit in limits.items() if limit is not None}
    promised = {
        # One text each: the driver takes a hundred times as long over an array.
        "entries": ",".join(limited),
        "days": ",".join(map(str, limited.values())),
        "first_day": _days(period.start),
        "until_day": _days(asked["until"]),
    }
    for row in _ask(connection, "deliveries", {**asked, **promised}):
        add(row.entry_id, QualityDimension.TIMELINESS.value, Figure(row.kept, row.due))
    for row in _ask(connection, "access", asked):
        figure = Figure(row.counted - row.failed, row.counted)
        add(row.entry_id, QualityDimension.ACCESSIBILITY.value, figure)
    return found


def _array(entry_ids: Sequence[str] | None) -> list[str] | None:
    return None if entry_ids is None else list(entry_ids)


def _days(moment: datetime) -> float:
    """Days on Beijing's clock since 1970, as the statements count them."""
    return (moment.astimezone(BEIJING).replace(tzinfo=None) - _EPOCH) / _DAY


def _of_entry(
    entry_id: str,
    departments: Mapping[str, str],
    volumes: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, Figure]],
    failing: Mapping[str, Sequence[FailingRule]],
) -> EntryFigures:
    volume = volumes.get(entry_id)
    measured = figures.get(entry_id, {})
    return EntryFigures(
        entry_id=entry_id,
        department_id=departments.get(entry_id, entry_id.partition(".")[0]),
        runs=volume.runs if volume else 0,
        rows_read=volume.rows_read if volume else 0,
        quarantined=volume.quarantined if volume else 0,
        rows_last=volume.rows_last if volume else None,
        run_last=volume.run_last if volume else None,
        dimensions={
            name.value: measured[name.value] for name in QualityDimension if name.value in measured
        },
        failing=tuple(failing.get(entry_id, ())),
    )


def _ask(connection: Connection, name: str, asked: Mapping[str, Any]) -> Sequence[Any]:
    return connection.execute(query(f"score_{name}"), asked).all()


def _percent(part: int, whole: int) -> Decimal:
    """A share as a percentage; half a unit of the last place goes to the even neighbour."""
    units, rest = divmod(part * 100 * 10**_PLACES, whole)
    is_up = 2 * rest > whole or (2 * rest == whole and units % 2)
    return Decimal(units + is_up).scaleb(-_PLACES)


def _entry(record: Mapping[str, Any]) -> EntryFigures:
    dimensions = {name: Figure(**one) for name, one in record["dimensions"].items()}
    ordered = {d.value: dimensions[d.value] for d in QualityDimension if d.value in dimensions}
    failing = tuple(FailingRule(**one) for one in record["failing"])
    return EntryFigures(**{**record, "dimensions": ordered, "failing": failing})
