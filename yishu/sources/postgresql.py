"""PostgreSQL, streamed as Arrow over the binary COPY protocol by ADBC.

Separate from ``sql`` because it is several times faster and keeps types that a row-by-row driver
would make into Python objects. The session can only read, waits only so long, and meets rows in
the same order each time as long as the table is left alone.

What each type arrives as is told by ``postgresql_types``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import adbc_driver_postgresql
import pyarrow as pa

from catalog.model import SourceSpec
from yishu.sources.adbc import FAILURES, AdbcSession
from yishu.sources.errors import (
    SILENT,
    TABLE_MISSING,
    SourceError,
    SourceMisdescribed,
    SourceUnreadable,
    require_columns,
)
from yishu.sources.postgresql_errors import explained
from yishu.sources.postgresql_types import Convert, conversion, expression, is_in_digits, quoted
from yishu.sources.protocol import Connection, Since, SourceColumn, bounded
from yishu.sources.silence import SilenceWatch
from yishu.sources.since import literal

STATEMENT_TIMEOUT = timedelta(hours=1)
"""How long one query may run; 50 million rows take minutes."""

CONNECT_TIMEOUT = timedelta(seconds=10)

SILENCE = timedelta(minutes=15)
"""How long nothing may come while a query runs before the connection counts as lost."""

KEEPALIVE = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
"""A host that is gone is noticed after a minute, and a firewall is reminded of the connection."""

SESSION = {
    "default_transaction_read_only": "on",
    "client_encoding": "UTF8",
    "DateStyle": "ISO",
    "standard_conforming_strings": "on",
    "lock_timeout": "60s",
    # Either would let two pulls of an untouched table meet its rows in different orders.
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
}
"""What every session sets before its first statement."""

BATCH_BYTES = 8 * 1024 * 1024
"""ADBC's batch hint: about 40,000 rows of a usual table; bigger ones cost memory and gain none."""

