"""Rows on their way into a table: no key empty, none twice."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from yishu.library.errors import KeyBroken
from yishu.library.row_hash import KeyedHashes, RowHasher


class KeyWatch:
    """Sees all rows of a stream and then tells whether their keys are unique."""

    def __init__(self, table: str, key: Sequence[str], columns: Sequence[str], rows: int) -> None:
        """Args: the table, its key, its columns, and about how many rows will come."""
        self._table = table
        self._key = key
        self._hasher = RowHasher(key, columns, rows)
        self._empty = 0
        self.rows = 0

    def see(self, batch: pa.RecordBatch) -> None:
        """Take a batch down."""
        self._empty += sum(batch.column(column).null_count for column in self._key)
        self.rows += batch.num_rows
        self._hasher.see(batch)

    def unique(self) -> KeyedHashes:
        """The hashes of all rows; every key was there, and once.

        Raises:
            KeyBroken: it was not.
        """
        found = self._hasher.hashes()
        repeated = _repeated(found)
        if self._empty or repeated:
            raise key_broken(self._table, self._key, self._empty, repeated)
        return found


def _repeated(hashes: KeyedHashes) -> int:
    """How often a key comes again; one hash that does may be chance, so the other one decides."""
    keys = hashes.keys
    twice = keys[1:][keys[1:] == keys[:-1]]
    if not len(twice):
        return 0
    suspects = hashes.taken(np.isin(keys, twice))
    pairs = np.stack([suspects.keys, suspects.others])
    return int(pairs.shape[1] - np.unique(pairs, axis=1).shape[1])


def key_broken(table: str, key: Sequence[str], empty: int, repeated: int) -> KeyBroken:
    """The error for rows that their key does not tell apart; it holds counts, never a key."""
    return KeyBroken(
        f"{table} ({', '.join(key)})",
        found=f"{empty} empty and {repeated} repeated keys",
        expected="every row has a key of its own",
        remedy="let validation set such rows aside, or correct the key of the catalog entry",
    )
