"""Months and quarters as figures are kept by them, in Beijing's days."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from yishu.clocks import BEIJING
from yishu.governance.errors import PeriodFaulty

_NAMES = re.compile(r"(?P<year>20\d\d)(?:-(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4]))")
_MONTHS_OF_QUARTER = 3
_DECEMBER = 12


@dataclass(frozen=True, order=True)
class Period:
    """A month (``2026-11``) or a quarter (``2026Q4``): its first day and the first day after it."""

    first: date
    after: date

    @classmethod
    def parse(cls, name: str) -> "Period":
        """The period of that name.

        Raises:
            PeriodFaulty: it names no month and no quarter.
        """
        found = _NAMES.fullmatch(name)
        if found is None:
            raise PeriodFaulty(
                name or "period",
                found="a name of neither a month nor a quarter",
                expected="a month such as 2026-11 or a quarter such as 2026Q4",
                remedy="write the period so",
            )
        year = int(found["year"])
        if found["month"]:
            return _of(year, int(found["month"]), 1)
        return _of(year, _MONTHS_OF_QUARTER * (int(found["quarter"]) - 1) + 1, _MONTHS_OF_QUARTER)

    @classmethod
    def quarter_of(cls, day: date) -> "Period":
        """The quarter in which a day lies."""
        return cls.parse(f"{day:%Y}Q{(day.month - 1) // _MONTHS_OF_QUARTER + 1}")

    @property
    def name(self) -> str:
        """How it is called."""
        if _add_months(self.first, 1) == self.after:
            return f"{self.first:%Y-%m}"
        return f"{self.first:%Y}Q{(self.first.month - 1) // _MONTHS_OF_QUARTER + 1}"

    @property
    def start(self) -> datetime:
        """Its first moment, UTC."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after it, UTC."""
        return _midnight(self.after)

    @property
    def previous(self) -> "Period":
        """The period of the same length before it."""
        months = (self.after.year - self.first.year) * _DECEMBER + self.after.month
        return Period(_add_months(self.first, self.first.month - months), self.first)


def _of(year: int, month: int, months: int) -> Period:
    first = date(year, month, 1)
    return Period(first, _add_months(first, months))


def _add_months(day: date, months: int) -> date:
    number = day.year * _DECEMBER + day.month - 1 + months
    return date(number // _DECEMBER, number % _DECEMBER + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)
