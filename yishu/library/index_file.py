"""The index of one data file: what its rows are known by, and where the row of a key is.

    _keys/<data file>.<mark of the key>.keys
    head | hashes of keys, ascending | row of each | other hash of each | hash of each's content

24 bytes a row, read through memory maps; a lookup touches the first two arrays alone. Data files
never change, so an index file is written once. Where it is missing, damaged or of another kind,
the data file itself is read: the answer is the same.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from yishu.library.engine import BATCH_ROWS
from yishu.library.key_hash import hash_keys
from yishu.library.place import make_private, write_private
from yishu.library.row_hash import (
    CONTENT,
    KEY,
    OTHER,
    ROW,
    RowHasher,
    RowHashes,
    SortedHashes,
    ascending,
    content_mark,
)  # fmt: skip

FOLDER = "_keys"
"""Inside the table's folder; vacuum and other readers leave names with an underscore alone."""

SUFFIX = ".keys"

_HEAD = struct.Struct("<8s16s8sQ")
_MAGIC = b"YSKEYS2\0"
_ARRAYS = (KEY, ROW, OTHER, CONTENT)


@dataclass(frozen=True)
class Indexed:
    """The rows of a data file, ascending by the first hash of their keys.

    Attributes:
        rows: Where in the file each of them is, from 0.
    """

    hashes: RowHashes
    rows: np.ndarray


@dataclass(frozen=True)
class DataFile:
    """One data file of a table with this key and these columns, and its index."""

    path: Path
    key: tuple[str, ...]
    schema: pa.Schema

    def rows_of(self, sought: np.uint64) -> list[int]:
        """Rows whose key has that hash, nearly always none or one."""
        hashes, rows = self._places
        start, stop = np.searchsorted(hashes, sought), np.searchsorted(hashes, sought, "right")
        return [int(row) for row in rows[start:stop]]

    def row(self, position: int, columns: Sequence[str]) -> pa.Table:
        """One row of the data file."""
        starts = self._group_starts
        group = int(np.searchsorted(starts, position, "right")) - 1
        # The footer is kept and the file is not, so that a city of tables needs no open files.
        with pq.ParquetFile(self.path, metadata=self._footer) as file:
            rows = file.read_row_group(group, columns=list(columns), use_threads=False)
        return rows.select(columns).slice(position - int(starts[group]), 1)

    def indexed(self) -> Indexed:
        """All that is known of the rows, from the index file or else from the rows."""
        stored = self._stored()
        if stored is None or stored.mark != content_mark(self.schema.names):
            return self._hashed()
        keys, rows, others, contents = stored.arrays
        return Indexed(RowHashes(keys, others, contents), rows)

    def hashes_of(self, wanted: np.ndarray) -> RowHashes:
        """The hashes of the wanted rows (a flag for each row of the file)."""
        found = self.indexed()
        return found.hashes.taken(wanted[found.rows])

    def is_indexed(self) -> bool:
        """Whether the index file is there, whole and of the present kind."""
        stored = self._stored()
        return stored is not None and stored.mark == content_mark(self.schema.names)

    def store(self, known: Sequence[SortedHashes] = ()) -> None:
        """Write the index file in one step.

        Args:
            known: Hashes of rows among which those of this file may be: then only its keys are
                read.
        """
        found = (self._among(known) if known else None) or self._hashed()
        mark = content_mark(self.schema.names)
        made = self._target.with_suffix(".partial")
        make_private(made.parent)
        with made.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, self._mark, mark, len(found.rows)))
            hashes = found.hashes
            for array in (hashes.keys, found.rows, hashes.others, hashes.contents):
                file.write(np.ascontiguousarray(array).data)
        write_private(made, self._target)

    def _among(self, known: Sequence[SortedHashes]) -> Indexed | None:
        """The rows of the file as they are known; None where hashes cannot tell them apart."""
        keys, rows = self._keys_read()
        found = RowHashes(keys, np.empty(len(keys), OTHER), np.empty(len(keys), CONTENT))
        for start in range(0, len(keys), BATCH_ROWS):
            if not _fill_in(found.taken(slice(start, start + BATCH_ROWS)), known):
                return None
        return Indexed(found, rows)

    def _stored(self) -> "_Stored | None":
        try:
            content = np.memmap(self._target, np.uint8, "r")
        except (FileNotFoundError, ValueError):
            return None
        if len(content) < _HEAD.size:
            return None
        magic, mark, contents, count = _HEAD.unpack(bytes(content[: _HEAD.size]))
        if magic != _MAGIC or mark != self._mark:
            return None
        ends = _HEAD.size + count * np.cumsum([kind.itemsize for kind in _ARRAYS])
        if len(content) != ends[-1]:
            return None
        plain = np.split(np.asarray(content), [_HEAD.size, *ends[:-1]])[1:]
        arrays = [part.view(kind) for part, kind in zip(plain, _ARRAYS, strict=True)]
        return _Stored(contents, arrays)

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Hashes of the keys, ascending, and the row of each."""
        stored = self._stored()
        return self._keys_read() if stored is None else (stored.arrays[0], stored.arrays[1])

    def _keys_read(self) -> tuple[np.ndarray, np.ndarray]:
        parts = (hash_keys([batch[one] for one in self.key]) for batch in self._batches(self.key))
        hashes = np.concatenate([np.empty(0, KEY), *parts])
        order = ascending(hashes)
        return hashes[order], order

    def _hashed(self) -> Indexed:
        hasher = RowHasher(self.key, self.schema.names, self._footer.num_rows)
        for batch in self._batches(self.schema.names):
            hasher.see(batch.cast(self.schema))
        found = hasher.hashes()
        return Indexed(found.taken(), found.rows)

    def _batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        # Reading ahead is for files far away; here it takes half as long again.
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
                yield batch.select(columns)

    @property
    def _mark(self) -> bytes:
        """Tells indexes by one key from those by another."""
        return sha256("\0".join(self.key).encode()).digest()[:16]

    @property
    def _target(self) -> Path:
        # Another key of the same file, e.g. seen by a reader of an older version, is another index.
        name = f"{self.path.name}.{self._mark.hex()[:8]}{SUFFIX}"
        return self.path.parent / FOLDER / name

    @cached_property
    def _footer(self) -> pq.FileMetaData:
        return pq.read_metadata(self.path)

    @cached_property
    def _group_starts(self) -> np.ndarray:
        groups = range(self._footer.num_row_groups)
        counts = [0, *(self._footer.row_group(group).num_rows for group in groups)]
        return np.cumsum(counts)[:-1]


@dataclass(frozen=True)
class _Stored:
    """What an index file says; ``mark`` is that of its hashes of contents."""

    mark: bytes
    arrays: list[np.ndarray]


def _fill_in(rows: RowHashes, known: Sequence[SortedHashes]) -> bool:
    """Fill in the other hashes of rows, by the first ones; whether each is known exactly once."""
    times = np.zeros(len(rows), np.int8)
    for some in filter(len, known):
        at = np.searchsorted(some.keys, rows.keys)
        after = np.minimum(at + 1, len(some) - 1)
        at[at == len(some)] = 0
        has = some.keys[at] == rows.keys
        hashes = some.taken(at[has])
        rows.others[has], rows.contents[has] = hashes.others, hashes.contents
        times += has
        times += (after > at) & (some.keys[after] == rows.keys)
    return bool((times == 1).all())
