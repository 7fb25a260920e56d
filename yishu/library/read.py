"""The read door: tables of the library by name, by version, as of a moment, by key.

Everything comes as Arrow; ``read(...).to_pandas()`` gives a frame, ``relation`` a DuckDB relation
to query further. A reader sees one version from beginning to end, whatever is published meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from yishu.library.commit import recorded
from yishu.library.engine import DEFAULT_MEMORY, connect, names, quote, scan, sql_type, stream
from yishu.library.errors import ColumnMissing, VersionMissing
from yishu.library.key_index import open_key_index
from yishu.library.place import Place, open_version


def tables(root: Path) -> list[str]:
    """Names of all published tables, sorted."""
    unified = (f"unified/{path.parent.name}.{path.name}" for path in root.glob("unified/*/*"))
    subjects = (f"subject/{path.name}" for path in root.glob("subject/*"))
    return sorted(table for table in (*unified, *subjects) if Place(root, table).exists())


def schema(root: Path, table: str, version: int | None = None) -> pa.Schema:
    """Columns and types of a table, provenance columns included."""
    return pa.schema(open_version(Place(root, table), version).schema())


def version_at(root: Path, table: str, moment: datetime) -> int:
    """The version that was the newest one at a moment (with its zone).

    Raises:
        TableMissing: nothing was published under that name.
        VersionMissing: the table did not exist yet.
    """
    publications = recorded(Place(root, table).open())
    found = [one.commit.version for one in publications if one.moment <= moment]
    if not found:
        first = publications[-1].commit.committed_at if publications else "unknown"
        raise VersionMissing(
            table,
            found=f"a first version of {first}",
            expected=f"a version of {moment.isoformat()} or before",
            remedy="ask for a later moment",
        )
    return max(found)


def read(
    root: Path,
    table: str,
    *,
    version: int | None = None,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> pa.Table:
    """Rows of a table, as Arrow.

    Args:
        root: Folder of the library.
        table: Name of the table.
        version: Which version; None is the newest.
        columns: Which columns, in this order; None is all.
        where: Column -> value that it must have, also as text; None as a value means null.
        limit: At most so many rows; None is all.

    Raises:
        TableMissing: nothing was published under that name.
        VersionMissing: the table has no such version.
        ColumnMissing: the table has no such column.
    """
    place = Place(root, table)
    opened = open_version(place, version)
    have = pa.schema(opened.schema())
    wanted = _wanted(table, have, columns, where or {})
    condition, values = _condition(where or {}, have)
    most = "" if limit is None else f" LIMIT {limit:d}"
    rows = scan(place.files(opened), have)
    with connect() as connection:
        query = f"SELECT {names(wanted.names)} FROM {rows}{condition}{most}"
        return stream(connection, query, wanted, values).read_all()


def batches(
    root: Path, table: str, *, version: int | None = None, columns: Sequence[str] | None = None
) -> pa.RecordBatchReader:
    """Rows of a table as a stream of record batches, for tables larger than memory."""
    place = Place(root, table)
    opened = open_version(place, version)
    have = pa.schema(opened.schema())
    wanted = _wanted(table, have, columns, {})
    query = f"SELECT {names(wanted.names)} FROM {scan(place.files(opened), have)}"
    return stream(connect(), query, wanted)


def by_key(root: Path, table: str, key: Mapping[str, Any], version: int | None = None) -> pa.Table:
    """The rows of one key, provenance included: none or one where the whole key is given.

    Who asks again and again keeps `yishu.library.key_index.open_key_index` open instead.

    Raises:
        TableMissing, VersionMissing, ColumnMissing: as for `read`.
    """
    index = open_key_index(root, table, version)
    is_whole = bool(key) and set(key) == set(index.key) and None not in key.values()
    return index.row(key) if is_whole else read(root, table, version=index.version, where=key)


def relation(
    connection: duckdb.DuckDBPyConnection, root: Path, table: str, version: int | None = None
) -> duckdb.DuckDBPyRelation:
    """A version of a table as a relation of the caller's DuckDB connection."""
    place = Place(root, table)
    opened = open_version(place, version)
    return connection.sql(f"SELECT * FROM {scan(place.files(opened), pa.schema(opened.schema()))}")


def session(scratch: Path | None = None, memory: str = DEFAULT_MEMORY) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection for ``relation``: bounded memory, UTC, no downloads."""
    return connect(scratch, memory)


def _wanted(
    table: str, have: pa.Schema, columns: Sequence[str] | None, where: Mapping[str, Any]
) -> pa.Schema:
    asked = [*(columns if columns is not None else have.names), *where]
    missing = [column for column in asked if column not in have.names]
    if missing:
        raise ColumnMissing(
            table,
            found=f"no column {', '.join(missing)}",
            expected=f"columns among {', '.join(have.names)}",
            remedy="look at the schema of the table",
        )
    return have if columns is None else pa.schema([have.field(column) for column in columns])


def _condition(where: Mapping[str, Any], have: pa.Schema) -> tuple[str, list[Any]]:
    """The WHERE clause and its values; a text that the column cannot hold finds nothing."""
    tests = [
        f"{quote(column)} IS NULL"
        if value is None
        else f"{quote(column)} = TRY_CAST(? AS {sql_type(have.field(column).type)})"
        for column, value in where.items()
    ]
    values = [value for value in where.values() if value is not None]
    return (f" WHERE {' AND '.join(tests)}" if tests else ""), values
