"""Working days of the People's Republic: weekends, holidays, make-up workdays, local days.

The day of receipt is not counted (Civil Code Art.201), a last day on a holiday moves on (Art.203),
and working days are without statutory holidays (Administrative Licensing Law Art.82). Days are
days in Beijing. Years without a published notice are computed from weekends and statutory days;
whatever rests on them is provisional.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from yishu.clocks.errors import MomentWithoutZone, OutsideCalendar
from yishu.clocks.table import SATURDAY, DayKind, DayTable, LocalKind

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""No summer time since 1991, and no clock is older."""

_WARN_FROM = (11, 1)
"""Next year's notice comes around November."""


def beijing_day(moment: datetime) -> date:
    """The day in Beijing on which a moment lies.

    Raises:
        MomentWithoutZone: the moment does not say its zone.
    """
    if moment.tzinfo is None:
        raise MomentWithoutZone(
            "a moment",
            found=moment.isoformat(),
            expected="a moment with its time zone",
            remedy="take it from datetime.now(UTC), never from a clock without a zone",
        )
    return moment.astimezone(BEIJING).date()


class WorkingDays:
    """The calendar: add n, count between, next; every answer in constant time.

    ``version`` names its content; a due date is kept together with it (SUP-05).
    """

    def __init__(self, table: DayTable) -> None:
        self._off = _exceptions(table)
        self.covered = frozenset(table.notices)
        self._first = date(min(table.notices), 1, 1)
        last_year = max((*table.notices, *(day.year for day in table.statutory)))
        self._last = date(last_year, 12, 31)
        self.version = _version(self._off, self.covered)
        self._start = self._first.toordinal()
        self._rank: list[int] = []
        """Working days from the first day up to each day, that day included."""
        self._working: list[date] = []
        for ordinal in range(self._start, self._last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            if not self._off.get(day, day.weekday() >= SATURDAY):
                self._working.append(day)
            self._rank.append(len(self._working))

    def is_working(self, day: date) -> bool:
        """Whether offices work on that day.

        Raises:
            OutsideCalendar: nothing is known about it.
        """
        rank = self._rank_of(day)
        return rank > 0 and self._working[rank - 1] == day

    def next(self, day: date) -> date:
        """That day if it is a working day, else the next one that is.

        Raises:
            OutsideCalendar: nothing is known about it.
        """
        return day if self.is_working(day) else self.add(day, 1)

    def add(self, day: date, days: int) -> date:
        """The last of so many working days after a day, which itself is not counted.

        With no days it is the day itself, or the next working day.

        Raises:
            OutsideCalendar: the answer lies where nothing is known.
        """
        if days == 0:
            return self.next(day)
        position = self._rank_of(day) + days - 1
        if position >= len(self._working):
            raise self._outside(f"{day} + {days} working days")
        return self._working[position]

    def count(self, after: date, until: date) -> int:
        """Working days after the one day up to the other, that one included; negative backwards.

        Raises:
            OutsideCalendar: nothing is known about one of the days.
        """
        return self._rank_of(until) - self._rank_of(after)

    def is_provisional(self, start: date, end: date) -> bool:
        """Whether a span reaches into a year that has no notice yet."""
        return not self.covered.issuperset(range(start.year, end.year + 1))

    def missing_year(self, today: date) -> int | None:
        """The year whose notice should be loaded by now: this one, or from November the next."""
        if today.year not in self.covered:
            return today.year
        is_season = (today.month, today.day) >= _WARN_FROM
        return today.year + 1 if is_season and today.year + 1 not in self.covered else None

    def _rank_of(self, day: date) -> int:
        position = day.toordinal() - self._start
        if not 0 <= position < len(self._rank):
            raise self._outside(str(day))
        return self._rank[position]

    def _outside(self, asked: str) -> OutsideCalendar:
        return OutsideCalendar(
            asked,
            found="a day about which nothing is known",
            expected=f"days from {self._first} to {self._last}",
            remedy="correct the date, or add statutory days to catalog/working_days/statutory.csv",
        )


def _exceptions(table: DayTable) -> dict[date, bool]:
    """Days that are not what their weekday says -> whether they are off; the last word counts."""
    off = {day: True for day in table.statutory if day.year not in table.notices}
    for year in sorted(table.notices):
        off |= {day.date: day.kind is DayKind.HOLIDAY for day in table.notices[year]}
    return off | {day.date: day.kind is LocalKind.DAY_OFF for day in table.local}


def _version(off: Mapping[date, bool], covered: frozenset[int]) -> str:
    text = f"{sorted(covered)}{sorted((day.isoformat(), value) for day, value in off.items())}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
