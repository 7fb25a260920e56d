"""New rows against the version before: what was inserted, updated, deleted, what stayed."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from yishu.library.engine import names, one, quote, scan, stream
from yishu.library.keys import content_hash
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

    def stayed(self, *, has_deletions: bool) -> str:
        """The query of the old rows of a snapshot whose content no new row changes."""
        tests = [f"NOT {self._among(_FRESH)}"]
        if has_deletions:
            tests.append(self._among(scan(self.new_files, self.new)))
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

        For a snapshot of unchanged columns only key, hash and run facts of the old rows are
        joined: a tenth of the bytes of whole rows.
        """
        keys = " AND ".join(f"n.{quote(name)} = o.{quote(name)}" for name in self.key)
        content = content_hash(content_columns(self.new.names))
        kept = [*self.key, *filter(is_run_fact, self.old.names)]
        columns = f"{names(kept)}, {content} AS _content" if self.is_narrow else "*"
        return (
            f"{scan(self.new_files, self.new)} n LEFT JOIN "
            f"(SELECT {columns}, true AS _was_there FROM {scan(self.old_files, self.old)}) o "
            f"ON {keys if self.same_key else 'false'}"
        )

    @property
    def is_alike(self) -> bool:
        """Whether both versions have the same columns and the same key."""
        return self.same_key and same_columns(self.old, self.new)

    @property
    def is_narrow(self) -> bool:
        """Whether a hash stands for values; few changes are cheaper looked at as they are."""
        return self.is_alike and self.changes is None

    @property
    def is_unchanged(self) -> str:
        """The condition under which the content of the new row is that of the old one.

        Where a hash stands for the values, a change is overlooked once in 2^64 changed rows.
        """
        if self.is_narrow:
            content = content_hash(content_columns(self.new.names), "n")
            return f"coalesce(o._content = {content}, false)"
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
    """Count what the new rows change, and keep the rows that the result takes from them.

    Of a snapshot of unchanged columns those are the rows that differ: the others are taken from
    the old version as they stand there, without being joined a second time.
    """
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
    connection: duckdb.DuckDBPyConnection, comparison: Comparison, found: Difference
) -> pa.RecordBatchReader:
    """The rows of the result; what did not change keeps the run and landed row of the old.

    ``found`` is what ``difference`` told of the same comparison, on the same connection.
    """
    query = f"SELECT {names(comparison.new.names)} FROM {_FRESH}"
    if comparison.changes is not None:
        query += f" UNION ALL {comparison.kept(comparison.changes)}"
    elif comparison.is_narrow:
        query += f" UNION ALL {comparison.stayed(has_deletions=found.deleted > 0)}"
    return stream(connection, query, comparison.new)


def _fresh(comparison: Comparison) -> str:
    columns = ", ".join(_merged(name, comparison) for name in comparison.new.names)
    told = f"{columns}, _was_there, {comparison.is_unchanged} AS _is_unchanged"
    only = f" WHERE NOT {comparison.is_unchanged}" if comparison.is_narrow else ""
    return f"SELECT {told} FROM {comparison.sources}{only}"


def _merged(name: str, comparison: Comparison) -> str:
    new = f"n.{quote(name)}"
    if not is_run_fact(name) or name not in comparison.old.names:
        return f"{new} AS {quote(name)}"
    return (
        f"CASE WHEN {comparison.is_unchanged} THEN o.{quote(name)} ELSE {new} END AS {quote(name)}"
    )
