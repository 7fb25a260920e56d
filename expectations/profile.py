"""What a column holds, in numbers: taken in the same pass as its checks.

Values of persons never appear: minimum, maximum and the most frequent values are told of items
alone that the entry calls not sensitive; of the others, counts and lengths.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
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


class Profiling:
    """Takes the profile of a column, span by span; it does not depend on where these begin.

    Args:
        item: The data item, which says whether values may be told.
        rows: How many there are in all.
        distinct: Tells in the end how many different values there are, where a check keeps their
            hashes anyway; eight bytes a row need not be kept twice.
    """

    def __init__(
        self, item: DataItem, rows: int, distinct: Callable[[], int] | None = None
    ) -> None:
        self._field = item.field
        self._tells = item.sensitivity is Sensitivity.NONE
        self._rows = rows
        self._told_distinct = distinct
        self._nulls = 0
        self._unreadable = 0
        self._lengths: list[pa.ChunkedArray] = []
        self._bounds: list[pa.ChunkedArray] = []
        self._has_few: bool | None = None
        self._often_again = False
        self._counts: list[pa.StructArray] = []
        self._hashes = np.empty(0, dtype=np.uint64)
        self._hashed = 0

    def add(self, values: pa.ChunkedArray, unreadable: pa.ChunkedArray | None) -> None:
        """Take the next rows.

        Args:
            values: Standard values; null where none was given or it was unreadable.
            unreadable: True where a given value could not be read; None: all could.
        """
        self._nulls += values.null_count
        self._unreadable += 0 if unreadable is None else pc.sum(unreadable).as_py() or 0
        if _is_text(values.type):
            self._lengths.append(_ends(pc.utf8_length(values)))
        if self._tells:
            self._bounds.append(_ends(values))
        if self._has_few is None:
            sample = values.slice(0, _SAMPLE)
            different = len(pc.unique(sample))
            self._has_few = different <= MOST_LISTED
            self._often_again = different * 2 <= len(sample)
        if self._has_few:
            self._counts.append(pc.value_counts(values.drop_null()))
        elif self._told_distinct is None:
            self._hash(values)

    def _hash(self, values: pa.ChunkedArray) -> None:
        if not len(self._hashes):
            self._hashes = np.empty(self._rows, dtype=np.uint64)
        # Days, say: as many hashes as rows would be kept to tell a few thousand values.
        some = pa.chunked_array([pc.unique(values)]) if self._often_again else values
        hashes = masks.value_hashes(some)
        self._hashes[self._hashed : self._hashed + len(hashes)] = hashes
        self._hashed += len(hashes)

    def profile(self) -> ColumnProfile:
        """The profile of all rows; the object is used up."""
        counts = _summed(self._counts)
        shortest, longest = _outer(self._lengths)
        low, high = _outer(self._bounds)
        return ColumnProfile(
            field=self._field,
            rows=self._rows,
            nulls=self._nulls,
            unreadable=self._unreadable,
            distinct=len(counts) if self._has_few else self._distinct(),
            minimum=None if low is None else str(low),
            maximum=None if high is None else str(high),
            shortest=shortest,
            longest=longest,
            top=_top(counts) if self._tells else (),
        )

    def _distinct(self) -> int:
        if self._told_distinct is not None:
            return self._told_distinct()
        hashes, self._hashes = self._hashes[: self._hashed], np.empty(0, dtype=np.uint64)
        hashes.sort()
        return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + min(len(hashes), 1)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _ends(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The smallest and the largest value, in their own type."""
    found = pc.min_max(values)
    return pa.chunked_array([pa.array([found["min"].as_py(), found["max"].as_py()], values.type)])


def _outer(ends: Sequence[pa.ChunkedArray]) -> tuple[Any, Any]:
    """The smallest and the largest of all; None where there is no value."""
    if not ends:
        return None, None
    found = pc.min_max(pa.chunked_array([chunk for one in ends for chunk in one.chunks])).as_py()
    return found["min"], found["max"]


def _summed(counts: Sequence[pa.StructArray]) -> pa.StructArray:
    """Rows of each value, from those of the spans."""
    if len(counts) < 2:  # noqa: PLR2004
        return counts[0] if counts else pa.array([], pa.struct([]))
    every = pa.Table.from_struct_array(pa.chunked_array(counts))
    table = (
        every.group_by("values").aggregate([("counts", "sum")]).rename_columns(["values", "counts"])
    )
    return table.to_struct_array().combine_chunks()


def _top(counts: pa.StructArray) -> tuple[tuple[str, int], ...]:
    if len(counts) > MOST_LISTED:
        return ()
    named = [(str(one["values"]), int(one["counts"])) for one in counts.to_pylist()]
    return tuple(sorted(named, key=lambda one: (-one[1], one[0]))[:TOP])
