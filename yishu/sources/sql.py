"""Any other relational database, through SQLAlchemy and a server-side cursor.

Separate from ``postgresql`` because rows pass through Python here: the price of reading whatever
the department has, as long as SQLAlchemy has a dialect and the driver is installed.

Types: a dialect that enforces its declared types delivers Arrow types; what has no exact Arrow type
is read as the database's own text.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from catalog.model import SourceSpec
from yishu.sources import mysql
from yishu.sources.dialects import only_read, remedy_for
from yishu.sources.errors import (
    DATABASE_DOWN,
    READ_REFUSED,
    SIGN_IN_REFUSED,
    TABLE_MISSING,
    WRITE_REFUSED,
    Meaning,
    SourceError,
    SourceMisdescribed,
    SourceUnreadable,
    require_columns,
)
from yishu.sources.protocol import MAX_BATCH_ROWS, Connection, Since, Source, SourceColumn
from yishu.sources.since_sql import condition

MAX_DECIMAL128_PRECISION = 38
UNSIGNED_BIGINT = pa.decimal128(20, 0)

AnyType = sa.types.TypeEngine[Any]
Make = Callable[[Sequence[Any]], Sequence[Any]]
"""Values of a column as the driver gives them to values that Arrow takes as they are."""


class SqlSource:
    """A table or view of a database that SQLAlchemy can speak to."""

    def __init__(self, spec: SourceSpec, connection: Connection) -> None:
        if spec.table is None:
            raise SourceMisdescribed(
                connection.id,
                found="no table",
                expected="source.table, as table or schema.table",
                remedy="name the table in the catalog entry",
            )
        self._obj = f"{connection.id}: {spec.table}"
        schema, _, self._name = spec.table.rpartition(".")
        self._schema = schema or None
        self._url = _url(connection)
        self._engine: sa.Engine | None = None
        self._session: sa.Connection | None = None
        self._types: dict[str, AnyType] | None = None

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
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._session = None

    def columns(self) -> list[SourceColumn]:
        """All columns of the table, with types as the dialect writes them.

        Raises:
            SourceTableMissing: there is no such table.
            SourceFileMissing: there is no such SQLite file.
            SourceUnreachable: the database does not answer.
        """
        session = self._open()
        return [
            SourceColumn(name, _type_name(kind, session.dialect))
            for name, kind in self._declared().items()
        ]

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the columns.

        Raises:
            SourceColumnMissing: a column is not there.
            SourceRefused: the account may not read it.
            SourceUnreadable: a value does not fit its column's declared type.
            SourceUnreachable: the database stopped answering.
        """
        require_columns(self._obj, list(self._declared()), columns)
        return self._stream(columns)

    def read_since(self, columns: Sequence[str], since: Since) -> Iterator[pa.RecordBatch]:
        """Stream the columns of the rows stamped since then, or not at all.

        Raises:
            SourceError: as ``read``.
        """
        declared = self._declared()
        require_columns(self._obj, list(declared), columns)
        require_columns(self._obj, list(declared), [since.column])
        dialect = self._open().dialect.name
        return self._stream(columns, condition(since, declared[since.column], dialect))

    def _stream(
        self, columns: Sequence[str], where: sa.ColumnElement[bool] | None = None
    ) -> Iterator[pa.RecordBatch]:
        session = self._open()
        targets = [_arrow(self._declared()[name]) for name in columns]
        schema = pa.schema([(name, kind) for name, (kind, _) in zip(columns, targets, strict=True)])
        done = 0
        try:
            query = self._query(columns, targets)
            query = query if where is None else query.where(where)
            options = {"yield_per": MAX_BATCH_ROWS}
            with session.execute(query, execution_options=options) as result:
                for rows in result.partitions():
                    yield self._batch(rows, schema, [make for _, make in targets], done)
                    done += len(rows)
        except exc.SQLAlchemyError as error:
            raise explained(self._obj, error) from None
        if not done:
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def _query(
        self, columns: Sequence[str], targets: Sequence[tuple[pa.DataType, Make]]
    ) -> sa.Select[Any]:
        selected: list[sa.ColumnElement[Any]] = []
        for name, (target, _) in zip(columns, targets, strict=True):
            # Without a type, the driver's own value arrives untouched.
            column: sa.ColumnElement[Any] = sa.column(sa.quoted_name(name, quote=True))
            declared = self._declared()[name]
            if target == pa.string() and not isinstance(declared, sa.String):
                column = sa.cast(column, sa.Text()).label(name)
            selected.append(column)
        schema = None if self._schema is None else sa.quoted_name(self._schema, quote=True)
        return sa.select(*selected).select_from(
            sa.table(sa.quoted_name(self._name, quote=True), schema=schema)
        )

    def _batch(
        self, rows: Sequence[Any], schema: pa.Schema, makes: Sequence[Make], before: int
    ) -> pa.RecordBatch:
        arrays = []
        values = zip(*rows, strict=True)
        for field, make, column in zip(schema, makes, values, strict=True):
            try:
                arrays.append(pa.array(make(column), field.type))
            except (pa.ArrowException, ValueError, TypeError, OverflowError, ArithmeticError):
                raise SourceUnreadable(
                    f"{self._obj}, column {field.name}",
                    found=f"in rows {before} to {before + len(rows) - 1}, a value that is no "
                    f"{field.type}",
                    expected="values of the column's declared type",
                    remedy="ask the department to correct the value or the column's type",
                ) from None
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _declared(self) -> dict[str, AnyType]:
        if self._types is None:
            session = self._open()
            try:
                found = sa.inspect(session).get_columns(self._name, schema=self._schema)
            except exc.NoSuchTableError:
                found = []
            except exc.SQLAlchemyError as error:
                raise explained(self._obj, error) from None
            if not found:
                raise TABLE_MISSING.about(self._obj)
            self._types = {column["name"]: column["type"] for column in found}
        return self._types

    def _open(self) -> sa.Connection:
        if self._session is None:
            try:
                self._engine = self._reading_engine()
                self._session = self._engine.connect()
            except (exc.NoSuchModuleError, ImportError):
                raise NO_DRIVER._replace(remedy=remedy_for(self._url)).about(self._obj) from None
            except exc.SQLAlchemyError as error:
                raise explained(self._obj, error) from None
        return self._session

    def _reading_engine(self) -> sa.Engine:
        engine = sa.create_engine(self._url, poolclass=sa.NullPool, hide_parameters=True)
        only_read(engine)
        return engine


