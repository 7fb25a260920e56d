"""SQLite files, streamed as Arrow by ADBC; a slower reader says what stopped it.

Separate from ``sql``, because the driver there makes a Python object of every value.

SQLite lets any value into any column, so all columns arrive as exact text, and a misplaced value is
judged as a row's fault, not as a broken pull. ADBC makes exact texts of whole numbers, but not of
fractions, and takes the types of its first batch for those of all; so fractions travel in a column
of their own, and a first row of ours settles the types.

ADBC and Python hold a copy of SQLite each. Two copies at work on one file in one process let go of
each other's locks (https://www.sqlite.org/howtocorrupt.html, 2.2.1), so they take turns: the
columns are known before the rows are asked for, and the slower reader begins when ADBC has left.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote

import adbc_driver_sqlite
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy import exc

from yishu.ahead import made_ahead
from yishu.sources.adbc import FAILURES, AdbcSession
from yishu.sources.errors import DATABASE_DOWN, SourceError, SourceFileMissing, SourceUnreachable
from yishu.sources.protocol import string_schema
from yishu.sources.sql import UNREADABLE, AnyType, SqlSource, explained

BATCH_ROWS = 8_192
"""The texts of a batch may have 2 GiB together in one column."""

OPTIONS = {"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)}

ORDINARY_SQL = """
SELECT count(*) FROM {master}
WHERE name = ? COLLATE NOCASE AND type = 'table' AND sql NOT LIKE 'create virtual%'
"""
"""Only an ordinary table keeps fractions out of its columns of text."""

TROUBLE = ("locked", "busy", "disk I/O", "open")
"""Words of SQLite for what may be over at the next attempt."""

PLAIN = 1e-4, 1e9
"""Between these Arrow does not turn to scientific notation."""


class Reading(NamedTuple):
    """How a column is asked for.

    Attributes:
        text: An expression for the value, null where it is a fraction; it fails at a blob.
        fraction: An expression for a fraction; None: the column holds none.
    """

    text: str
    fraction: str | None


class SqliteSource(SqlSource):
    """A table or view of a SQLite file."""

    _fast: AdbcSession | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        super().__exit__(kind, error, trace)

    def _stream(
        self, columns: Sequence[str], where: sa.ColumnElement[bool] | None = None
    ) -> Iterator[pa.RecordBatch]:
        self._leave()
        if not self._is_ordinary():
            return self._slowly(columns, where)
        return self._quickly(columns, where)

    def _quickly(
        self, columns: Sequence[str], where: sa.ColumnElement[bool] | None
    ) -> Iterator[pa.RecordBatch]:
        declared, schema = self._declared(), string_schema(columns)
        plan = [reading(name, declared[name]) for name in columns]
        empty = True
        try:
            fetched = self._fetched(self._statement(plan, where))
            for made in made_ahead(lambda batch: _made(batch, plan, schema), fetched, threads=1):
                empty = empty and not made.num_rows
                if made.num_rows:
                    yield made
        except FAILURES as error:
            self._leave()
            raise self._meant(error, columns, where) from None
        if empty:
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def _fetched(self, statement: str) -> Iterator[pa.RecordBatch]:
        self._fast = AdbcSession(adbc_driver_sqlite.connect(self._uri))
        ours = 1
        for batch in self._fast.stream(statement, **OPTIONS):
            yield batch.slice(ours)
            ours = 0

    def _slowly(
        self, columns: Sequence[str], where: sa.ColumnElement[bool] | None
    ) -> Iterator[pa.RecordBatch]:
        schema, done = string_schema(columns), 0
        makes = [exact_texts] * len(columns)
        try:
            statement = self._select(map(quoted, columns), where)
            with self._open().exec_driver_sql(statement) as result:
                # The driver's own values: SQLAlchemy would only wrap them.
                cursor: Any = result.cursor
                while rows := cursor.fetchmany(BATCH_ROWS):
                    yield self._batch(rows, schema, makes, done)
                    done += len(rows)
        except (exc.SQLAlchemyError, sqlite3.Error) as error:
            raise explained(self._obj, error) from None
        if not done:
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def _meant(
        self, error: Exception, columns: Sequence[str], where: sa.ColumnElement[bool] | None
    ) -> SourceError:
        """What a failure means: the slower reader names the value that is no text."""
        if any(word in str(error) for word in TROUBLE):
            return DATABASE_DOWN.about(self._obj)
        try:
            for _ in self._slowly(columns, where):
                pass
        except SourceError as found:
            return found
        return UNREADABLE.about(self._obj)

    def _statement(self, plan: Sequence[Reading], where: sa.ColumnElement[bool] | None) -> str:
        asked = [one for each in plan for one in each if one is not None]
        settled = [one for each in plan for one in ("''", "0.0")[: 1 + (each.fraction is not None)]]
        return f"SELECT {', '.join(settled)} UNION ALL {self._select(asked, where)}"

    def _select(self, asked: Any, where: sa.ColumnElement[bool] | None) -> str:
        statement = f"SELECT {', '.join(asked)} FROM {self._place(self._name)}"
        if where is None:
            return statement
        bound = where.compile(dialect=self._open().dialect, compile_kwargs={"literal_binds": True})
        return f"{statement} WHERE {bound}"

    def _place(self, name: str) -> str:
        return ".".join(quoted(part) for part in (self._schema, name) if part)

    def _is_ordinary(self) -> bool:
        statement = ORDINARY_SQL.format(master=self._place("sqlite_master"))
        try:
            found = self._open().exec_driver_sql(statement, (self._name,)).scalar_one()
        except exc.SQLAlchemyError as error:
            raise explained(self._obj, error) from None
        return bool(found)

    @property
    def _uri(self) -> str:
        """The file, opened for reading alone; SQLite would make it by default."""
        return f"file:{quote(str(Path(self._url.database or '').resolve()))}?mode=ro"

    def _leave(self) -> None:
        if self._fast is not None:
            self._fast.close()
        self._fast = None

    def _reading_engine(self) -> sa.Engine:
        path = Path(self._url.database or "")
        if not path.parent.is_dir():
            raise SourceUnreachable(
                self._obj,
                found="the database's folder is not there",
                expected="the folder that the connection names",
                remedy="see whether the share is mounted; the pull can be tried again",
            )
        if not path.is_file():
            raise SourceFileMissing(
                self._obj,
                found="no such database file",
                expected="the SQLite file that the connection names",
                remedy="ask the department where the file is, then correct the connection",
            )
        return sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(self._uri, uri=True),
            poolclass=sa.NullPool,
            hide_parameters=True,
        )


def quoted(name: str) -> str:
    """A name as SQLite writes it, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def reading(name: str, declared: AnyType) -> Reading:
    """How a column is asked for.

    Where its declared type makes one kind of all numbers, values are told apart by their order:
    numbers come before every text, blobs after. Asking for the type costs twice as much.
    """
    column = quoted(name)
    # Nothing in a query may fail at will, but the smallest number has no absolute value.
    refused = f"abs(-9223372036854775808 + 0 * length({column}))"
    if isinstance(declared, sa.String):
        return Reading(f"CASE WHEN {column} >= x'' THEN {refused} ELSE {column} END", None)
    if isinstance(declared, sa.Float):
        return Reading(
            f"CASE WHEN {column} < '' THEN NULL WHEN {column} >= x'' THEN {refused} "
            f"ELSE {column} END",
            f"CASE WHEN {column} < '' THEN {column} END",
        )
    return Reading(
        f"CASE typeof({column}) WHEN 'blob' THEN {refused} WHEN 'real' THEN NULL ELSE {column} END",
        f"CASE typeof({column}) WHEN 'real' THEN {column} END",
    )


