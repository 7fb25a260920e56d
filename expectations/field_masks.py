"""The predicates of checks that only this field has: documents, dates, money, sex, wording.

As in ``masks``: whole Arrow columns in, True where a value is right, null is right.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.vocabulary import ItemFormat
from expectations import masks
from expectations.masks import Mask

DOCUMENTS: Mapping[str, ItemFormat] = {
    "001": ItemFormat.USCC,
    "111": ItemFormat.RESIDENT_ID,
    "414": ItemFormat.PASSPORT,
    "511": ItemFormat.TRAVEL_PERMIT,
    "516": ItemFormat.TRAVEL_PERMIT,
    "553": ItemFormat.RESIDENCE_CARD,
}
"""Types of identity documents (GA/T 2000.156) whose numbers have a rule; other types have none."""

NO_END = "9999"
"""Year that means "no end": ``9999-12-31``, and ``9999-9-9`` where departments write it so."""

_DATE = (
    r"^(?P<year>\d{4})(?:-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})|/(?P<m2>\d{1,2})/(?P<d2>\d{1,2})"
    r"|年(?P<m3>\d{1,2})月(?P<d3>\d{1,2})日|(?P<m4>\d{2})(?P<d4>\d{2}))$"
)
_AMOUNT = r"^[-+]?\d{1,3}(?:,\d{3})*(?:\.\d+)?$|^[-+]?\d+(?:\.\d+)?$"
_SEX_DIGIT = 16
_WOMAN, _MAN = "2", "1"


def is_date(values: pa.ChunkedArray, *, open_ended: bool, not_after: str | None) -> Mask:
    """True where a text is a day of the calendar in a spelling that departments use.

    Args:
        values: Texts such as ``2026-1-5``, ``2026/01/05``, ``2026年1月5日``, ``20260105``.
        open_ended: Whether ``9999-9-9`` and ``9999-12-31``, "no end", are right too.
        not_after: The last day that is right, ISO; "no end" is not held to it. None: any.
    """
    if values.null_count == len(values):
        return masks.every_value(len(values), right=True)
    text = masks.as_text(values)
    parts = pc.extract_regex(text, _DATE)
    number = {name: _part(parts, name) for name in ("m", "d")}
    year = pc.struct_field(parts, "year")
    days = _days(year, number["m"], number["d"])
    right = pc.is_valid(days)
    if not_after is not None:
        limit = pa.scalar(date.fromisoformat(not_after))
        right = pc.and_(right, pc.fill_null(pc.less_equal(days, limit), False))
    endless = pc.fill_null(pc.equal(year, NO_END), False)
    right = pc.if_else(endless, pc.and_(pc.is_valid(days), open_ended), right)
    return _settled(right, text)


def _part(parts: pa.ChunkedArray, which: str) -> pa.ChunkedArray:
    """The month or day of whichever spelling matched; the others are empty."""
    found = [pc.struct_field(parts, f"{which}{number}") for number in (1, 2, 3, 4)]
    given = [pc.if_else(pc.equal(one, ""), pa.scalar(None, pa.string()), one) for one in found]
    return pc.utf8_lpad(pc.coalesce(*given), 2, "0")


def _days(year: pa.ChunkedArray, month: pa.ChunkedArray, day: pa.ChunkedArray) -> pa.ChunkedArray:
    """The days; null where the text is none of the calendar's, such as 30 February."""
    text = pc.binary_join_element_wise(year, month, day, "-")
    time = pc.strptime(text, format="%Y-%m-%d", unit="s", error_is_null=True)
    # The parser lets 31 April through as 1 May: only what reads back the same is a day.
    same = pc.equal(pc.strftime(time, format="%Y-%m-%d"), text)
    return pc.if_else(same, time, pa.scalar(None, time.type)).cast(pa.date32())


def is_money(values: pa.ChunkedArray, *, unit: str) -> Mask:
    """True where a text is an amount without a unit, or with the very unit of the item.

    ``100`` and ``100万元`` are right for 万元; ``100元`` is not: it is a ten-thousandth of it.
    """
    text = masks.as_text(values)
    bare = pc.replace_substring_regex(text, rf"\s*{re.escape(unit)}$", "")
    return _settled(pc.match_substring_regex(bare, _AMOUNT), text)


def not_future(values: pa.ChunkedArray, *, not_after: str, open_ended: bool) -> Mask:
    """True where a date or moment is not after a day (ISO), or is the "no end" of open ones."""
    if values.null_count == len(values):
        return masks.every_value(len(values), right=True)
    days = values.cast(pa.date32(), safe=False)
    right = pc.less_equal(days, pa.scalar(date.fromisoformat(not_after)))
    if open_ended:
        right = pc.or_(right, pc.equal(pc.year(days), int(NO_END)))
    return _settled(right, values)


