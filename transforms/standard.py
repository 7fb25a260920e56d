"""Raw columns to standard columns: type, null spelling, width, letter case, form of dates.

``read_column`` is the heart. It keeps, respells or gives up each value, and says which: a value
that cannot be read is a finding of validation, never dropped and never guessed here. Reading a
standard column again changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import CatalogEntry, DataItem
from catalog.vocabulary import DataType, ItemFormat
from transforms.column import TextReader, decide_no_end, in_calendar, to_utc
from transforms.parsing import LOCAL_ZONE
from transforms.text import Spelling, clean
from transforms.types import arrow_type

_UPPER_CASE = frozenset(
    {
        ItemFormat.USCC,
        ItemFormat.RESIDENT_ID,
        ItemFormat.LICENCE_IDENTIFIER,
        ItemFormat.BASIC_CODE,
        ItemFormat.IMPLEMENTATION_CODE,
        ItemFormat.HANDLING_ITEM_CODE,
        ItemFormat.ORGANISATION_CODE,
        ItemFormat.PASSPORT,
        ItemFormat.TRAVEL_PERMIT,
        ItemFormat.RESIDENCE_CARD,
    }
)

_MOST_AT_ONCE = 1 << 20

Hook = Callable[[pa.RecordBatch, CatalogEntry], pa.RecordBatch]


@dataclass(frozen=True)
class Reading:
    """A column as read.

    Attributes:
        values: In the item's standard Arrow type and canonical spelling; null where unreadable.
        unreadable: True where a raw value is there but cannot be read; None when there is none.
        respelled: How many readable values changed their spelling, null spellings included.
    """

    values: pa.ChunkedArray
    unreadable: pa.ChunkedArray | None
    respelled: int


def spelling(item: DataItem) -> Spelling:
    """How the text of an item is spelt; free text keeps its full-width characters."""
    if item.type is not DataType.STRING:
        return Spelling(fold=True)
    is_code = item.format is not None or item.code_list is not None
    return Spelling(fold=is_code, upper=item.format in _UPPER_CASE)


def read_column(raw: pa.ChunkedArray, item: DataItem) -> Reading:
    """Read a raw column of whatever type as the item's type."""
    reader = _Reader(item)
    parts = [reader.read(piece) for chunk in raw.chunks for piece in _pieces(chunk)]
    values = pa.chunked_array([part[0] for part in parts], arrow_type(item))
    unreadable = None
    if any(part[1] is not None for part in parts):
        unreadable = pa.chunked_array(
            [_none_of(values) if flags is None else flags for values, flags, _ in parts],
            pa.bool_(),
        )
    return Reading(values, unreadable, sum(part[2] for part in parts))


def standardise(batch: pa.RecordBatch, entry: CatalogEntry) -> pa.RecordBatch:
    """All items of the entry, in its order, as standard columns; unreadable values are null.

    Columns of the batch that are no items of the entry are left out. A department's peculiarities
    are in ``transforms/<department>.py``, whose ``standardise`` then has the last word.

    Raises:
        KeyError: an item of the entry has no column in the batch.
    """
    columns = [
        read_column(pa.chunked_array([batch.column(item.field)]), item).values
        for item in entry.items
    ]
    schema = pa.schema([(item.field, arrow_type(item)) for item in entry.items])
    table = pa.Table.from_arrays(columns, schema=schema).combine_chunks()
    standard = pa.RecordBatch.from_arrays(
        [_whole(column) for column in table.columns], schema=schema
    )
    hook = _hook(entry.provider_org)
    return standard if hook is None else hook(standard, entry)


@cache
def _hook(department: str) -> Hook | None:
    name = f"{__package__}.{department}"
    if department in _OWN_MODULES or find_spec(name) is None:
        return None
    hook: Hook = import_module(name).standardise
    return hook


_OWN_MODULES = frozenset({"column", "parsing", "standard", "text", "types"})


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)


def _pieces(chunk: pa.Array) -> list[pa.Array]:
    return [chunk.slice(start, _MOST_AT_ONCE) for start in range(0, len(chunk) or 1, _MOST_AT_ONCE)]


def _none_of(values: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(False), len(values))


class _Reader:
    """Reads pieces of one column; the state is only a memory of odd spellings."""

    def __init__(self, item: DataItem) -> None:
        self._item = item
        self._type = arrow_type(item)
        self._spelling = spelling(item)
        self._text = None if item.type is DataType.STRING else TextReader(item)

    def read(self, raw: pa.Array) -> tuple[pa.Array, pa.Array | None, int]:
        raw = _plain(raw)
        if pa.types.is_string(raw.type):
            return self._read_text(raw)
        values = self._typed(raw)
        if values is None:
            values, flags, _ = self._read_text(raw.cast(pa.string()))
            return values, flags, 0
        return values, _lost(raw, values), 0

    def _read_text(self, raw: pa.Array) -> tuple[pa.Array, pa.Array | None, int]:
        text, changed = clean(raw, self._spelling)
        if self._text is None:
            return text, None, _count(changed)
        values, odd = self._text.read(text)
        lost = _lost(text, values)
        respelled = changed if odd is None else odd if changed is None else pc.or_(changed, odd)
        if respelled is not None and lost is not None:
            respelled = pc.and_not(respelled, lost)
        return values, lost, _count(respelled)

    def _typed(self, raw: pa.Array) -> pa.Array | None:
        """Typed values to the item's type without a way through text, or None."""
        if self._item.type is DataType.DATE:
            return self._days(raw)
        if self._item.type is DataType.TIMESTAMP:
            return _instants(raw)
        if raw.type == self._type:
            return raw
        if pa.types.is_integer(raw.type) and self._item.type is DataType.INTEGER:
            return _cast_or_none(raw, self._type)
        return None

    def _days(self, raw: pa.Array) -> pa.Array | None:
        if pa.types.is_timestamp(raw.type):
            local = raw.cast(pa.timestamp(raw.type.unit, tz=LOCAL_ZONE.key)) if raw.type.tz else raw
            local = pc.local_timestamp(local) if raw.type.tz else local
            day = pc.floor_temporal(local, unit="day")
            at_midnight = pc.if_else(pc.equal(day, local), local, pa.scalar(None, local.type))
            raw = at_midnight.cast(pa.date32())
        elif pa.types.is_date64(raw.type):
            raw = raw.cast(pa.date32(), safe=False)
        return decide_no_end(raw, self._item) if pa.types.is_date32(raw.type) else None


def _instants(raw: pa.Array) -> pa.Array | None:
    if pa.types.is_date(raw.type):
        raw = raw.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(raw.type):
        return None
    kind = pa.timestamp("us", tz=raw.type.tz)
    times = raw.cast(kind, safe=False)
    if raw.type.tz:
        return in_calendar(times.cast(pa.timestamp("us", tz="UTC")))
    try:
        return to_utc(times)
    except pa.ArrowInvalid:
        return None


def _count(flags: pa.Array | None) -> int:
    return 0 if flags is None else pc.sum(flags).as_py() or 0


def _lost(before: pa.Array, after: pa.Array) -> pa.Array | None:
    """Which values were there before and are not after; None when there is none."""
    if before.null_count == after.null_count:
        return None
    return pc.and_(pc.is_null(after), pc.is_valid(before))


def _cast_or_none(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


def _plain(raw: pa.Array) -> pa.Array:
    """The same values without dictionary, view or 64-bit offsets; an all-null column as text."""
    if pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_decode()
    if (
        pa.types.is_large_string(raw.type)
        or pa.types.is_string_view(raw.type)
        or pa.types.is_null(raw.type)
    ):
        return raw.cast(pa.string())
    return raw
