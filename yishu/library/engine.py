"""DuckDB as the library uses it: bounded memory, no downloads, files and types quoted safely."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from yishu.library.errors import EngineFailed, LibraryUnwritable

BATCH_ROWS = 65_536
"""Rows of one record batch."""

DEFAULT_MEMORY = "512MB"
"""What DuckDB may hold before it spills into the scratch folder."""


def connect(
    scratch: Path | None = None, memory: str = DEFAULT_MEMORY, *, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory engine that spills to ``scratch`` (None: nowhere) and never goes online."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "temp_directory": "" if scratch is None else str(scratch),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextmanager
def discreet(table: str) -> Iterator[None]:
    """Turn DuckDB's errors into ours without their text, which may quote a value of a row.

    Raises:
        LibraryUnwritable: no memory or no disk left; retryable.
        EngineFailed: anything else.
    """
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise LibraryUnwritable(
            table,
            found=f"{type(error).__name__} of DuckDB",
            expected="enough memory, and disk space to spill to",
            remedy="look at the free space of the library's folder, then run again",
        ) from None
    except duckdb.Error as error:
        raise EngineFailed(
            table,
            found=f"{type(error).__name__} of DuckDB",
            expected="rows of the types that the catalog says",
            remedy="publish the entries by their present catalog versions, then run again; "
            "if it stays, report it with the catalog release",
        ) from None


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def names(columns: Iterable[str], table: str = "") -> str:
    """A list of columns, each with its table where one is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + quote(column) for column in columns)


def scan(files: Sequence[str], schema: pa.Schema) -> str:
    """A subquery over Parquet files; without files, an empty one of the same columns."""
    if files:
        return (
            f"(SELECT {names(schema.names)} FROM read_parquet([{', '.join(map(literal, files))}]))"
        )
    columns = (f"NULL::{sql_type(field.type)} AS {quote(field.name)}" for field in schema)
    return f"(SELECT {', '.join(columns)} WHERE false)"


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of a standard Arrow type."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _SQL_TYPES[kind]


_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    pa.bool_(): "BOOLEAN",
}


def stream(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    schema: pa.Schema,
    values: Sequence[Any] = (),
) -> pa.RecordBatchReader:
    """The rows of a query as record batches of exactly this schema."""
    relation = connection.sql(query, params=list(values))
    reader: pa.RecordBatchReader = relation.to_arrow_reader(BATCH_ROWS)

    def fitted() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = zip(batch.columns, schema.types, strict=True)
            yield pa.RecordBatch.from_arrays(
                [one.cast(kind) for one, kind in columns], schema=schema
            )

    return pa.RecordBatchReader.from_batches(schema, fitted())


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """The only row of a query of whole numbers; SQL nulls count as 0."""
    (row,) = connection.execute(query).fetchall()
    return tuple(int(value or 0) for value in row)