def sum_at_most(columns: Sequence[pa.ChunkedArray]) -> Mask:
    """True where the sum of all columns but the last is not above the last; null counts as 0.

    A row without the last value is right: its absence is a check of its own.
    """
    *parts, limit = columns
    if limit.null_count == len(limit):
        return masks.every_value(len(limit), right=True)
    total = None
    for part in parts:
        zero = pa.scalar(Decimal(0) if pa.types.is_decimal(part.type) else 0, part.type)
        filled = pc.fill_null(part, zero)
        total = filled if total is None else pc.add(total, filled)
    return _settled(pc.less_equal(total, limit), limit)


def sex_agrees(columns: Sequence[pa.ChunkedArray]) -> Mask:
    """True where a sex code (GB/T 2261.1) agrees with digit 17 of the resident ID number.

    0 and 9, unknown and not stated, agree with either; so does a number too short to say.
    """
    sex, number = (masks.as_text(column) for column in columns)
    digit = pc.utf8_slice_codeunits(number, _SEX_DIGIT, _SEX_DIGIT + 1)
    is_odd = pc.is_in(digit, value_set=pa.array(list("13579"), digit.type))
    is_digit = pc.is_in(digit, value_set=pa.array(list("0123456789"), digit.type))
    wrong = pc.or_(
        pc.and_(pc.equal(sex, _WOMAN), is_odd), pc.and_(pc.equal(sex, _MAN), pc.invert(is_odd))
    )
    return _settled(pc.invert(pc.and_(wrong, is_digit)), sex)


def id_fits_type(columns: Sequence[pa.ChunkedArray]) -> Mask:
    """True where a document's number follows the rule of its type: (type, number)."""
    types, numbers = (masks.as_text(column) for column in columns)
    right = masks.every_value(len(types), right=True)
    for code, shape in DOCUMENTS.items():
        where = pc.fill_null(pc.equal(types, code), False)
        rows = np.flatnonzero(where.to_numpy())
        if len(rows):
            right[rows] = masks.follows(numbers.take(pa.array(rows)), shape)
    return right


def valid_on(
    columns: Sequence[pa.ChunkedArray], *, periods: Mapping[str, Sequence[str | None]]
) -> Mask:
    """True where a code was in force on the day beside it: (code, day).

    Args:
        columns: Codes, and dates.
        periods: Of codes that are not always in force, the first and the last day (ISO); None
            leaves a side open. Whether a code is in the list at all is another check's matter.
    """
    codes, days = columns
    if days.null_count == len(days):
        return masks.every_value(len(days), right=True)
    text = masks.as_text(codes)
    known = pa.array(list(periods), type=text.type)
    place = pc.index_in(text, value_set=known)
    first = pa.array([_day(p[0], date.min) for p in periods.values()], pa.date32()).take(
        place.combine_chunks()
    )
    last = pa.array([_day(p[1], date.max) for p in periods.values()], pa.date32()).take(
        place.combine_chunks()
    )
    on = days.cast(pa.date32(), safe=False)
    inside = pc.and_(pc.less_equal(first, on), pc.less_equal(on, last))
    return _settled(pc.fill_null(inside, True), text)


def _day(iso: str | None, otherwise: date) -> date:
    return date.fromisoformat(iso) if iso else otherwise


def exists_in(values: pa.ChunkedArray, *, files: Sequence[str], column: str) -> Mask:
    """True where a value is in a column of another table, given as Parquet files."""
    text = masks.as_text(values)
    known = [pq.read_table(file, columns=[column]).column(column).cast(text.type) for file in files]
    chunks = [chunk for one in known for chunk in one.chunks]
    value_set = pa.chunked_array(chunks, text.type).unique()
    return _settled(pc.is_in(text, value_set=value_set), text)


def is_clear(values: pa.ChunkedArray, *, words: Sequence[str]) -> Mask:
    """True where a text has none of the vague words (regular expressions, RE2 syntax)."""
    text = masks.as_text(values)
    if not words:
        return masks.every_value(len(text), right=True)
    pattern = "|".join(f"(?:{word})" for word in words)
    return _settled(pc.invert(pc.match_substring_regex(text, pattern)), text)


def _settled(right: pa.ChunkedArray | pa.Array, values: pa.ChunkedArray) -> Mask:
    """Answers where there is a value; a missing one is right."""
    answer = pc.or_(pc.fill_null(right, False), pc.is_null(values))
    whole = pa.chunked_array([answer]) if isinstance(answer, pa.Array) else answer
    mask: Mask = whole.to_numpy()
    return mask
