"""What a column holds, in numbers: taken in the same pass as its checks.

Values of persons never appear: minimum, maximum and the most frequent values are told of items
alone that the entry calls not sensitive; of the others, counts and lengths.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import DataItem
from catalog.vocabulary import Sensitivity
from expectations import masks

MOST_LISTED = 1_000
"""A column of more distinct values has no most frequent ones worth a list."""

TOP = 50
_SAMPLE = 1 << 16


@dataclass(frozen=True)
class ColumnProfile:
    """Statistics of one column in standard form.

    Attributes:
        nulls: Rows without a readable value, the unreadable ones included.
        unreadable: Given values that could not be read as the item's type.
        distinct: Different values, by a 64-bit hash.
        minimum: Smallest value as text; None for sensitive items and empty columns.
        maximum: Largest value as text; None as for ``minimum``.
        shortest: Characters of the shortest text; None for other types and empty columns.
        longest: Characters of the longest text; None as for ``shortest``.
        top: The most frequent values and their rows, most frequent first, then by value; empty for
            sensitive items and for more than ``MOST_LISTED`` distinct values.
    """

    field: str
    rows: int
    nulls: int
    unreadable: int
    distinct: int
    minimum: str | None = None
    maximum: str | None = None
    shortest: int | None = None
    longest: int | None = None
    top: tuple[tuple[str, int], ...] = ()

    def record(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """The profile that ``record`` gave."""
        return cls(**{**record, "top": tuple((value, rows) for value, rows in record["top"])})


def profile(
    item: DataItem, values: pa.ChunkedArray, unreadable: pa.ChunkedArray | None
) -> ColumnProfile:
    """The profile of a column; it does not depend on how the column is chunked.

    Args:
        item: The data item, which says whether values may be told.
        values: Standard values; null where none was given or it was unreadable.
        unreadable: True where a given value could not be read; None: all could.
    """
    shortest, longest = _lengths(values)
    counts = _counts(values)
    low, high = (None, None)
    top: tuple[tuple[str, int], ...] = ()
    if item.sensitivity is Sensitivity.NONE:
        low, high = _bounds(values)
        top = _top(counts)
    return ColumnProfile(
        field=item.field,
        rows=len(values),
        nulls=values.null_count,
        unreadable=0 if unreadable is None else pc.sum(unreadable).as_py() or 0,
        distinct=masks.distinct(values) if counts is None else len(counts),
        minimum=low,
        maximum=high,
        shortest=shortest,
        longest=longest,
        top=top,
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _lengths(values: pa.ChunkedArray) -> tuple[int | None, int | None]:
    if not _is_text(values.type):
        return None, None
    found = pc.min_max(pc.utf8_length(values)).as_py()
    return found["min"], found["max"]


def _bounds(values: pa.ChunkedArray) -> tuple[str | None, str | None]:
    if values.null_count == len(values):
        return None, None
    found = pc.min_max(values).as_py()
    return str(found["min"]), str(found["max"])


def _counts(values: pa.ChunkedArray) -> pa.StructArray | None:
    """Rows of each value that is not null; None where the first rows already show too many."""
    if len(pc.unique(values.slice(0, _SAMPLE))) > MOST_LISTED:
        return None
    return pc.value_counts(values.drop_null())


def _top(counts: pa.StructArray | None) -> tuple[tuple[str, int], ...]:
    if counts is None or len(counts) > MOST_LISTED:
        return ()
    named = [(str(one["values"]), int(one["counts"])) for one in counts.to_pylist()]
    return tuple(sorted(named, key=lambda one: (-one[1], one[0]))[:TOP])
