"""The table of working days: rows of notices and local orders, read and checked as a whole.

A notice of the State Council rules one year and single days of the December before it; only days
that differ from plain weekends, or are holidays by name, have a row.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from catalog.vocabulary import Labelled
from yishu.clocks.errors import CalendarFaulty

SATURDAY = 5
_DECEMBER = 12
_NOTICE_COLUMNS = ("year", "date", "kind", "name", "notice")
_LOCAL_COLUMNS = ("date", "kind", "name", "document")
_FIXED_DAYS = ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3))
"""Statutory in every year since 1999; a notice without them is not a whole one."""


class DayKind(Labelled):
    """What a row says of its day."""

    HOLIDAY = "holiday", "放假"
    MAKE_UP_WORKDAY = "make_up_workday", "调休上班"


class LocalKind(Labelled):
    """What an order of the city says of its day."""

    DAY_OFF = "day_off", "停工"
    WORKING = "working", "上班"


@dataclass(frozen=True)
class NoticeDay:
    """One day of the notice for ``year``; ``notice`` is its number, empty where not known."""

    year: int
    date: date
    kind: DayKind
    name: str
    notice: str


@dataclass(frozen=True)
class LocalDay:
    """One day that the city ordered off or on; ``document`` orders it."""

    date: date
    kind: LocalKind
    name: str
    document: str


Row = TypeVar("Row", NoticeDay, LocalDay)


@dataclass(frozen=True)
class DayTable:
    """Everything known about working days.

    Attributes:
        notices: Days of each year that has a notice.
        statutory: Statutory days of years that may have none yet.
        local: The city's own days; they rule over the rest.
    """

    notices: Mapping[int, Sequence[NoticeDay]]
    statutory: Sequence[date] = ()
    local: Sequence[LocalDay] = field(default=())


def read_table(folder: Path) -> DayTable:
    """The table of the catalog folder ``working_days``."""
    notices: dict[int, list[NoticeDay]] = {}
    for day in _notice_days("notices.csv", _text(folder / "notices.csv")):
        notices.setdefault(day.year, []).append(day)
    rows = _rows("statutory.csv", _text(folder / "statutory.csv"), ("date", "name"))
    return DayTable(
        notices=notices,
        statutory=[date.fromisoformat(row["date"]) for row in rows],
        local=read_local("local.csv", (folder / "local.csv").read_bytes()),
    )


def read_notice(name: str, content: bytes, year: int) -> list[NoticeDay]:
    """The days of the notice for a year, as a clerk saved them (UTF-8 or GB18030).

    Raises:
        CalendarFaulty: with everything that is wrong, line by line.
    """
    days = _notice_days(name, decoded(name, content))
    faults = [fault for day in days for fault in _misplaced(day, year)]
    given = {day.date for day in days if day.kind is DayKind.HOLIDAY}
    missing = [date(year, *month_day) for month_day in _FIXED_DAYS]
    faults += [f"{day} is no holiday in it" for day in missing if day not in given]
    faults += [f"{day.date} has no number of a notice" for day in days if not day.notice]
    _refuse(name, faults, f"the State Council's whole notice for {year}")
    return days


def read_local(name: str, content: bytes) -> list[LocalDay]:
    """The days that the city ordered.

    Raises:
        CalendarFaulty: with everything that is wrong, line by line.
    """

    def day(row: Mapping[str, str]) -> LocalDay:
        if not row["document"]:
            raise ValueError("no document that orders it")
        kind = LocalKind(row["kind"])
        return LocalDay(date.fromisoformat(row["date"]), kind, row["name"], row["document"])

    return _parsed(name, _rows(name, decoded(name, content), _LOCAL_COLUMNS), day)


def decoded(name: str, content: bytes) -> str:
    """The text of a file as a clerk saved it, in UTF-8 or GB18030.

    Raises:
        CalendarFaulty: it is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _faulty(name, "bytes that are neither UTF-8 nor GB18030", "a CSV file")


def _notice_days(name: str, text: str) -> list[NoticeDay]:
    def day(row: Mapping[str, str]) -> NoticeDay:
        when = date.fromisoformat(row["date"])
        return NoticeDay(int(row["year"]), when, DayKind(row["kind"]), row["name"], row["notice"])

    return _parsed(name, _rows(name, text, _NOTICE_COLUMNS), day)


def _misplaced(day: NoticeDay, year: int) -> Iterator[str]:
    is_before = (day.date.year, day.date.month) == (year - 1, _DECEMBER)
    if day.year != year or (day.date.year != year and not is_before):
        yield f"{day.date} of the notice for {day.year}"
    if day.kind is DayKind.MAKE_UP_WORKDAY and day.date.weekday() < SATURDAY:
        yield f"{day.date} is made up for although it is no weekend"


def _parsed(
    name: str, rows: Iterable[Mapping[str, str]], parse: Callable[[Mapping[str, str]], Row]
) -> list[Row]:
    days: dict[date, Row] = {}
    faults = []
    for number, row in enumerate(rows, 2):
        try:
            day = parse(row)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
            continue
        if day.date in days:
            faults.append(f"line {number}: {day.date} a second time")
        days[day.date] = day
    _refuse(name, faults, "one row a day, with a date like 2027-01-01 and a known kind")
    return list(days.values())


def _rows(name: str, text: str, columns: Sequence[str]) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text))
    if list(reader.fieldnames or ()) != list(columns):
        _refuse(name, [f"columns {reader.fieldnames}"], f"the columns {', '.join(columns)}")
    return [{key: (row[key] or "").strip() for key in columns} for row in reader]


def _text(path: Path) -> str:
    return decoded(path.name, path.read_bytes())


def _refuse(name: str, faults: Sequence[str], expected: str) -> None:
    if faults:
        raise _faulty(name, "; ".join(faults), expected)


def _faulty(name: str, found: str, expected: str) -> CalendarFaulty:
    return CalendarFaulty(
        name,
        found=found,
        expected=expected,
        remedy="compare the file with the published text and load it again; nothing was changed",
    )
