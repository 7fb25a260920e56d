"""The key index of a table: from a key to its row in milliseconds, at any kept version.

Each data file has an index file (``index_file``). Versions share data files, so a publication
indexes only what it wrote. A lookup asks each file of the version, then reads the one row group
that holds the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from yishu.library.commit import Recorded, recorded
from yishu.library.errors import ColumnMissing, LibraryUnwritable
from yishu.library.index_file import FOLDER, SUFFIX, DataFile
from yishu.library.key_hash import hash_keys
from yishu.library.place import Place, open_version
from yishu.library.row_hash import SortedHashes

KEY = "key"
"""Name of the fact beside a commit that holds the key's columns, separated by commas."""

_THREADS = 2
"""Index files made at a time."""


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
    _files: tuple[DataFile, ...] = field(repr=False)

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
    return KeyIndex(place, opened.version(), key, schema, tuple(data_files(place, opened, key)))


def data_files(place: Place, opened: DeltaTable, key: Sequence[str]) -> list[DataFile]:
    """The data files of an opened version."""
    schema = pa.schema(opened.schema())
    return [DataFile(Path(path), tuple(key), schema) for path in place.files(opened)]


def key_at(publications: Iterable[Recorded], version: int) -> tuple[str, ...]:
    """The columns of the key at a version; none for a table that was never published by us."""
    for one in publications:
        if one.commit.version <= version and KEY in one.metadata:
            return tuple(str(one.metadata[KEY]).split(","))
    return ()


def index_files(
    place: Place, opened: DeltaTable, key: Sequence[str], known: Sequence[SortedHashes] = ()
) -> int:
    """Write what is missing of the index of an opened version; how many files that was.

    Only under the table's lock. Safe to call again whatever came of an earlier call.

    Args:
        place: The table.
        opened: The version.
        key: The columns of its key.
        known: Hashes of the rows that a publication just wrote, each row in one part. Delta's
            writer does not keep their order, so the keys of its files are read, and nothing else.

    Raises:
        LibraryUnwritable: no space; retryable, the version itself is published.
    """
    wanting = [file for file in data_files(place, opened, key) if not file.is_indexed()]
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda file: file.store(known), wanting))
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
        for path in (place.path / FOLDER).glob(f"*{SUFFIX}")
        if not (place.path / path.name.rsplit(".", 2)[0]).exists()
    ]
    for path in orphans:
        path.unlink()
    return len(orphans)
