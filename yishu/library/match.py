"""New rows against a version of the same columns and key, by the hashes of both.

No row of the version is read, only the indexes of its files, one file after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from yishu.library.compare import Changes, Difference
from yishu.library.engine import BATCH_ROWS
from yishu.library.index_file import DataFile
from yishu.library.row_hash import KeyedHashes, RowHasher, RowHashes


@dataclass(frozen=True)
class Match:
    """What becomes of the rows.

    Attributes:
        found: The counts.
        is_fresh: Of each new row, whether it has to be written: its key is new, or its content.
        fresh: The hashes of these rows, ascending by key.
        stays: Files of which rows go -> of each row, whether it stays. Other files stay as they
            are.
    """

    found: Difference
    is_fresh: np.ndarray = field(repr=False)
    fresh: RowHashes = field(repr=False)
    stays: Mapping[DataFile, np.ndarray] = field(repr=False)


class AmbiguousHashes(Exception):
    """Two keys have one hash, or a version has a key twice: rows have to be compared themselves."""


def match(
    new: KeyedHashes, files: Sequence[DataFile], changes: Changes | None, key: Sequence[str]
) -> Match:
    """Tell what is new, changed, unchanged and gone.

    Args:
        new: Hashes of the new rows.
        files: All files of the version.
        changes: What makes the new rows changes; None: they are all that there is.
        key: The columns of the key.

    Raises:
        AmbiguousHashes: hashes cannot tell.
    """
    matching = _Matching(new, _Speech.of(changes, key))
    kept = {file: matching.see(file) for file in files}
    is_fresh = _by_row(~matching.is_same, new.rows)
    fresh = new.taken(~matching.is_same)
    stays = {file: rows for file, rows in kept.items() if not rows.all()}
    return Match(matching.difference(), is_fresh, fresh, stays)


@dataclass(frozen=True)
class _Speech:
    """What is said of old rows whose keys no new row has."""

    is_whole: bool
    gone: KeyedHashes | None
    present: KeyedHashes | None

    @classmethod
    def of(cls, changes: Changes | None, key: Sequence[str]) -> "_Speech":
        if changes is None:
            return cls(is_whole=True, gone=None, present=None)
        gone, present = (_keys_in(path, key) for path in (changes.gone, changes.present))
        return cls(is_whole=False, gone=gone, present=present)

    def goes(self, old: RowHashes) -> np.ndarray:
        """Of each old row, whether it goes."""
        goes = np.full(len(old), self.is_whole)
        if self.gone is not None:
            goes |= _places(old, self.gone)[0]
        if self.present is not None:
            goes |= ~_places(old, self.present)[0]
        return goes


class _Matching:
    """New rows, and which of them were in the files seen so far."""

    def __init__(self, new: KeyedHashes, speech: _Speech) -> None:
        _require_single(new.keys)
        self.new = new
        self._speech = speech
        self._was_there = np.zeros(len(new), bool)
        self.is_same = np.zeros(len(new), bool)
        self._old = 0
        self._kept = 0

    def see(self, file: DataFile) -> np.ndarray:
        """Of each row of a file, whether it stays in it."""
        found = file.indexed()
        old = found.hashes
        _require_single(old.keys)
        has, at = _places(old, self.new)
        if self._was_there[at].any():
            raise AmbiguousHashes
        same = old.contents[has] == self.new.taken(at).contents
        self._was_there[at] = True
        self.is_same[at] = same
        stays = ~self._speech.goes(old)
        self._kept += int(np.count_nonzero(stays & ~has))
        self._old += len(old)
        stays[has] = same
        return _by_row(stays, found.rows)

    def difference(self) -> Difference:
        """The counts, after all files were seen."""
        there, same = (int(np.count_nonzero(one)) for one in (self._was_there, self.is_same))
        return Difference(
            rows=len(self.new) + self._kept,
            kept=self._kept,
            inserted=len(self.new) - there,
            updated=there - same,
            unchanged=same,
            deleted=self._old - there - self._kept,
        )


def _places(old: RowHashes, among: KeyedHashes) -> tuple[np.ndarray, np.ndarray]:
    """Which old rows have a key that is among others, and where the others have it."""
    if not len(among):
        return np.zeros(len(old), bool), np.empty(0, np.int64)
    at = np.searchsorted(among.keys, old.keys)
    at[at == len(among)] = 0
    has = among.keys[at] == old.keys
    at = at[has]
    if (among.taken(at).others != old.others[has]).any():
        raise AmbiguousHashes
    return has, at


def _by_row(flags: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Flags of rows in the order of the rows; numpy widens the places that it is given at once."""
    in_order = np.empty(len(flags), bool)
    for start in range(0, len(rows), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        in_order[rows[part]] = flags[part]
    return in_order


def _require_single(ascending: np.ndarray) -> None:
    if (ascending[1:] == ascending[:-1]).any():
        raise AmbiguousHashes


def _keys_in(path: Path | None, key: Sequence[str]) -> KeyedHashes | None:
    """The keys in a file; None where there is no file."""
    if path is None:
        return None
    with pq.ParquetFile(path) as file:
        hasher = RowHasher(key, key, file.metadata.num_rows)
        for batch in file.iter_batches(BATCH_ROWS, columns=list(key)):
            hasher.see(batch.select(key).drop_null())
    return hasher.hashes()
