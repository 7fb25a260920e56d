"""Text columns to the item's type: whole pieces by Arrow where the spelling is standard.

A piece that Arrow cannot cast is split: values that are surely in the standard spelling are cast,
each distinct value of the rest is parsed once by ``transforms.parsing``.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import DataItem
from catalog.vocabulary import DataType
from transforms.parsing import (
    LOCAL_ZONE,
    NO_END,
    NO_END_SPELLINGS,
    parse_boolean,
    parse_date,
    parse_decimal,
    parse_integer,
    parse_timestamp,
)
from transforms.text import only
from transforms.types import arrow_type

Value = int | Decimal | date | datetime | bool

_MOST_REMEMBERED = 200_000

_FIRST_DAY, _LAST_DAY = date.min, date.max
_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)

# Arrow also reads 0x1F as a number, so the characters are looked at first.
_STANDARD_CHARACTERS = {
    DataType.INTEGER: "0123456789-",
    DataType.DECIMAL: "0123456789-.",
    DataType.MONEY: "0123456789-.",
    DataType.DATE: "0123456789-",
    DataType.TIMESTAMP: "0123456789-:. ",
}

_STANDARD_SPELLING = {
    DataType.INTEGER: r"^-?\d+$",
    DataType.DECIMAL: r"^-?\d+(\.\d+)?$",
    DataType.MONEY: r"^-?\d+(\.\d+)?$",
    DataType.TIMESTAMP: r"^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d+)?)?$",
    DataType.BOOLEAN: r"^(true|false)$",
}

_SURE_DAY = r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
_SURE = {
    DataType.INTEGER: r"^-?\d{1,18}$",
    DataType.DATE: f"^{_SURE_DAY}$",
    DataType.TIMESTAMP: rf"^{_SURE_DAY} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d$",
}


class TextReader:
    """Reads the clean text of one item; it remembers the odd values that it has seen."""

    def __init__(self, item: DataItem) -> None:
        self.type = arrow_type(item)
        self._item = item
        self._parse = _parser(item, self.type)
        self._sure = _SURE.get(item.type) or _sure_decimal(self.type)
        self._seen: dict[str, Value | None] = {}

    def read(self, values: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """Read a piece of text; what cannot be read is null.

        Returns:
            The values in the item's type, and which were not in the standard spelling
            (None: all were).
        """
        quick = self._cast(values)
        if quick is not None:
            return quick, None
        sure = pc.fill_null(pc.match_substring_regex(values, self._sure), False)
        quick = self._cast(values.filter(sure))
        if quick is None:
            return self._read_singly(values)
        unsure = pc.invert(sure)
        rest, rest_odd = self._read_singly(values.filter(unsure))
        found = pc.replace_with_mask(pa.nulls(len(values), self.type), sure, quick)
        odd = pc.replace_with_mask(pa.repeat(pa.scalar(False), len(values)), unsure, rest_odd)
        return pc.replace_with_mask(found, unsure, rest), odd

    def _cast(self, values: pa.Array) -> pa.Array | None:
        """All values at once, or None when one of them has to be looked at."""
        allowed = _STANDARD_CHARACTERS.get(self._item.type)
        if allowed is None or not only(values, allowed):
            return None
        try:
            if self._item.type is DataType.TIMESTAMP:
                return to_utc(values.cast(pa.timestamp("us")))
            found = values.cast(self.type)
        except pa.ArrowInvalid:
            return None
        if self._item.type is DataType.DATE and not settled(found, self._item):
            return None
        return found

    def _read_singly(self, values: pa.Array) -> tuple[pa.Array, pa.Array]:
        encoded = values.dictionary_encode()
        words = encoded.dictionary
        found = pa.array(map(self._remember, words.to_pylist()), self.type)
        if self._item.type is DataType.DATE:
            standard = pc.equal(found.cast(pa.string()), words)
        else:
            standard = pc.match_substring_regex(words, _STANDARD_SPELLING[self._item.type])
        odd = pc.fill_null(pc.invert(standard).take(encoded.indices), False)
        return found.take(encoded.indices), odd

    def _remember(self, word: str) -> Value | None:
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.clear()
        if word not in self._seen:
            self._seen[word] = self._parse(word)
        return self._seen[word]


def settled(days: pa.Array, item: DataItem) -> bool:
    """Whether no day is out of range or a spelling of "no end" that has to be decided about."""
    if len(days) == days.null_count:
        return True
    ends = pc.min_max(days.cast(pa.int32()))
    first, last = ends["min"].as_py(), ends["max"].as_py()
    if first < _epoch_day(_FIRST_DAY) or last > _epoch_day(_LAST_DAY):
        return False
    if last < _epoch_day(NO_END_SPELLINGS[0]):
        return True
    open_question = NO_END_SPELLINGS[:1] if item.open_ended else NO_END_SPELLINGS
    return not pc.any(pc.is_in(days, value_set=pa.array(open_question))).as_py()


def decide_no_end(days: pa.Array, item: DataItem) -> pa.Array:
    """Typed days, "no end" decided: ``NO_END`` or null; out of the calendar's range is null."""
    if settled(days, item):
        return days
    number = days.cast(pa.int32())
    in_range = pc.and_(
        pc.greater_equal(number, _epoch_day(_FIRST_DAY)),
        pc.less_equal(number, _epoch_day(_LAST_DAY)),
    )
    days = pc.if_else(in_range, days, pa.scalar(None, days.type))
    no_end = pc.is_in(days, value_set=pa.array(NO_END_SPELLINGS))
    return pc.if_else(no_end, pa.scalar(NO_END if item.open_ended else None, days.type), days)


def to_utc(times: pa.Array) -> pa.Array:
    """Times without a zone, in Beijing, to UTC; outside years 1 to 9999 is null.

    Raises:
        pyarrow.ArrowInvalid: a time that never was, skipped by summer time (1986 to 1991).
    """
    zoned = pc.assume_timezone(
        times, LOCAL_ZONE.key, ambiguous="earliest", nonexistent="raise"
    ).cast(pa.timestamp("us", tz="UTC"))
    return in_calendar(zoned)


def in_calendar(times: pa.Array) -> pa.Array:
    """Instants outside years 1 to 9999, e.g. PostgreSQL's infinity, become null."""
    kind = times.type
    inside = pc.and_(
        pc.greater_equal(times, pa.scalar(_FIRST_INSTANT, kind)),
        pc.less_equal(times, pa.scalar(_LAST_INSTANT, kind)),
    )
    if pc.all(inside).as_py() in (True, None):
        return times
    return pc.if_else(inside, times, pa.scalar(None, kind))


def _epoch_day(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _sure_decimal(kind: pa.DataType) -> str:
    if not pa.types.is_decimal(kind):
        return "^$"
    fraction = rf"(\.\d{{1,{kind.scale}}})?" if kind.scale else ""
    whole = max(kind.precision - kind.scale, 0)
    return rf"^-?\d{{1,{whole}}}{fraction}$" if whole else "^$"


def _parser(item: DataItem, kind: pa.DataType) -> Callable[[str], Value | None]:
    match item.type:
        case DataType.INTEGER:
            return parse_integer
        case DataType.DATE:
            return partial(parse_date, open_ended=item.open_ended)
        case DataType.TIMESTAMP:
            return parse_timestamp
        case DataType.BOOLEAN:
            return parse_boolean
        case _:
            return partial(parse_decimal, precision=kind.precision, scale=kind.scale)
