"""Writes tables into department systems: databases, files and the data of services."""

import csv
import io
import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from psycopg import sql

from example.table import Kind, Writer

READER = "yishu_reader"
"""The role that the bureau reads the departments' databases with; it can do nothing else."""

_SQL_TYPES = {
    Kind.TEXT: "varchar",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamp",
    Kind.NUMBER: "numeric(18,2)",
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
}


def make_database(admin_url: str, name: str, reader_password: str) -> None:
    """Makes a department's database anew, with a role that may log in and read."""
    with psycopg.connect(admin_url, autocommit=True) as server:
        database, reader = sql.Identifier(name), sql.Identifier(READER)
        server.execute(sql.SQL("drop database if exists {} with (force)").format(database))
        server.execute(sql.SQL("create database {}").format(database))
        known = server.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchone()
        verb = sql.SQL("alter role" if known else "create role")
        password = sql.Literal(reader_password)
        server.execute(sql.SQL("{} {} login password {}").format(verb, reader, password))
        server.execute(sql.SQL("revoke all on database {} from public").format(database))
        server.execute(sql.SQL("grant connect on database {} to {}").format(database, reader))


def write_postgresql(url: str, writer: Writer) -> None:
    """Loads a table by COPY; chunks are made while the server stores the one before."""
    table = writer.table
    target = sql.Identifier(table.place.name)
    definitions = [
        sql.SQL("{} {}").format(
            sql.Identifier(column.name),
            sql.SQL("varchar" if table.holds_text(column) else _SQL_TYPES[column.kind]),
        )
        for column in table.columns
    ] + [sql.SQL("{} varchar").format(sql.Identifier(name)) for name in writer.extra]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("create table {} ({})").format(target, sql.SQL(",").join(definitions))
        )
        with cursor.copy(sql.SQL("copy {} from stdin (format csv)").format(target)) as copy:
            for block in _ahead(_csv_blocks(writer)):
                copy.write(block)
        cursor.execute(sql.SQL("grant select on {} to {}").format(target, sql.Identifier(READER)))


def _csv_blocks(writer: Writer) -> Iterator[bytes]:
    options = pa_csv.WriteOptions(include_header=False)
    for chunk in writer.chunks():
        block = io.BytesIO()
        pa_csv.write_csv(chunk, block, options)
        yield block.getvalue()


def _ahead(blocks: Iterator[bytes], depth: int = 2) -> Iterator[bytes]:
    """The same blocks, made in a thread of their own up to ``depth`` blocks ahead."""
    ready: queue.Queue[bytes | BaseException | None] = queue.Queue(depth)
    enough = threading.Event()

    def offer(item: bytes | BaseException | None) -> None:
        while not enough.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.2)
                return

    def make() -> None:
        try:
            for block in blocks:
                offer(block)
                if enough.is_set():
                    return
            offer(None)
        except BaseException as error:  # handed over: the reader of the blocks raises it
            offer(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        enough.set()
        thread.join()


def write_sqlite(path: Path, writer: Writer) -> None:
    """Adds a table to an SQLite file."""
    table = writer.table
    types = ["integer" if c.kind is Kind.INTEGER else "text" for c in table.columns]
    types += ["text"] * len(writer.extra)
    names = [_quoted(name) for name in writer.names]
    definitions = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
    slots = ", ".join("?" * len(names))
    target = _quoted(table.place.name)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"drop table if exists {target}")
        connection.execute(f"create table {target} ({definitions})")
        for chunk in writer.chunks():
            rows = zip(*(column.to_pylist() for column in chunk.columns), strict=True)
            connection.executemany(f"insert into {target} values ({slots})", rows)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def write_csv(path: Path, writer: Writer) -> None:
    """Drops a CSV file with a header line, in the department's encoding."""
    encoding = writer.table.place.encoding
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(writer.names)
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        for chunk in writer.chunks():
            block = io.BytesIO()
            pa_csv.write_csv(chunk, block, options)
            file.write(block.getvalue().decode("utf-8"))


def write_xlsx(path: Path, writer: Writer) -> None:
    """Drops a workbook: dates and numbers in cells of their type, whatever else as text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(writer.table.place.sheet)
    sheet.append(writer.names)
    dates = {column.name for column in writer.table.columns if column.kind is Kind.DATE}
    for chunk in writer.chunks():
        cells = [
            [_cell(value) for value in column.to_pylist()] if name in dates else column.to_pylist()
            for name, column in zip(chunk.column_names, chunk.columns, strict=True)
        ]
        for row in zip(*cells, strict=True):
            sheet.append(row)
    book.save(path)


def _cell(value: str | None) -> Any:
    """A date if the text is one; a clerk's typing error stays text in the sheet."""
    with suppress(ValueError, TypeError):
        return date.fromisoformat(value or "")
    return value


def write_rest(path: Path, writer: Writer) -> None:
    """Keeps the rows that the department's service answers with, for ``rest_server``."""
    file: pq.ParquetWriter | None = None
    try:
        for chunk in writer.chunks():
            file = file or pq.ParquetWriter(path, chunk.schema)
            file.write_table(chunk)
    finally:
        if file:
            file.close()
