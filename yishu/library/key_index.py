"""The compact key index: from a key to its row in milliseconds, at any kept version.

Each data file of a table has one small file beside it under ``_keys``: the sorted 64-bit hashes
of its keys and, in the same order, the rows that have them; 12 bytes a row, read through memory
maps. Data files never change, so versions share them, and a publication indexes only what it
wrote. A lookup asks each file of the version, then reads the one row group that holds the row.
Where an index file is missing or damaged the keys are read from the data file: the answer is the
same, the first one is slower.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from yishu.library.commit import Recorded, recorded
from yishu.library.engine import BATCH_ROWS
from yishu.library.errors import ColumnMissing, LibraryUnwritable
from yishu.library.key_hash import hash_keys
from yishu.library.place import Place, make_private, open_version, write_private

FOLDER = "_keys"
"""Inside the table's folder; vacuum and other readers leave names with an underscore alone."""

KEY = "key"
"""Name of the fact beside a commit that holds the key's columns, separated by commas."""

ROWS_IN_GROUP = 4096
"""Rows of one row group of a data file: a lookup decodes one, in 2 to 3 ms at sixteen columns."""

_HEAD = struct.Struct("<8s16sQ")
_MAGIC = b"YSKEYS1\0"
_HASH, _ROW = np.dtype("<u8"), np.dtype("<u4")


@dataclass(frozen=True)
class KeyIndex:
    """One version of a table, opened to look keys up; safe to share between threads.

    Attributes:
        version: The version that it speaks of, whatever is published meanwhile.
        key: The columns of the key.
        schema: The columns of the table.
    """

    place: Place
    version: int
    key: tuple[str, ...]
    schema: pa.Schema
    _files: tuple["_File", ...] = field(repr=False)

    def row(self, key: Mapping[str, Any], columns: Sequence[str] | None = None) -> pa.Table:
        """The row of a key, provenance included: none or one.

        Args:
            key: Every column of the key and its value, also as text; a text that the column
                cannot hold finds nothing.
            columns: Which columns, in this order; None is all.

        Raises:
            ColumnMissing: the key lacks a column, or has or asks for one that there is not.
        """
        wanted = self._wanted(key, columns)
        values = self._values(key)
        if values is not None:
            (sought,) = hash_keys(values)
            needed = list(dict.fromkeys([*wanted.names, *self.key]))
            for file in self._files:
                for position in file.rows_of(sought):
                    found = file.row(position, needed)
                    if all(
                        found[name][0] == value[0]
                        for name, value in zip(self.key, values, strict=True)
                    ):
                        return found.select(wanted.names).cast(wanted)
        return wanted.empty_table()

    def holds(self, key: Mapping[str, Any]) -> bool:
        """Whether the version has a row of that key."""
        return bool(self.row(key, self.key).num_rows)

    def is_newest(self) -> bool:
        """Whether no later commit of the table exists; costs one look at the file system."""
        later = self.place.path / "_delta_log" / f"{self.version + 1:020d}.json"
        return not later.exists()

    def newest(self) -> "KeyIndex":
        """The index of the newest version: itself, or another one that is opened now."""
        return self if self.is_newest() else open_key_index(self.place.root, self.place.table)

    def _wanted(self, key: Mapping[str, Any], columns: Sequence[str] | None) -> pa.Schema:
        asked = list(self.schema.names if columns is None else columns)
        strange = sorted(set(asked).difference(self.schema.names) | set(key) ^ set(self.key))
        if strange:
            raise ColumnMissing(
                self.place.table,
                found=f"a question about {', '.join(strange)}",
                expected=f"a value for each of {', '.join(self.key)}, "
                f"and columns among {', '.join(self.schema.names)}",
                remedy="give the whole key; for other conditions read the table",
            )
        return pa.schema([self.schema.field(name) for name in asked])

    def _values(self, key: Mapping[str, Any]) -> list[pa.Array] | None:
        """The key as arrays of one value; None where the columns cannot hold it."""
        kinds = [self.schema.field(name).type for name in self.key]
        try:
            return [
                pa.array([key[name]]).cast(kind) for name, kind in zip(self.key, kinds, strict=True)
            ]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            return None


