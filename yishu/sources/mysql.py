"""MySQL, MariaDB and what speaks their protocol, streamed from the server row by row.

Separate from ``sql`` because its driver would make Python objects of every value, at several times
the price, and because these servers let a day be 0000-00-00. Here the server's own text of a value
goes into Arrow as it is, and becomes a number there where the declared type means one exactly.
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, NoReturn, Self

import pyarrow as pa
import pymysql
import sqlalchemy as sa
from pymysql import converters
from pymysql.cursors import SSCursor

from catalog.model import SourceSpec
from yishu.sources.errors import (
    CERTIFICATE_REFUSED,
    DATABASE_DOWN,
    NO_DATABASE,
    NO_TLS,
    READ_REFUSED,
    SIGN_IN_REFUSED,
    SLOW,
    TABLE_MISSING,
    WRITE_REFUSED,
    Meaning,
    SourceChanged,
    SourceColumnMissing,
    SourceError,
    SourceMisdescribed,
    SourceTableMissing,
    SourceUnreadable,
    require_columns,
)
from yishu.sources.mysql_rows import batches
from yishu.sources.mysql_types import (
    WITH_VALUES,
    Declared,
    conversion,
    expression,
    literal,
    quoted,
)
from yishu.sources.protocol import Connection, Since, SourceColumn, bounded

BACKENDS = frozenset({"mysql", "mariadb"})

STATEMENT_TIMEOUT = timedelta(hours=1)
"""How long the server may work at one query."""

SILENCE = timedelta(minutes=10)
"""How long nothing at all may come from the server before it counts as gone."""

CONNECT_TIMEOUT = timedelta(seconds=10)

SESSION = (
    # A server may pad CHAR, read backslashes its own way or take quotes for names: not here.
    "SET SESSION sql_mode = ''",
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION time_zone = '+00:00'",
    # The server hangs up on a reader that pauses for longer, e.g. while the disk is busy.
    "SET SESSION net_write_timeout = 600",
)
"""What every session sets before its first query."""

SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

BATCH_BYTES = 4 * 1024 * 1024
"""A batch ends with the row at which it has as many; a single row may be bigger."""

COLUMNS_SQL = """
SELECT column_name, column_type, data_type, numeric_precision, numeric_scale,
       character_octet_length
FROM information_schema.columns
WHERE table_schema = COALESCE(%s, DATABASE())
  AND (BINARY table_name = %s OR (table_name = %s AND @@lower_case_table_names <> 0))
ORDER BY ordinal_position
"""


class Unbuffered(SSCursor):
    """A cursor whose rows stay at the server until they are asked for."""

    _result: Any  # the driver's type stubs leave it out

    def abandon(self) -> None:
        """Leave the rest unread; the connection is of no use afterwards."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None  # type: ignore[assignment]  # as the driver's own close does


