"""Keys of rows on their way into a table: none empty, none twice, in 16 bytes a row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from yishu.library.engine import connect, names
from yishu.library.errors import KeyBroken


class KeyWatch:
    """Sees all rows of a stream and then tells whether their keys are unique.

    It remembers two independent 64-bit hashes a row. The second is looked at only where the first
    is repeated, so that chance cannot stop a publication.
    """

    def __init__(self, table: str, key: Sequence[str]) -> None:
        self._table = table
        self._key = key
        self._engine = connect()
        self._query = (
            f"SELECT hash({names(key)}), hash({', '.join(_salted(column) for column in key)}) "
            "FROM batch"
        )
        self._hashes: list[tuple[np.ndarray, np.ndarray]] = []
        self._empty = 0

    def see(self, batch: pa.RecordBatch) -> None:
        """Take the keys of a batch down."""
        self._empty += sum(batch.column(column).null_count for column in self._key)
        keys = batch.select(list(self._key))
        self._engine.register("batch", pa.Table.from_batches([keys]))
        first, second = self._engine.execute(self._query).fetchnumpy().values()
        self._hashes.append((np.asarray(first), np.asarray(second)))

    def require_unique(self) -> None:
        """Every key was there, and once.

        Raises:
            KeyBroken: it was not.
        """
        repeated = self._repeated()
        if self._empty or repeated:
            raise key_broken(self._table, self._key, self._empty, repeated)

    def _repeated(self) -> int:
        if not self._hashes:
            return 0
        first = np.concatenate([pair[0] for pair in self._hashes])
        ordered = np.sort(first)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(twice):
            return 0
        second = np.concatenate([pair[1] for pair in self._hashes])
        suspects = np.isin(first, twice)
        pairs = np.stack([first[suspects], second[suspects]])
        return int(pairs.shape[1] - np.unique(pairs, axis=1).shape[1])


def key_broken(table: str, key: Sequence[str], empty: int, repeated: int) -> KeyBroken:
    """The error for rows that their key does not tell apart; it holds counts, never a key."""
    return KeyBroken(
        f"{table} ({', '.join(key)})",
        found=f"{empty} empty and {repeated} repeated keys",
        expected="every row has a key of its own",
        remedy="let validation set such rows aside, or correct the key of the catalog entry",
    )


def _salted(column: str) -> str:
    return f"concat('#', {names([column])}::VARCHAR)"
