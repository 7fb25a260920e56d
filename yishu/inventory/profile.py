"""What is in a table: types, lengths, null shares, candidate keys and code lists, personal data.

Judged on standard readings (`transforms.read_column`), the same that a pull will use: a date that
the pull cannot read is no date here either. Nothing of the sample is kept but counts, and the codes
of columns that hold nothing personal.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import pyarrow as pa
import pyarrow.compute as pc

from catalog.drift import Family, family_of
from catalog.identifiers import check
from catalog.model import CatalogView, DataItem
from catalog.vocabulary import DataType, ItemFormat, Mask, Sensitivity
from transforms.standard import Reading, read_column
from yishu.inventory.naming import unit_of
from yishu.inventory.personal import Finding, examine, is_address

READABLE = 0.98
"""Share of values that must read as a type; the others are faults of rows, not of the type."""

MOSTLY = 0.8
MOST_CODES = 50
LONGEST_CODE = 20
NARROWEST_CODE = 3
"""Digits of one width are a code from three on; fewer are counts and ages."""

ROWS_PER_CODE = 3
ROWS_PER_NUMBER = 20
"""Digits kept as text that come back so often are codes."""

MOST_KEY_CANDIDATES = 6
MOST_DECIMALS = 12
NEARLY = 0.98
"""Share of rows that a key with faults still tells apart."""
LONGEST_KEY = 64

_FORMATS = (
    ItemFormat.USCC,
    ItemFormat.RESIDENT_ID,
    ItemFormat.LICENCE_IDENTIFIER,
    ItemFormat.MOBILE_PHONE,
)
_NO_END = re.compile(r"9999(?:[-/.年]?(?:12|9)[-/.月]?(?:31|9))")
_SCALE = re.compile(r"\(\s*\d+\s*,\s*(\d+)\s*\)")
_LENGTH = re.compile(r"char[a-z ]*\(\s*(\d+)\s*\)", re.IGNORECASE)
_KEY_WORDS = re.compile(
    r"代码|编号|号码|证号|编码|主键|\b(?:id|no|code|bh|dm)\b|_id$", re.IGNORECASE
)
_BOOLEANS = frozenset({"是", "否", "true", "false"})
_MOMENT = re.compile(r"\d[ T](\d{1,2}:\d{2}(?::\d{2})?)")
_TYPED = {
    Family.INTEGER: DataType.INTEGER,
    Family.NUMBER: DataType.DECIMAL,
    Family.DATE: DataType.DATE,
    Family.TIMESTAMP: DataType.TIMESTAMP,
    Family.BOOLEAN: DataType.BOOLEAN,
}


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a table.

    Attributes:
        source_type: Its type as the source calls it.
        rows: Rows looked at; ``nulls`` of them hold none, in whatever spelling.
        distinct: Different values.
        longest: Characters of the longest value.
        length: What the database declares, if it does.
        code_list: The city's list that holds all values.
        codes: The values, when they look like a code list that the city lacks.
        notes: What is messy and how it will be read; no value is quoted.
    """

    name: str
    source_type: str
    rows: int
    nulls: int
    distinct: int
    longest: int
    type: DataType
    personal: Finding
    length: int | None = None
    scale: int | None = None
    unit: str | None = None
    format: ItemFormat | None = None
    open_ended: bool = False
    code_list: str | None = None
    codes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_unique(self) -> bool:
        """Every row has a value of its own."""
        return self.rows > 0 and self.nulls == 0 and self.distinct == self.rows

    @property
    def is_nearly_unique(self) -> bool:
        """All but a few rows have one: a key with faults, which a pull would quarantine."""
        return self.rows > 0 and self.distinct >= NEARLY * self.rows


@dataclass(frozen=True)
class TableProfile:
    """A table, by a sample; ``is_whole`` when the sample is all of it."""

    columns: tuple[ColumnProfile, ...]
    rows: int
    is_whole: bool
    keys: tuple[tuple[str, ...], ...] = field(default=())


def profile(
    table: pa.Table, types: Sequence[str], catalog: CatalogView, *, is_whole: bool
) -> TableProfile:
    """Look at a sample of a table, its columns as the source has them."""
    columns = tuple(
        _column(name, kind, table.column(place), catalog)
        for place, (name, kind) in enumerate(zip(table.column_names, types, strict=True))
    )
    has_persons = any(one.personal.sensitivity is Sensitivity.SENSITIVE_PERSONAL for one in columns)
    columns = tuple(_with_address(one, table, has_persons) for one in columns)
    return TableProfile(columns, table.num_rows, is_whole, tuple(_keys(columns, table)))