def open_sql(spec: SourceSpec, connection: Connection) -> Source:
    """The source behind an SQLAlchemy URL; MySQL, MariaDB and SQLite have readers of their own.

    Raises:
        SourceMisdescribed: SQLAlchemy cannot read the URL.
    """
    backend = _url(connection).get_backend_name()
    if backend in mysql.BACKENDS:
        return mysql.MysqlSource(spec, connection)
    if backend == "sqlite":
        from yishu.sources.sqlite import SqliteSource  # noqa: PLC0415  it builds upon this module

        return SqliteSource(spec, connection)
    return SqlSource(spec, connection)


def _url(connection: Connection) -> sa.URL:
    try:
        return sa.make_url(connection.url)
    except (exc.ArgumentError, ValueError):
        raise SourceMisdescribed(
            connection.id,
            found="a URL that SQLAlchemy cannot read",
            expected="dialect+driver://account@host/database",
            remedy="correct the connection's URL",
        ) from None


def _type_name(kind: AnyType, dialect: sa.Dialect) -> str:
    try:
        return kind.compile(dialect)
    except exc.CompileError:
        # SQLite has columns without a declared type.
        return "" if isinstance(kind, sa.types.NullType) else type(kind).__name__


def _arrow(kind: AnyType) -> tuple[pa.DataType, Make]:
    """The Arrow type that means a declared type exactly, else text."""
    target: pa.DataType = pa.string()
    make: Make = _same
    match kind:
        case sa.Boolean():
            target = pa.bool_()
        case sa.BigInteger() if getattr(kind, "unsigned", False):
            target = UNSIGNED_BIGINT
        case sa.Integer():
            target = pa.int64()
        case sa.Float():
            target = pa.float64()
        case sa.Numeric() if _fits_decimal128(kind.precision, kind.scale):
            target = pa.decimal128(kind.precision, kind.scale)
        case sa.DateTime():
            target, make = pa.timestamp("us", "UTC" if kind.timezone else None), _moments
        case sa.Date():
            target, make = pa.date32(), _days
        case sa.LargeBinary():
            target = pa.binary()
    return target, make


def _fits_decimal128(precision: int | None, scale: int | None) -> bool:
    if precision is None or scale is None:
        return False
    return precision <= MAX_DECIMAL128_PRECISION and 0 <= scale <= precision


def _same(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _days(values: Sequence[Any]) -> list[date | None]:
    # A time of day would be cut off silently.
    if any(isinstance(value, datetime) for value in values):
        raise TypeError(datetime)
    return list(values)


def _moments(values: Sequence[Any]) -> list[Any]:
    return [
        value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value
        for value in values
    ]


UNREADABLE = Meaning(
    SourceUnreadable, "content that cannot be read", "ask the department to repair it"
)
NO_DRIVER = Meaning(
    SourceMisdescribed,
    "a dialect whose driver is not installed",
    "install the dialect's Python driver or correct the connection's URL",
)

BY_CODE = {
    "25006": WRITE_REFUSED,
    "28000": SIGN_IN_REFUSED,
    "28P01": SIGN_IN_REFUSED,
    "42501": READ_REFUSED,
    "42P01": TABLE_MISSING,
    "1044": SIGN_IN_REFUSED,
    "1045": SIGN_IN_REFUSED,
    "1142": READ_REFUSED,
    "1143": READ_REFUSED,
    "1146": TABLE_MISSING,
    "1792": WRITE_REFUSED,
}
"""By SQLSTATE, and by error number for MySQL and MariaDB."""


def explained(obj: str, error: Exception) -> SourceError:
    """What a driver's error means, in words that hold no value and no credential."""
    cause = getattr(error, "orig", error)
    code = str(getattr(cause, "sqlstate", None) or next(iter(getattr(cause, "args", ())), ""))
    code = code if re.fullmatch(r"[0-9A-Z]{4,5}", code) else ""
    if str(cause).startswith("Could not decode"):
        default = UNREADABLE
    elif isinstance(error, exc.OperationalError | exc.InterfaceError | sqlite3.OperationalError):
        default = DATABASE_DOWN
    else:
        default = UNREADABLE
    return BY_CODE.get(code, default).about(obj, code)
