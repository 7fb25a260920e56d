"""Rows on their way into a table: no key empty, none twice, and a fingerprint of what they hold.

Both are seen in one pass, in 16 bytes a row.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from yishu.library.engine import connect, names, quote
from yishu.library.errors import KeyBroken
from yishu.library.provenance import content_columns

_MODULUS = 1 << 64


class KeyWatch:
    """Sees all rows of a stream and then tells whether their keys are unique.

    It remembers two independent 64-bit hashes a row. The second is looked at only where the first
    is repeated, so that chance cannot stop a publication.
    """

    def __init__(self, table: str, key: Sequence[str], columns: Sequence[str]) -> None:
        self._table = table
        self._key = key
        self._engine = connect()
        salted = ", ".join(_salted(column) for column in key)
        content = content_hash(content_columns(columns))
        self._query = f"SELECT hash({names(key)}), hash({salted}), {content} FROM batch"
        self._hashes: list[tuple[np.ndarray, np.ndarray]] = []
        self._empty = 0
        self._sum = 0
        self.rows = 0

    def see(self, batch: pa.RecordBatch) -> None:
        """Take the keys and the content of a batch down."""
        self._empty += sum(batch.column(column).null_count for column in self._key)
        self.rows += batch.num_rows
        self._engine.register("batch", pa.Table.from_batches([batch]))
        first, second, content = self._engine.execute(self._query).fetchnumpy().values()
        self._sum = (self._sum + int(np.sum(content, dtype=np.uint64))) % _MODULUS
        self._hashes.append((np.asarray(first), np.asarray(second)))

    @property
    def fingerprint(self) -> str:
        """Equal for equal content in whatever order, and only then, but for one chance in 2^64.

        The sum of the rows' hashes. DuckDB's hashes may change with its version, so that is part
        of it: after an upgrade nothing is equal once, and rows are compared one by one.
        """
        return f"{duckdb.__version__} {self.rows} {self._sum:x}"

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


def content_hash(columns: Sequence[str], table: str = "") -> str:
    """A 64-bit hash of a row's content, as SQL; nulls count.

    The outer hash mixes what the inner one only chains: without it, rows that swap a value in
    their last column would too often have the same sum.
    """
    prefix = f"{table}." if table else ""
    return f"hash(hash({', '.join(f'{prefix}{quote(name)}' for name in columns)}))"


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