def exact_texts(values: Sequence[Any]) -> Sequence[str | None]:
    """SQLite's values as texts that read back as the same values.

    Raises:
        TypeError: a value is a blob.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return values
    return [value if value is None else _TEXTS[type(value)](value) for value in values]


def fraction_texts(fractions: pa.Array) -> pa.Array:
    """The shortest digits that mean each fraction, never in scientific notation."""
    texts = fractions.cast(pa.string())
    is_whole = pc.equal(fractions, pc.floor(fractions))
    if pc.any(is_whole).as_py():
        texts = pc.if_else(is_whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    size = pc.abs(fractions)
    is_plain = pc.and_(pc.greater_equal(size, PLAIN[0]), pc.less(size, PLAIN[1]))
    if pc.all(is_plain).as_py():
        return texts
    is_odd = pc.invert(is_plain)
    odd = [_float_text(value) for value in fractions.filter(is_odd).to_pylist()]
    return pc.replace_with_mask(texts, is_odd, pa.array(odd, pa.string()))


def _made(batch: pa.RecordBatch, plan: Sequence[Reading], schema: pa.Schema) -> pa.RecordBatch:
    """The columns, with the fractions put in their places."""
    columns = iter(batch.columns)
    arrays = []
    for each in plan:
        texts = next(columns)
        fractions = next(columns) if each.fraction is not None else None
        if fractions is not None and fractions.null_count < len(fractions):
            texts = pc.coalesce(texts, fraction_texts(fractions))
        arrays.append(texts)
    made = pa.RecordBatch.from_arrays(arrays, schema=schema)
    made.validate(full=True)  # SQLite does not see to it that text is UTF-8
    return made


def _no_text(value: Any) -> str:
    raise TypeError(type(value))


def _float_text(value: float) -> str:
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text or "n" in text else text


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: str,
    int: str,
    float: _float_text,
    bytes: _no_text,
}
