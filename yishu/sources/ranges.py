"""One table of PostgreSQL in several ranges, all as it was at one moment.

A session of its own exports a snapshot and stays open until all is read; every range is read by
another session in that snapshot. So the ranges together are what one read would have given, even
while rows change their key, and a range that broke can be read again alone.

A big table is cut by where its rows lie, so that the server reads each of its pages once; a small
one, a view or one of which only some columns may be read, by its key. In a snapshot a row lies at
one place.

The exporting session also keeps the table from being rewritten or emptied meanwhile, by the same
lock that any reader holds: a rewritten table would look empty to an older snapshot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import TracebackType
from typing import Self

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa

from catalog.model import SourceSpec
from yishu.sources.adbc import FAILURES, AdbcSession
from yishu.sources.errors import SourceChanged
from yishu.sources.postgresql import (
    STATEMENT_TIMEOUT,
    PostgresqlSource,
    SharedSnapshot,
    enter,
    qualified,
    session_url,
    text_literal,
)
from yishu.sources.postgresql_errors import explained
from yishu.sources.postgresql_types import quoted
from yishu.sources.protocol import Connection

SAMPLE_ROWS = 30_000
"""Rows that the borders of ranges are estimated from; they only decide how even the ranges are."""

PLACE = "ctid"
"""PostgreSQL's column of where a row lies: page and number; never null."""

BIG_PAGES = 1_000
"""From so many pages of usually 8 kB on a table is cut by place."""

EXPORT_SQL = """
SELECT pg_export_snapshot(), pg_current_snapshot()::text, pg_postmaster_start_time()::text
"""
"""One statement, so that the moment is that of the snapshot."""

SIZE_SQL = """
SELECT relkind = ANY ('{{r,m,p}}'),
       (CASE WHEN reltuples < 0 THEN pg_relation_size(oid) / 200.0 ELSE reltuples END)::float8,
       CASE WHEN relkind = ANY ('{{r,m}}') AND has_table_privilege(oid, 'SELECT')
            THEN pg_relation_size(oid) / current_setting('block_size')::int8 ELSE 0 END
FROM pg_class WHERE oid = to_regclass({table})
"""
"""Whether samples can be taken, about how many rows there are (200 bytes a row is a guess), and how
many pages; 0 where the account may not ask for a row's place."""

KEEPER = {"idle_in_transaction_session_timeout": "0"}
"""The session that keeps the snapshot waits for the others without a query of its own."""


@dataclass(frozen=True)
class Range:
    """Rows whose key or place is at least ``lower`` and below ``upper``, in PostgreSQL's own text.

    None is open; the range that is open below also has the rows without a key.
    """

    lower: str | None
    upper: str | None

    def condition(self, key: str) -> str:
        """The range as a condition on that column; empty for all rows."""
        name = quoted(key)
        bounds = []
        if self.lower is not None:
            bounds.append(f"{name} >= {text_literal(self.lower)}")
        if self.upper is not None:
            below = f"{name} < {text_literal(self.upper)}"
            may_lack = not bounds and key != PLACE
            bounds.append(f"({below} OR {name} IS NULL)" if may_lack else below)
        return " AND ".join(bounds)


@dataclass(frozen=True)
class RangePlan:
    """How a table is cut, and at which moment it is read.

    Attributes:
        snapshot: The exported snapshot's name, good while the session that exported it lives.
        moment: Which transactions it sees; names may come again after a restart, this may not.
        server: When the server was started.
        key: The column by which the table is cut, which may be ``PLACE``.
        ranges: Ascending; together they hold every row once.
    """

    snapshot: str
    moment: str
    server: str
    key: str
    ranges: tuple[Range, ...]