class MysqlSource:
    """A table or view of a MySQL or MariaDB database."""

    def __init__(
        self,
        spec: SourceSpec,
        connection: Connection,
        *,
        statement_timeout: timedelta = STATEMENT_TIMEOUT,
        silence: timedelta = SILENCE,
    ) -> None:
        if spec.table is None:
            raise SourceMisdescribed(
                connection.id,
                found="no table",
                expected="source.table, as table or database.table",
                remedy="name the table in the catalog entry",
            )
        self._obj = f"{connection.id}: {spec.table}"
        schema, _, self._name = spec.table.rpartition(".")
        self._schema = schema or None
        self._arguments = connect_arguments(connection, silence)
        self._statement_timeout = statement_timeout
        self._session: Any = None
        self._streams: list[Unbuffered] = []
        self._columns: dict[str, Declared] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._streams:
            stream.abandon()
        if self._session is not None:
            with suppress(pymysql.Error, OSError):
                self._session.close()
        self._streams, self._session = [], None

    def columns(self) -> list[SourceColumn]:
        """All columns of the table that the account may see, with types as the server has them.

        Raises:
            SourceTableMissing: there is no such table, or nothing of it may be seen.
            SourceUnreachable: the server does not answer.
        """
        return [
            SourceColumn(column.name, column.base if column.base in WITH_VALUES else column.type)
            for column in self._declared().values()
        ]

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the columns in one snapshot of the table.

        Raises:
            SourceColumnMissing: a column is not there.
            SourceRefused: the account may not read it.
            SourceUnreadable: a value does not fit its column's declared type.
            SourceUnreachable: the server stopped answering or the time limit ran out.
        """
        declared = self._declared()
        require_columns(self._obj, list(declared), columns)
        return self._stream([declared[name] for name in columns])

    def read_since(self, columns: Sequence[str], since: Since) -> Iterator[pa.RecordBatch]:
        """Stream the columns of the rows stamped since then, or not at all.

        Raises:
            SourceError: as ``read``.
        """
        declared = self._declared()
        require_columns(self._obj, list(declared), columns)
        require_columns(self._obj, list(declared), [since.column])
        bound = literal(since.value, declared[since.column])
        name = quoted(since.column)
        where = "" if bound is None else f" WHERE {name} IS NULL OR {name} >= {bound}"
        return self._stream([declared[column] for column in columns], where)

    def _stream(self, columns: Sequence[Declared], where: str = "") -> Iterator[pa.RecordBatch]:
        plan = [conversion(column) for column in columns]
        schema = pa.schema(
            [(column.name, target) for column, (target, _) in zip(columns, plan, strict=True)]
        )
        converts = [convert for _, convert in plan]
        done = 0
        try:
            stream = self._selected(columns, where)
            result = stream._result
            for values in batches(self._session, result, len(columns), BATCH_BYTES):
                yield from bounded(self._batch(values, schema, converts, done))
                done += len(values[0])
            stream.close()
        except (pymysql.Error, OSError) as error:
            raise explained(self._obj, error) from None
        if not done:
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def _selected(self, columns: Sequence[Declared], where: str) -> Unbuffered:
        session = self._open()
        for stream in self._streams:
            stream.close()
        with session.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        stream = Unbuffered(session)
        self._streams = [stream]
        stream.execute(f"SELECT {', '.join(map(expression, columns))} FROM {self._place}{where}")
        return stream

    def _batch(
        self,
        columns: Sequence[pa.Array],
        schema: pa.Schema,
        converts: Sequence[Callable[[pa.Array], pa.Array]],
        before: int,
    ) -> pa.RecordBatch:
        arrays = []
        for field, convert, raw in zip(schema, converts, columns, strict=True):
            try:
                is_text = field.type != pa.binary()
                arrays.append(convert(raw.cast(pa.string()) if is_text else raw))
            except (pa.ArrowException, TypeError):
                raise SourceUnreadable(
                    f"{self._obj}, column {field.name}",
                    found=f"in rows {before} to {before + len(raw) - 1}, a value that is no "
                    f"{field.type}",
                    expected="values of the column's declared type",
                    remedy="ask the department to correct the value or the column's type",
                ) from None
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _declared(self) -> dict[str, Declared]:
        if self._columns is None:
            session = self._open()
            try:
                with session.cursor() as cursor:
                    cursor.execute(COLUMNS_SQL, (self._schema, self._name, self._name))
                    found = [Declared(*row[:3], *map(_number, row[3:])) for row in cursor]
            except (pymysql.Error, OSError) as error:
                raise explained(self._obj, error) from None
            if not found:
                self._complain(session)
            self._columns = {column.name: column for column in found}
        return self._columns

    def _complain(self, session: Any) -> NoReturn:
        """Say why no column is to be seen; the server knows when it is asked for rows."""
        try:
            with session.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {self._place} LIMIT 0")
        except (pymysql.Error, OSError) as error:
            if error.args[:1] != (NOT_GRANTED,):
                raise explained(self._obj, error) from None
        raise HIDDEN.about(self._obj)

    @property
    def _place(self) -> str:
        return ".".join(quoted(part) for part in (self._schema, self._name) if part)

    def _open(self) -> Any:
        if self._session is None:
            try:
                session = pymysql.connect(**self._arguments)
                self._session = session
                with session.cursor() as cursor:
                    for statement in (*SESSION, _time_limit(session, self._statement_timeout)):
                        cursor.execute(statement)
            except (pymysql.Error, OSError) as error:
                raise explained(self._obj, error) from None
        return self._session


def connect_arguments(connection: Connection, silence: timedelta) -> dict[str, Any]:
    """What the driver is told: account and place from the URL, and limits.

    ``ssl_ca`` in the URL asks for TLS and names the certificate authority; then the server's
    certificate has to be valid for the host that the URL names. ``ssl_cert`` and ``ssl_key`` are
    our own certificate, where a server wants one. Without ``ssl_ca`` the connection is encrypted
    if the server offers it, and nothing is checked.

    Raises:
        SourceMisdescribed: the URL cannot be read, or a file that it names is not there.
    """
    try:
        url = sa.make_url(connection.url)
        options = dict(url.query)
        tls = _tls(options)
    except (sa.exc.ArgumentError, ValueError, OSError):
        raise SourceMisdescribed(
            connection.id,
            found="a URL that cannot be followed, or a certificate that cannot be read",
            expected="mysql://account@host/database, with ssl_ca, ssl_cert and ssl_key as needed",
            remedy="correct the connection's URL, or put the certificate where it says",
        ) from None
    return tls | {
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "user": url.username,
        "password": url.password or "",
        "database": url.database,
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT.total_seconds(),
        "read_timeout": silence.total_seconds(),
        "write_timeout": silence.total_seconds(),
        # Without the driver's decoders every value stays the server's own text.
        "conv": {kind: way for kind, way in converters.conversions.items() if type(kind) is type},
    }


def _tls(options: dict[str, Any]) -> dict[str, Any]:
    if "ssl_ca" not in options:
        return {}
    context = ssl.create_default_context(cafile=options["ssl_ca"])
    if "ssl_cert" in options:
        context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"))
    return {"ssl": context}


def _time_limit(session: Any, limit: timedelta) -> str:
    if "MariaDB" in session.get_server_info():
        return f"SET SESSION max_statement_time = {limit.total_seconds()}"
    return f"SET SESSION max_execution_time = {int(limit.total_seconds() * 1000)}"


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


NOT_GRANTED = 1142
HIDDEN = Meaning(
    SourceTableMissing,
    "no such table or view, or none that the account may see",
    "ask the department whether it was renamed, and for SELECT on the catalogued columns",
)

BY_NUMBER = {
    1044: SIGN_IN_REFUSED,
    1045: SIGN_IN_REFUSED,
    1049: NO_DATABASE,
    1054: Meaning(SourceColumnMissing, "a column went while it was read", "pull again"),
    NOT_GRANTED: READ_REFUSED,
    1143: READ_REFUSED,
    1146: TABLE_MISSING,
    1317: SLOW,
    1412: Meaning(
        SourceChanged, "the table was changed while it was read", "the pull can be tried again"
    ),
    1698: SIGN_IN_REFUSED,
    1792: WRITE_REFUSED,
    1969: SLOW,
    2026: NO_TLS,
    3024: SLOW,
}
"""By error number; https://mariadb.com/kb/en/mariadb-error-codes/."""


def explained(obj: str, error: Exception) -> SourceError:
    """What the driver's error means, in words that hold no value and no credential."""
    if isinstance(getattr(error, "original_exception", error), ssl.SSLCertVerificationError):
        return CERTIFICATE_REFUSED.about(obj)
    number = next(iter(error.args), None)
    code = number if isinstance(error, pymysql.Error) and isinstance(number, int) else 0
    return BY_NUMBER.get(code, DATABASE_DOWN).about(obj, str(code) if code else "")
