"""What rows are known by: 64 and 32 bits of their key and 64 bits of their content, 20 bytes a row.

Two rows are of one key if both hashes of their keys are the same: of 50 million rows against as
many, two keys are taken for one once in 30 trillion times. The content's hash is DuckDB's, which
may change from version to version: what is kept of it is marked with the version.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import duckdb
import numpy as np
import pyarrow as pa

from yishu.ahead import Behind
from yishu.library.engine import connect, quote
from yishu.library.key_hash import hash_keys, other_hashes
from yishu.library.provenance import content_columns

KEY, OTHER, CONTENT = np.dtype("<u8"), np.dtype("<u4"), np.dtype("<u8")
ROW = np.dtype("<u4")
"""Where a row is, from 0."""

_BLOCK_ROWS = 65_536
"""Rows whose content is hashed at once; with fewer, most of the time goes to asking."""

_SORTED_BITS = 23
"""Binary digits of the number of hashes that are sorted at once: eight million, 64 MB."""


@dataclass(frozen=True)
class RowHashes:
    """The hashes of rows in some order, an array each: of the key, of the key again, of content."""

    keys: np.ndarray = field(repr=False)
    others: np.ndarray = field(repr=False)
    contents: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def taken(self, rows: "np.ndarray | slice") -> "RowHashes":
        """The hashes of these rows; of a slice, where they are."""
        return RowHashes(self.keys[rows], self.others[rows], self.contents[rows])

    def followed_by(self, more: "RowHashes") -> "RowHashes":
        """These hashes and others after them."""
        return RowHashes(
            np.concatenate([self.keys, more.keys]),
            np.concatenate([self.others, more.others]),
            np.concatenate([self.contents, more.contents]),
        )

    @classmethod
    def empty(cls, rows: int) -> "RowHashes":
        """Room for the hashes of so many rows."""
        return cls(np.empty(rows, KEY), np.empty(rows, OTHER), np.empty(rows, CONTENT))


@dataclass(frozen=True)
class KeyedHashes:
    """The hashes of rows that came in some order, to be found by key.

    The other two are left in the order in which they came: sorted copies of all would be half a
    gigabyte for 50 million rows.

    Attributes:
        keys: The first hashes of the keys, ascending.
        rows: Where each of them is among the rows, from 0.
        others: The other hashes of the keys, as the rows came.
        contents: The hashes of the contents, as the rows came.
    """

    keys: np.ndarray = field(repr=False)
    rows: np.ndarray = field(repr=False)
    others: np.ndarray = field(repr=False)
    contents: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def taken(self, at: "np.ndarray | slice" = slice(None)) -> RowHashes:
        """The hashes at these places of ``keys``, in their order."""
        rows = self.rows[at]
        return RowHashes(self.keys[at], self.others[rows], self.contents[rows])

    @classmethod
    def of(cls, hashes: RowHashes) -> "KeyedHashes":
        """Of the hashes of rows as they came; their keys are sorted where they are."""
        order = ascending(hashes.keys)
        hashes.keys.sort()
        return cls(hashes.keys, order, hashes.others, hashes.contents)


SortedHashes = KeyedHashes | RowHashes
"""Hashes of rows that are ascending by the first hash of their keys."""


class RowHasher:
    """Takes batches of rows and hashes them in their order, in a thread beside its caller.

    Memory for all rows is asked for at once: many small pieces would leave as much again unused
    between them.
    """

    def __init__(self, key: Sequence[str], columns: Sequence[str], rows: int) -> None:
        """Args: the columns of the key, those of the rows, and about how many rows will come."""
        self._key = key
        content = ", ".join(map(quote, content_columns(columns)))
        # The outer hash mixes what the inner one only chains from column to column.
        self._query = f"SELECT hash(hash({content})) AS content FROM block"
        # One thread: blocks are small, and rows stay in their order.
        self._engine = connect(threads=1)
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._hashes = RowHashes.empty(rows)
        self._rows = 0
        self._behind = Behind()

    def see(self, batch: pa.RecordBatch) -> None:
        """Take a batch down."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= _BLOCK_ROWS:
            self._hand()

    def hashes(self) -> KeyedHashes:
        """The hashes of all rows seen; nothing may be seen afterwards."""
        if self._waiting:
            self._hand()
        self._behind.wait()
        return KeyedHashes.of(self._hashes.taken(slice(self._rows)))

    def _hand(self) -> None:
        self._behind.hand(self._hash, pa.Table.from_batches(self._waiting))
        self._waiting, self._waiting_rows = [], 0

    def _hash(self, block: pa.Table) -> None:
        self._engine.register("block", block)
        contents = self._engine.execute(self._query).fetchnumpy()["content"]
        key = [block.column(name).combine_chunks() for name in self._key]
        end = self._rows + block.num_rows
        if end > len(self._hashes):
            self._hashes = self._hashes.followed_by(RowHashes.empty(end))
        room = self._hashes.taken(slice(self._rows, end))
        room.keys[:], room.others[:] = hash_keys(key), other_hashes(key)
        room.contents[:] = contents
        self._rows = end


def ascending(keys: np.ndarray) -> np.ndarray:
    """The order that sorts hashes: that of ``np.argsort``, in a third of its time, half as large.

    Plain numbers are sorted much faster than places, so each place is sorted as the lower bits of
    its hash. The few that are alike in the upper bits alone are put right afterwards. Of many
    hashes one range is sorted after the other: of the room for all, only its part is then used.
    """
    order = np.empty(len(keys), ROW)
    room = np.empty(len(keys), KEY)
    ranges = 1 << max(0, len(keys).bit_length() - _SORTED_BITS)
    done = 0
    for number in range(ranges):
        packed = _packed(keys, number, ranges, room)
        packed.sort()
        packed &= _lower_bits(len(keys))
        order[done : done + len(packed)] = packed
        done += len(packed)
    while len(wrong := _descents(keys, order)):
        if len(wrong) > len(keys) // 100 + 1:
            return np.argsort(keys).astype(ROW)
        apart = wrong[np.diff(wrong, prepend=-2) > 1]
        order[apart], order[apart + 1] = order[apart + 1], order[apart]
    return order


def _packed(keys: np.ndarray, number: int, ranges: int, room: np.ndarray) -> np.ndarray:
    """The hashes in one of so many equal ranges, each with its place as its lower bits."""
    lower = _lower_bits(len(keys))
    shift = np.uint64(65 - ranges.bit_length())
    filled = 0
    for start in range(0, len(keys), _BLOCK_ROWS):
        some = keys[start : start + _BLOCK_ROWS]
        if ranges == 1:
            places = np.arange(len(some))
        else:
            places = np.flatnonzero(some >> shift == number)
            some = some[places]
        part = room[filled : filled + len(some)]
        np.bitwise_and(some, ~lower, out=part)
        places += start
        part |= places.view(KEY)
        filled += len(some)
    return room[:filled]


def _lower_bits(count: int) -> np.uint64:
    """The bits of a number below this one."""
    return np.uint64((1 << count.bit_length()) - 1)


def _descents(keys: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The places in an order after which a smaller key comes."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(order), _BLOCK_ROWS):
        some = keys[order[start : start + _BLOCK_ROWS + 1]]
        found.append(np.flatnonzero(some[1:] < some[:-1]) + start)
    return np.concatenate(found)


def content_mark(columns: Sequence[str]) -> bytes:
    """Eight bytes that are the same where the hashes of contents can be compared."""
    told = "\0".join([duckdb.__version__, *content_columns(columns)])
    return sha256(told.encode()).digest()[:8]