def open_key_index(root: Path, table: str, version: int | None = None) -> KeyIndex:
    """Open a version of a table (None: the newest) to look keys up.

    Raises:
        TableMissing, VersionMissing: there is no such table or version.
    """
    place = Place(root, table)
    opened = open_version(place, version)
    schema = pa.schema(opened.schema())
    key = key_at(recorded(place.open()), opened.version())
    files = tuple(_File(place, Path(path), key) for path in place.files(opened))
    return KeyIndex(place, opened.version(), key, schema, files)


def key_at(publications: Iterable[Recorded], version: int) -> tuple[str, ...]:
    """The columns of the key at a version; none for a table that was never published by us."""
    for one in publications:
        if one.commit.version <= version and KEY in one.metadata:
            return tuple(str(one.metadata[KEY]).split(","))
    return ()


def index_files(place: Place, opened: DeltaTable, key: Sequence[str]) -> int:
    """Write what is missing of the index of an opened version; how many files that was.

    Only under the table's lock. Safe to call again whatever came of an earlier call.

    Raises:
        LibraryUnwritable: no space; retryable, the version itself is published.
    """
    wanting = [
        file
        for path in place.files(opened)
        if (file := _File(place, Path(path), tuple(key))).stored() is None
    ]
    try:
        for file in wanting:
            file.store()
    except OSError as error:
        raise LibraryUnwritable(
            place.table,
            found=f"{type(error).__name__} while writing the key index",
            expected="a folder that can be written, with free disk space",
            remedy="the version is published; free some space, then run again for its index",
        ) from error
    return len(wanting)


def drop_orphans(place: Place) -> int:
    """Remove index files whose data file is gone; how many. Only under the table's lock."""
    orphans = [
        path
        for path in (place.path / FOLDER).glob("*.keys")
        if not (place.path / path.name.rsplit(".", 2)[0]).exists()
    ]
    for path in orphans:
        path.unlink()
    return len(orphans)


@dataclass(frozen=True)
class _File:
    """One data file and the index of its keys."""

    place: Place
    path: Path
    key: tuple[str, ...]

    def rows_of(self, sought: np.uint64) -> list[int]:
        """Rows whose key has that hash, nearly always none or one."""
        hashes, rows = self._arrays
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

    def store(self) -> None:
        """Write the index file in one step."""
        hashes, rows = self._computed()
        made = self._target.with_suffix(".partial")
        make_private(made.parent)
        with made.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, self._mark, len(hashes)))
            file.write(hashes.data)
            file.write(rows.data)
        write_private(made, self._target)

    def stored(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The arrays of the index file, mapped; None when it is missing or not whole."""
        try:
            content = np.memmap(self._target, np.uint8, "r")
        except (FileNotFoundError, ValueError):
            return None
        if len(content) < _HEAD.size:
            return None
        magic, mark, count = _HEAD.unpack(bytes(content[: _HEAD.size]))
        middle = _HEAD.size + count * _HASH.itemsize
        is_whole = len(content) == middle + count * _ROW.itemsize
        if magic != _MAGIC or mark != self._mark or not is_whole:
            return None
        plain = np.asarray(content)
        return plain[_HEAD.size : middle].view(_HASH), plain[middle:].view(_ROW)

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return self.stored() or self._computed()

    def _computed(self) -> tuple[np.ndarray, np.ndarray]:
        with pq.ParquetFile(self.path) as file:
            batches = file.iter_batches(BATCH_ROWS, columns=list(self.key))
            parts = [hash_keys([batch[name] for name in self.key]) for batch in batches]
        hashes = np.concatenate([np.empty(0, _HASH), *parts]).astype(_HASH, copy=False)
        order = np.argsort(hashes)
        return hashes[order], order.astype(_ROW)

    @property
    def _mark(self) -> bytes:
        """Tells indexes by one key from those by another."""
        return sha256("\0".join(self.key).encode()).digest()[:16]

    @property
    def _target(self) -> Path:
        # Another key of the same file, e.g. seen by a reader of an older version, is another index.
        return self.place.path / FOLDER / f"{self.path.name}.{self._mark.hex()[:8]}.keys"

    @cached_property
    def _footer(self) -> pq.FileMetaData:
        return pq.read_metadata(self.path)

    @cached_property
    def _group_starts(self) -> np.ndarray:
        groups = range(self._footer.num_row_groups)
        counts = [0, *(self._footer.row_group(group).num_rows for group in groups)]
        return np.cumsum(counts)[:-1]
