"""What rows are known by: 64 and 32 bits of their key and 64 bits of their content, 20 bytes a row.

Two rows are of one key if both hashes of their keys are the same: of 50 million rows against as
many, two keys are taken for one once in 30 trillion times. The content's hash is DuckDB's, which
may change from version to version: what is kept of it is marked with the version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import duckdb
import numpy as np
import pyarrow as pa

from yishu.library.engine import connect, quote
from yishu.library.key_hash import hash_keys, other_hashes
from yishu.library.provenance import content_columns

KEY, OTHER, CONTENT = np.dtype("<u8"), np.dtype("<u4"), np.dtype("<u8")

_BLOCK_ROWS = 65_536
"""Rows whose content is hashed at once; with fewer, most of the time goes to asking."""


@dataclass(frozen=True)
class RowHashes:
    """The hashes of rows in some order, an array each: of the key, of the key again, of content."""

    keys: np.ndarray = field(repr=False)
    others: np.ndarray = field(repr=False)
    contents: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def taken(self, rows: "np.ndarray | slice") -> "RowHashes":
        """The hashes of these rows."""
        return RowHashes(self.keys[rows], self.others[rows], self.contents[rows])

    @classmethod
    def joined(cls, parts: Iterable["RowHashes"]) -> "RowHashes":
        """The hashes of all parts, one after the other."""
        every = list(parts)
        return cls(
            np.concatenate([np.empty(0, KEY), *(one.keys for one in every)]),
            np.concatenate([np.empty(0, OTHER), *(one.others for one in every)]),
            np.concatenate([np.empty(0, CONTENT), *(one.contents for one in every)]),
        )


@dataclass(frozen=True)
class SortedHashes:
    """The hashes of rows in ascending order of their keys' first hash.

    Attributes:
        rows: Where each of them is in the stream or file that they come from, from 0.
    """

    hashes: RowHashes
    rows: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, hashes: RowHashes) -> "SortedHashes":
        """Of hashes in the order of the stream or file."""
        order = ascending(hashes.keys)
        return cls(hashes.taken(order), order)


class RowHasher:
    """Takes batches of rows and hashes them in their order."""

    def __init__(self, key: Sequence[str], columns: Sequence[str]) -> None:
        self._key = key
        content = ", ".join(map(quote, content_columns(columns)))
        # The outer hash mixes what the inner one only chains from column to column.
        self._query = f"SELECT hash(hash({content})) AS content FROM block"
        # One thread: blocks are small, and rows stay in their order.
        self._engine = connect(threads=1)
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self._parts: list[RowHashes] = []

    def see(self, batch: pa.RecordBatch) -> None:
        """Take a batch down."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= _BLOCK_ROWS:
            self._hash()

    def sorted(self) -> SortedHashes:
        """The hashes of all rows seen; what was seen is given away."""
        self._hash()
        parts, self._parts = self._parts, []
        return SortedHashes.of(RowHashes.joined(parts))

    def _hash(self) -> None:
        if not self._rows:
            return
        block = pa.Table.from_batches(self._waiting)
        self._engine.register("block", block)
        contents = self._engine.execute(self._query).fetchnumpy()["content"]
        key = [block.column(name).combine_chunks() for name in self._key]
        self._parts.append(RowHashes(hash_keys(key), other_hashes(key), np.asarray(contents)))
        self._waiting, self._rows = [], 0


def ascending(keys: np.ndarray) -> np.ndarray:
    """The order that sorts hashes: that of ``np.argsort``, in a quarter of its time.

    Plain numbers are sorted much faster than places, so each place is sorted as the lower bits of
    its hash. The few that are alike in the upper bits alone are put right afterwards.
    """
    bits = np.uint64(len(keys).bit_length())
    places = np.arange(len(keys), dtype=KEY)
    packed = (keys >> bits << bits) | places
    packed.sort()
    order = (packed & np.uint64((1 << int(bits)) - 1)).astype(np.int64)
    found = keys[order]
    while len(wrong := np.flatnonzero(found[1:] < found[:-1])):
        if len(wrong) > len(keys) // 100 + 1:
            return np.argsort(keys)
        apart = wrong[np.diff(wrong, prepend=-2) > 1]
        for one in (order, found):
            one[apart], one[apart + 1] = one[apart + 1], one[apart]
    return order


def content_mark(columns: Sequence[str]) -> bytes:
    """Eight bytes that are the same where the hashes of contents can be compared."""
    told = "\0".join([duckdb.__version__, *content_columns(columns)])
    return sha256(told.encode()).digest()[:8]
