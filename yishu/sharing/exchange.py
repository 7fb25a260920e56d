"""Batch exchange: changes since the last batch, in the batch, operation and time shape.

A batch is what turns the last delivered rows into the present ones: ``insert`` and ``update`` with
the whole row, ``delete`` with the row as it was. Replaying all batches in order gives exactly the
projection, so a consumer checks its copy by the content digest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from yishu.library.engine import connect, names, quote

BATCH, OPERATION, SENT_AT = "yishu_batch_no", "yishu_sync_op", "yishu_sync_time"
"""The columns beside the data (national exchange tables: batch number, operation, time)."""


@dataclass(frozen=True)
class Changes:
    """What a batch says: rows with their operation, deletions first."""

    rows: pa.Table
    operations: pa.Array

    def __len__(self) -> int:
        return int(self.rows.num_rows)


def changes(before: pa.Table | None, now: pa.Table, key: Sequence[str]) -> Changes:
    """The changes from one state to the next.

    Args:
        before: What was delivered last; None: nothing yet.
        now: What is to be delivered.
        key: The key's columns, where they are granted and in clear; without them an update is a
            deletion and an insertion.
    """
    if before is None:
        return _joined([(now, "insert")])
    with connect() as connection:
        connection.register("before", before)
        connection.register("now", now)
        gone = _only_in(connection, "before", "now", now.schema)
        come = _only_in(connection, "now", "before", now.schema)
        if not key:
            return _joined([(gone, "delete"), (come, "insert")])
        connection.register("gone", gone)
        connection.register("come", come)
        return _joined(
            [
                (_keyed(connection, "gone ANTI JOIN come", key, now.schema), "delete"),
                (_keyed(connection, "come SEMI JOIN gone", key, now.schema), "update"),
                (_keyed(connection, "come ANTI JOIN gone", key, now.schema), "insert"),
            ]
        )


def _only_in(
    connection: duckdb.DuckDBPyConnection, first: str, second: str, schema: pa.Schema
) -> pa.Table:
    columns = names(schema.names)
    query = f"SELECT {columns} FROM {first} EXCEPT ALL SELECT {columns} FROM {second}"
    return connection.sql(query).to_arrow_table().cast(schema)


def _keyed(
    connection: duckdb.DuckDBPyConnection, joined: str, key: Sequence[str], schema: pa.Schema
) -> pa.Table:
    first, *_, second = joined.split()
    same = " AND ".join(
        f"{first}.{quote(one)} IS NOT DISTINCT FROM {second}.{quote(one)}" for one in key
    )
    columns = names(schema.names, first)
    query = f"SELECT {columns} FROM {joined} ON {same}"
    return connection.sql(query).to_arrow_table().cast(schema)


def _joined(parts: list[tuple[pa.Table, str]]) -> Changes:
    operations = [pa.array([name] * part.num_rows, pa.string()) for part, name in parts]
    return Changes(
        pa.concat_tables([part for part, _ in parts]), pa.chunked_array(operations).combine_chunks()
    )