def _column(name: str, kind: str, raw: pa.ChunkedArray, catalog: CatalogView) -> ColumnProfile:
    text = _text(raw)
    plain = _read(text, DataType.STRING).values
    values = [value for value in plain.unique().to_pylist() if value is not None]
    family = family_of(kind)
    type_, notes = _TYPED.get(family), list(_mess(text))
    scale = _SCALE.search(kind)
    format_, open_ended = None, False
    if type_ is None:
        format_ = _format(values)
        type_ = DataType.STRING if format_ else _type_of_text(values, len(raw))
        if type_ is not DataType.STRING:
            notes.append(f"{type_} kept as text")
    if type_ is DataType.DATE:
        open_ended = any(_NO_END.match(value) for value in values)
        notes += ["9999-… means no end"] if open_ended else []
    if format_ and any(value != value.upper() for value in values):
        notes.append("letters in lower case, read as capitals")
    unit, personal = unit_of(name), examine(name, values)
    if unit == "元" and type_ in (DataType.DECIMAL, DataType.INTEGER):
        type_ = DataType.MONEY
    digits = int(scale.group(1)) if scale else _scale(values)
    list_id, codes = (
        _codes(values, len(raw), personal, catalog)
        if type_ is DataType.STRING and not format_
        else (None, ())
    )
    declared = _LENGTH.search(kind)
    return ColumnProfile(
        name,
        kind,
        len(raw),
        plain.null_count,
        len(values),
        max(map(len, values), default=0),
        type_,
        personal,
        length=int(declared.group(1)) if declared else None,
        scale=min(digits, MOST_DECIMALS) if type_ is DataType.DECIMAL else None,
        unit=unit,
        format=format_,
        open_ended=open_ended,
        code_list=list_id,
        codes=codes,
        notes=tuple(notes),
    )


