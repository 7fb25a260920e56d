"""New rows against the version before, value by value, where their hashes cannot tell.

That is where columns or key are others than before, or two keys have one hash.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from yishu.library.engine import names, one, quote, scan, stream
from yishu.library.provenance import content_columns, is_run_fact
from yishu.library.rows import same_columns

_FRESH = "fresh"


@dataclass(frozen=True)
class Changes:
    """What makes the new rows changes of the version before, instead of its successor.

    Attributes:
        gone: Parquet file with the keys of rows to delete.
        present: Parquet file with all keys that the source has; rows of others are deleted.
            None: that was not asked.
        after: Run of the version that the changes were pulled for; None: there was none.
    """

    gone: Path | None = None
    present: Path | None = None
    after: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Two versions of a table.

    Attributes:
        same_key: Both have the same key; with another key every row is new.
        changes: The new rows are changes alone, and what they do not speak of stays.
    """

    new_files: list[str]
    old_files: list[str]
    new: pa.Schema
    old: pa.Schema
    key: tuple[str, ...]
    same_key: bool
    changes: Changes | None = None

    def kept(self, changes: Changes) -> str:
        """The query of the old rows that stay though no new row has their key."""
        tests = [f"NOT {self._among(scan(self.new_files, self.new))}"]
        if changes.gone is not None:
            tests.append(f"NOT {self._among(self._keys(changes.gone))}")
        if changes.present is not None:
            tests.append(self._among(self._keys(changes.present)))
        old = f"(SELECT {names(self.new.names)} FROM {scan(self.old_files, self.old)})"
        return f"SELECT * FROM {old} o WHERE {' AND '.join(tests)}"

    def _keys(self, file: Path) -> str:
        return scan([str(file)], pa.schema([self.new.field(name) for name in self.key]))

    def _among(self, rows: str) -> str:
        keys = " AND ".join(f"k.{quote(name)} = o.{quote(name)}" for name in self.key)
        return f"EXISTS (SELECT 1 FROM {rows} k WHERE {keys})"

    @property
    def sources(self) -> str:
        """The FROM clause that brings each new row together with the old one of its key.

        A table to which somebody else has written may have a key twice: one of them counts.
        """
        keys = " AND ".join(f"n.{quote(name)} = o.{quote(name)}" for name in self.key)
        single = f"DISTINCT ON ({names(self.key)})" if self.is_alike else ""
        return (
            f"{scan(self.new_files, self.new)} n LEFT JOIN "
            f"(SELECT {single} *, true AS _was_there FROM {scan(self.old_files, self.old)}) o "
            f"ON {keys if self.same_key else 'false'}"
        )

    @property
    def is_alike(self) -> bool:
        """Whether both versions have the same columns and the same key."""
        return self.same_key and same_columns(self.old, self.new)

    @property
    def is_unchanged(self) -> str:
        """The condition under which the content of the new row is that of the old one."""
        tests = ["_was_there", *(self._equal(name) for name in self._content())]
        return f"coalesce({' AND '.join(tests)}, false)"

    def _content(self) -> list[str]:
        return [name for name in content_columns(self.new.names) if name not in self.key]

    def _equal(self, name: str) -> str:
        new = f"n.{quote(name)}"
        if name not in self.old.names:
            return f"{new} IS NULL"
        old = f"o.{quote(name)}"
        if self.old.field(name).type != self.new.field(name).type:
            new, old = f"{new}::VARCHAR", f"{old}::VARCHAR"
        return f"{new} IS NOT DISTINCT FROM {old}"


@dataclass(frozen=True)
class Difference:
    """Counts of rows; ``rows`` are all of the result, ``deleted`` the old ones that are gone."""

    rows: int
    kept: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int


def difference(connection: duckdb.DuckDBPyConnection, comparison: Comparison) -> Difference:
    """Count what the new rows change, and keep them as they are in the result."""
    connection.execute(f"CREATE TEMP TABLE {_FRESH} AS {_fresh(comparison)}")
    inserted, updated = one(
        connection,
        "SELECT count(*) FILTER (_was_there IS NULL), "
        f"count(*) FILTER (_was_there AND NOT _is_unchanged) FROM {_FRESH}",
    )
    (rows,) = one(connection, f"SELECT count(*) FROM {scan(comparison.new_files, comparison.new)}")
    (before,) = one(
        connection, f"SELECT count(*) FROM {scan(comparison.old_files, comparison.old)}"
    )
    kept = 0
    if comparison.changes is not None:
        (kept,) = one(connection, f"SELECT count(*) FROM ({comparison.kept(comparison.changes)})")
    return Difference(
        rows=rows + kept,
        kept=kept,
        inserted=inserted,
        updated=updated,
        unchanged=rows - inserted - updated,
        deleted=before - (rows - inserted) - kept,
    )


def merged_rows(
    connection: duckdb.DuckDBPyConnection, comparison: Comparison
) -> pa.RecordBatchReader:
    """The rows of the result; what did not change keeps the run and landed row of the old.

    Only after ``difference`` of the same comparison, on the same connection.
    """
    query = f"SELECT {names(comparison.new.names)} FROM {_FRESH}"
    if comparison.changes is not None:
        query += f" UNION ALL {comparison.kept(comparison.changes)}"
    return stream(connection, query, comparison.new)


def _fresh(comparison: Comparison) -> str:
    columns = ", ".join(_merged(name, comparison) for name in comparison.new.names)
    told = f"{columns}, _was_there, {comparison.is_unchanged} AS _is_unchanged"
    return f"SELECT {told} FROM {comparison.sources}"


def _merged(name: str, comparison: Comparison) -> str:
    new = f"n.{quote(name)}"
    if not is_run_fact(name) or name not in comparison.old.names:
        return f"{new} AS {quote(name)}"
    return (
        f"CASE WHEN {comparison.is_unchanged} THEN o.{quote(name)} ELSE {new} END AS {quote(name)}"
    )
