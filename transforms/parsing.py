"""One value's text to a number, day, instant or truth value: exactly, without guessing.

What cannot be read is ``None``. Nothing is rounded, cut off or guessed.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
"""The zone of a time that names none: all of China keeps Beijing time."""

NO_END = date(9999, 12, 31)
"""How an open end is stored."""

NO_END_SPELLINGS = (date(9999, 9, 9), NO_END)
"""Days by which departments say "no end", in any spelling of a day."""

_TRUE = frozenset({"是", "1", "Y", "YES", "T", "TRUE"})
_FALSE = frozenset({"否", "0", "N", "NO", "F", "FALSE"})
_INTEGER = re.compile(r"[+-]?(\d{1,30}|\d{1,3}(,\d{3}){1,9})(\.0*)?", re.ASCII)
_DECIMAL = re.compile(
    r"[+-]?(\d{1,60}|\d{1,3}(,\d{3}){1,19})?(\.\d{0,60})?([eE][+-]?\d{1,3})?", re.ASCII
)
_DAY = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))",
    re.ASCII,
)
_MIDNIGHT = re.compile(r"[ T]0{1,2}:00(:00(\.0{1,9})?)?", re.ASCII)
_INSTANT = re.compile(
    r"(?P<day>\S+?)[ T]?(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})0*)?)?"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.ASCII,
)
_PACKED = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})", re.ASCII)


def parse_integer(text: str) -> int | None:
    """A whole number of 64 bits; thousands commas and a fraction of zeros are allowed."""
    if _INTEGER.fullmatch(text) is None:
        return None
    value = int(text.partition(".")[0].replace(",", ""))
    return value if -(2**63) <= value < 2**63 else None


def parse_decimal(text: str, precision: int, scale: int) -> Decimal | None:
    """A decimal of at most that precision and scale; any further decimal but 0 is unreadable."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    try:
        sign, digits, exponent = Decimal(text.replace(",", "")).as_tuple()
    except InvalidOperation:
        return None
    units = int("".join(map(str, digits)))
    shift = int(exponent) + scale
    if shift < 0:
        units, rest = divmod(units, 10**-shift)
        if rest:
            return None
    elif units:
        units *= 10**shift
    if units >= 10**precision:
        return None
    return Decimal((sign if units else 0, tuple(map(int, str(units))), -scale))


def parse_day(text: str) -> date | None:
    """A day as 2020-01-02, 2020/1/2, 2020.1.2, 20200102 or 2020年1月2日."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_date(text: str, *, open_ended: bool) -> date | None:
    """A day, with a midnight after it or without; another time of day is unreadable.

    Year 9999 spellings of "no end" are ``NO_END`` where the item is open-ended, else unreadable.
    """
    head = text
    if ":" in text:
        start = max(text.find(" "), text.find("T"), 0)
        if _MIDNIGHT.fullmatch(text, start) is None:
            return None
        head = text[:start]
    day = parse_day(head)
    if day in NO_END_SPELLINGS:
        return NO_END if open_ended else None
    return day


def parse_timestamp(text: str) -> datetime | None:
    """An instant in UTC; a time without a zone is Beijing time, a day alone its first moment."""
    packed = _PACKED.fullmatch(text)
    if packed:
        text = f"{packed[1]} {packed[2]}:{packed[3]}:{packed[4]}"
    match = _INSTANT.fullmatch(text)
    day = parse_day(match["day"] if match else text)
    if day is None:
        return None
    try:
        local = datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)
        if match:
            local = local.replace(
                hour=int(match["hour"]),
                minute=int(match["minute"]),
                second=int(match["second"] or 0),
                microsecond=int((match["fraction"] or "").ljust(6, "0")),
                tzinfo=_zone(match["zone"]),
            )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_boolean(text: str) -> bool | None:
    """Yes or no, as 是/否, 1/0, Y/N or true/false in any case."""
    word = text.upper()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def _zone(text: str | None) -> tzinfo:
    if text is None:
        return LOCAL_ZONE
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