OPTIONS = {"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}

DEFAULT_PORT = 5432

COLUMNS_SQL = """
SELECT attname::text, format_type(atttypid, atttypmod)
FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass({table}) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""

NOT_A_NUMBER = "NaN"
"""So the server's words name it in every language; while streaming they come without a code."""


@dataclass(frozen=True)
class SharedSnapshot:
    """A snapshot that can be read while the session that exported it stands."""

    name: str
    keeper: AdbcSession


class PostgresqlSource:
    """A table or view of a PostgreSQL database."""

    def __init__(
        self,
        spec: SourceSpec,
        connection: Connection,
        *,
        statement_timeout: timedelta = STATEMENT_TIMEOUT,
        silence: timedelta = SILENCE,
        shared: "SharedSnapshot | None" = None,
    ) -> None:
        """``shared``: everything is read as it was at the moment of that snapshot."""
        if spec.table is None:
            raise SourceMisdescribed(
                connection.id,
                found="no table",
                expected="source.table, as schema.table",
                remedy="name the table in the catalog entry",
            )
        self._obj = f"{connection.id}: {spec.table}"
        self._table = qualified(spec.table)
        self._url = session_url(connection.url, statement_timeout)
        self._shared = shared
        self._watch = SilenceWatch(silence, urlsplit(self._url).port or DEFAULT_PORT)
        self._session: AdbcSession | None = None
        self._columns: list[SourceColumn] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None

    def columns(self) -> list[SourceColumn]:
        """All columns of the table, with types as PostgreSQL writes them.

        Read from the system catalog, so columns without a privilege are seen too.

        Raises:
            SourceTableMissing: there is no such table.
            SourceUnreachable: the server does not answer.
        """
        if self._columns is None:
            session = self._open()
            try:
                with self._watch.waiting():
                    rows = session.rows(COLUMNS_SQL.format(table=text_literal(self._table)))
            except FAILURES as error:
                raise self._meant(error) from None
            if not rows:
                raise TABLE_MISSING.about(self._obj)
            self._columns = [SourceColumn(name, kind) for name, kind in rows]
        return self._columns

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the columns in one snapshot of the table.

        Raises:
            SourceColumnMissing: a column is not there.
            SourceRefused: the account may not read it.
            SourceUnreadable: a value has no exact form, e.g. NaN in a numeric column.
            SourceUnreachable: the server stopped answering or the time limit ran out.
        """
        require_columns(self._obj, [column.name for column in self.columns()], columns)
        return self._stream(columns)

    def read_since(self, columns: Sequence[str], since: Since) -> Iterator[pa.RecordBatch]:
        """Stream the columns of the rows stamped since then, or not at all.

        Raises:
            SourceError: as ``read``.
        """
        declared = {column.name: column.type for column in self.columns()}
        require_columns(self._obj, list(declared), columns)
        require_columns(self._obj, list(declared), [since.column])
        bound = literal(since.value, declared[since.column])
        if bound is None:
            return self._stream(columns)
        name = quoted(since.column)
        return self._stream(columns, f"{name} IS NULL OR {name} >= {bound}")

    def read_range(self, columns: Sequence[str], where: str) -> Iterator[pa.RecordBatch]:
        """Stream the columns of the rows that a condition in PostgreSQL's words lets through.

        Raises:
            SourceError: as ``read``.
        """
        require_columns(self._obj, [column.name for column in self.columns()], columns)
        return self._stream(columns, where)

    def _stream(self, columns: Sequence[str], where: str = "") -> Iterator[pa.RecordBatch]:
        session = self._open()
        fields: list[pa.Field] = []
        try:
            with self._watch.waiting():
                plain = self._select(map(quoted, columns), where)
                fields = list(session.schema(plain))
                reader = session.stream(self._select(map(expression, fields), where), **OPTIONS)
            plan = [conversion(*pair) for pair in zip(fields, reader.schema, strict=True)]
            schema = pa.schema([(f.name, t) for f, (t, _) in zip(fields, plan, strict=True)])
            converts = [convert for _, convert in plan]
            rows = 0
            for batch in self._watch.over(reader):
                rows += batch.num_rows
                yield from bounded(self._converted(batch, converts, schema))
            if not rows:
                yield pa.RecordBatch.from_pylist([], schema=schema)
        except FAILURES as error:
            raise self._no_number(error, fields) or self._meant(error) from None

    def _no_number(self, error: Exception, fields: Sequence[pa.Field]) -> SourceError | None:
        """What to say when the server met NaN in a column that is fetched in digits."""
        asked = [field.name for field in fields if is_in_digits(field)]
        if NOT_A_NUMBER not in str(error) or not asked:
            return None
        named = [name for name in asked if self._has_not_a_number(name)] or asked
        return _inexact(f"{self._obj}, column {' or '.join(named)}")

    def _has_not_a_number(self, name: str) -> bool:
        with suppress(*FAILURES), self._watch.waiting():
            asked = f"SELECT 1 FROM {self._table} WHERE {quoted(name)} = 'NaN' LIMIT 1"
            return bool(self._open().rows(asked))
        return False

    def _meant(self, error: Exception) -> SourceError:
        return SILENT.about(self._obj) if self._watch.broken else explained(self._obj, error)

    def _select(self, expressions: Iterable[str], where: str = "") -> str:
        statement = f"SELECT {', '.join(expressions)} FROM {self._table}"
        return f"{statement} WHERE {where}" if where else statement

    def _converted(
        self, batch: pa.RecordBatch, converts: Sequence[Convert], schema: pa.Schema
    ) -> pa.RecordBatch:
        arrays = []
        for name, array, convert in zip(schema.names, batch.columns, converts, strict=True):
            try:
                arrays.append(convert(array))
            except pa.ArrowInvalid:
                raise _inexact(f"{self._obj}, column {name}") from None
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _open(self) -> AdbcSession:
        if self._session is None:
            try:
                with self._watch.opening():
                    self._session = self._connected()
                if self._shared is not None:
                    with self._watch.waiting():
                        enter(self._session, self._shared.name)
            except FAILURES as error:
                raise explained(self._obj, error) from None
        return self._session

    def _connected(self) -> AdbcSession:
        if self._shared is not None:
            return self._shared.keeper.beside()
        return AdbcSession(adbc_driver_postgresql.connect(self._url))


def enter(session: AdbcSession, snapshot: str) -> None:
    """Begin a transaction that sees what an exported snapshot sees.

    Raises:
        adbc_driver_manager.Error: it has ended.
    """
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    session.execute(f"SET TRANSACTION SNAPSHOT {text_literal(snapshot)}")


def qualified(table: str) -> str:
    """The entry's ``table`` or ``schema.table`` as PostgreSQL writes it."""
    return ".".join(quoted(part) for part in table.split(".", 1))


def text_literal(text: str) -> str:
    """A text as PostgreSQL writes it; compared with a column, it is read as the column's type."""
    return "'" + text.replace("'", "''") + "'"


def session_url(
    url: str, statement_timeout: timedelta, more: Mapping[str, str] | None = None
) -> str:
    """The URL for libpq, with a session that can only read and waits only so long.

    An SQLAlchemy driver suffix is dropped. Options of the URL itself stay, but do not win.
    """
    # SQLAlchemy leaves a space in a password as it is; libpq takes it only escaped.
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url).replace(" ", "%20")
    parts = urlsplit(plain)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.setdefault("connect_timeout", str(int(CONNECT_TIMEOUT.total_seconds())))
    query = KEEPALIVE | query
    settings = (
        SESSION
        | dict(more or {})
        | {"statement_timeout": str(int(statement_timeout.total_seconds() * 1000))}
    )
    options = [query.get("options", ""), *(f"-c {key}={value}" for key, value in settings.items())]
    query["options"] = " ".join(options).strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def _inexact(obj: str) -> SourceUnreadable:
    return SourceUnreadable(
        obj,
        found="NaN or -infinity, which the standard type cannot hold",
        expected="values of the column's type",
        remedy="ask the department to correct the value",
    )