class RangedSource:
    """A table that is read in ranges; ``begin`` or ``resume`` first, ``confirm`` last."""

    def __init__(self, spec: SourceSpec, connection: Connection) -> None:
        self._spec, self._connection = spec, connection
        self._obj = f"{connection.id}: {spec.table}"
        self._table = qualified(spec.table or "")
        self._keeper: AdbcSession | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def begin(self, key: str, ranges: int) -> RangePlan:
        """Take a snapshot and cut the table into at most that many ranges, about equally long.

        Raises:
            SourceError: the table cannot be read.
        """
        try:
            # Each statement sees anew until the export, so the lock comes before the snapshot.
            keeper = self._connect()
            keeper.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
            self._lock(keeper, key)
            by, borders = self._borders(keeper, key, ranges) if ranges > 1 else (key, [])
            [(snapshot, moment, server)] = keeper.rows(EXPORT_SQL)
        except FAILURES as error:
            raise explained(self._obj, error) from None
        ends = [None, *borders, None]
        pieces = tuple(Range(*pair) for pair in pairwise(ends))
        return RangePlan(snapshot, moment, server, by, pieces)

    def resume(self, plan: RangePlan) -> RangePlan | None:
        """Go on in the snapshot of a plan, held by us now; None when it has ended.

        Raises:
            SourceError: the table cannot be read.
        """
        try:
            keeper = self._connect()
            try:
                enter(keeper, plan.snapshot)
            except adbc_driver_manager.Error:
                self._leave()
                return None
            [(snapshot, *identity)] = keeper.rows(EXPORT_SQL)
            if identity != [plan.moment, plan.server]:
                self._leave()
                return None
            self._lock(keeper, plan.key)
            return replace(plan, snapshot=snapshot)
        except FAILURES as error:
            raise explained(self._obj, error) from None

    def read(
        self, columns: Sequence[str], plan: RangePlan, piece: Range
    ) -> Iterator[pa.RecordBatch]:
        """Stream the columns of one range's rows, in a session of its own.

        Raises:
            SourceError: as ``PostgresqlSource.read``.
        """
        shared = SharedSnapshot(plan.snapshot, self._held())
        with PostgresqlSource(self._spec, self._connection, shared=shared) as source:
            yield from source.read_range(columns, piece.condition(plan.key))

    def confirm(self) -> None:
        """Make sure that snapshot and lock were held to the end.

        Raises:
            SourceChanged: they were not, so what was read may not belong together.
        """
        try:
            self._held().rows("SELECT 1")
        except FAILURES:
            raise SourceChanged(
                self._obj,
                found="the session that kept the shared snapshot ended before the last range",
                expected="one snapshot for all ranges",
                remedy="the pull can be tried again; all ranges are pulled anew",
            ) from None

    def _connect(self) -> AdbcSession:
        self._leave()
        url = session_url(self._connection.url, STATEMENT_TIMEOUT, KEEPER)
        self._keeper = AdbcSession(adbc_driver_postgresql.connect(url))
        return self._keeper

    def _held(self) -> AdbcSession:
        if self._keeper is None:
            raise RuntimeError("begin or resume comes first")
        return self._keeper

    def _leave(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
        self._keeper = None

    def _lock(self, keeper: AdbcSession, key: str) -> None:
        # A read of nothing: it takes a reader's lock with a reader's privilege.
        keeper.rows(f"SELECT {quoted(key)} FROM {self._table} LIMIT 0")

    def _borders(self, keeper: AdbcSession, key: str, ranges: int) -> tuple[str, list[str]]:
        """The column to cut by, and where in it ranges begin, ascending."""
        asked = SIZE_SQL.format(table=text_literal(self._table))
        [(is_table, rows, pages)] = keeper.rows(asked)
        if pages >= BIG_PAGES:
            return PLACE, [f"({pages * i // ranges},0)" for i in range(1, ranges)]
        sample = ""
        if is_table and rows > SAMPLE_ROWS:
            # Repeatable, so that an untouched table is cut at the same places each time.
            sample = f"TABLESAMPLE SYSTEM ({100 * SAMPLE_ROWS / rows:.6f}) REPEATABLE (1)"
        shares = ", ".join(f"{i / ranges:.6f}" for i in range(1, ranges))
        name = quoted(key)
        [(found,)] = keeper.rows(
            f"SELECT (percentile_disc(ARRAY[{shares}]) WITHIN GROUP (ORDER BY {name}))::text[] "
            f"FROM {self._table} {sample}"
        )
        return key, list(dict.fromkeys(border for border in found or [] if border is not None))