def _text(raw: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(raw.type):
        return raw
    if pa.types.is_binary(raw.type) or pa.types.is_large_binary(raw.type):
        return pa.chunked_array([pa.nulls(len(raw), pa.string())])
    return pc.cast(raw, pa.string())


def _read(text: pa.ChunkedArray, type_: DataType, **more: object) -> Reading:
    item = DataItem.model_validate(
        {"name": "x", "field": "x", "type": type_, "sensitivity": "none", **more}
    )
    return read_column(text, item)


def _mess(text: pa.ChunkedArray) -> Iterator[str]:
    spellings = {"\\n": r"literal \n", "\\N": r"literal \N", "NULL": "NULL", "null": "null"}
    for spelling, shown in spellings.items():
        if pc.any(pc.equal(text, spelling)).as_py():
            yield f"{shown} written for null"
    if pc.any(pc.equal(text, "")).as_py():
        yield "empty text, read as null"


def _format(values: Sequence[str]) -> ItemFormat | None:
    for format_ in _FORMATS:
        good = sum(check(format_, value.strip().upper()) for value in values)
        if values and good / len(values) >= MOSTLY:
            return format_
    return None


def _type_of_text(values: Sequence[str], rows: int) -> DataType:
    """What text holds throughout: numbers with leading zeros or of one width are codes."""
    if values and {value.lower() for value in values} <= _BOOLEANS:
        return DataType.BOOLEAN
    if not values or not all(re.search(r"\d", value) for value in values):
        return DataType.STRING
    text = pa.chunked_array([pa.array(values, pa.string())])
    if _reads(text, DataType.DATE, open_ended=True) and _are_days(values):
        return DataType.DATE
    if any(_MOMENT.search(value) for value in values) and _reads(text, DataType.TIMESTAMP):
        return DataType.TIMESTAMP
    return _number(values, text, rows)


def _number(values: Sequence[str], text: pa.ChunkedArray, rows: int) -> DataType:
    is_list = len(values) <= MOST_CODES and rows >= ROWS_PER_NUMBER * len(values)
    if _are_codes(values) or (is_list and all(value.isdecimal() for value in values)):
        return DataType.STRING
    if _reads(text, DataType.INTEGER):
        return DataType.INTEGER
    scale = min(_scale(values), MOST_DECIMALS)
    is_decimal = _reads(text, DataType.DECIMAL, scale=scale)
    return DataType.DECIMAL if is_decimal else DataType.STRING


def _reads(text: pa.ChunkedArray, type_: DataType, **more: object) -> bool:
    unreadable = _read(text, type_, **more).unreadable
    bad = pc.sum(unreadable).as_py() if unreadable is not None else 0
    return bool(bad <= (1 - READABLE) * len(text))


def _are_days(values: Sequence[str]) -> bool:
    """Long enough for a day, and no time of day but midnight."""
    times = [found.group(1) for value in values if (found := _MOMENT.search(value))]
    return min(map(len, values)) >= len("2020-1-1") and all(
        set(time) <= {"0", ":"} for time in times
    )


def _are_codes(values: Sequence[str]) -> bool:
    digits = [value for value in values if value.isdecimal()]
    if any(len(value) > 1 and value.startswith("0") for value in digits):
        return True
    widths = {len(value) for value in digits}
    return len(digits) == len(values) > 1 and len(widths) == 1 and min(widths) >= NARROWEST_CODE


def _scale(values: Sequence[str]) -> int:
    decimals = [value.partition(".")[2] for value in values]
    return max((len(part) for part in decimals if part.isdecimal()), default=0)


def _codes(
    values: Sequence[str], rows: int, personal: Finding, catalog: CatalogView
) -> tuple[str | None, tuple[str, ...]]:
    """The city's list that holds every value, or the values of a list that it lacks."""
    is_list = 0 < len(values) <= MOST_CODES and rows >= ROWS_PER_CODE * len(values)
    is_list = is_list and max(map(len, values)) <= LONGEST_CODE
    if not is_list or personal.sensitivity is not Sensitivity.INTERNAL:
        return None, ()
    fitting = [one for one in catalog.code_lists.values() if set(values) <= set(one.codes)]
    # Lists of 1, 2, 3 fit by chance; longer codes do not.
    if any(len(value) >= NARROWEST_CODE for value in values):
        best = min(fitting, key=lambda one: len(one.codes), default=None)
        if best:
            return best.id, ()
    return None, tuple(sorted(values))


def _with_address(one: ColumnProfile, table: pa.Table, has_persons: bool) -> ColumnProfile:
    """Addresses beside persons are theirs; those of enterprises are not personal."""
    if not has_persons or one.type is not DataType.STRING:
        return one
    if one.personal.sensitivity is not Sensitivity.INTERNAL:
        return one
    values = [value for value in _text(table.column(one.name)).unique().to_pylist() if value]
    if not is_address(values):
        return one
    finding = Finding(Sensitivity.PERSONAL, Mask.ADDRESS, "addresses beside resident ids")
    return replace(one, personal=finding, codes=(), code_list=None)


def _keys(columns: Sequence[ColumnProfile], table: pa.Table) -> Iterator[tuple[str, ...]]:
    """Columns that tell every row apart, the likeliest first; else pairs that do."""
    fitting = [
        one
        for one in columns
        if 0 < one.longest <= LONGEST_KEY
        and one.type in (DataType.STRING, DataType.INTEGER, DataType.DATE)
    ]
    single = [one for one in fitting if one.is_unique and one.type is not DataType.DATE]
    # Real keys have faults: a few repeated or missing ones do not make another column the key.
    single += [
        one
        for one in fitting
        if one.is_nearly_unique and not one.is_unique and _looks_like_key(one)
    ]
    if single:
        yield from ((one.name,) for one in sorted(single, key=_rank))
        return
    whole = [one for one in fitting if one.nulls == 0 and one.rows > 0]
    likeliest = sorted(whole, key=lambda one: -one.distinct)[:MOST_KEY_CANDIDATES]
    for pair in combinations(likeliest, 2):
        names = [one.name for one in pair]
        if table.select(names).group_by(names).aggregate([]).num_rows == table.num_rows:
            yield tuple(names)


def _looks_like_key(one: ColumnProfile) -> bool:
    return one.format is not None or bool(_KEY_WORDS.search(one.name))


def _rank(one: ColumnProfile) -> tuple[bool, bool, bool, bool, int]:
    is_name = one.personal.mask in (Mask.NAME, Mask.PHONE, Mask.ADDRESS)
    return is_name, one.format is None, not one.is_unique, not _looks_like_key(one), one.longest
