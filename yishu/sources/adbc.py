"""Sessions by ADBC's own bindings, which are all that streaming takes.

Instead of the driver's DB-API layer, because that one imports pandas: a quarter of a second of
every process that pulls.
"""

from contextlib import suppress
from typing import Any

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement

FAILURES = (adbc_driver_manager.Error, pa.ArrowException, OSError)
"""All that a driver may raise; while rows stream, it is Arrow that passes on the driver's words."""


class AdbcSession:
    """A connection that commits each statement by itself and reads one answer at a time."""

    def __init__(self, database: AdbcDatabase, *, is_owner: bool = True) -> None:
        """Connect.

        Args:
            database: Where to, and how.
            is_owner: Nobody else uses it, so it ends with the session.

        Raises:
            adbc_driver_manager.Error: nobody answers, or the account is refused.
        """
        self._database, self._is_owner = database, is_owner
        self._answer: list[Any] = []
        self._connection: AdbcConnection | None = None
        try:
            self._connection = AdbcConnection(database)
        except adbc_driver_manager.Error:
            self.close()
            raise

    def beside(self) -> "AdbcSession":
        """Another session with the same database, to be closed before this one.

        It comes sooner than the first, for which the driver asked what types there are.

        Raises:
            adbc_driver_manager.Error: nobody answers any more.
        """
        return AdbcSession(self._database, is_owner=False)

    def close(self) -> None:
        """End the session, even one that is broken."""
        self.leave()
        owned = [self._connection, self._database if self._is_owner else None]
        _close_all([one for one in owned if one is not None])

    def leave(self) -> None:
        """Leave unread what there is still of the answer."""
        _close_all(self._answer)
        self._answer = []

    def schema(self, query: str) -> pa.Schema:
        """The columns that a query would give, without executing it.

        Raises:
            adbc_driver_manager.Error: the query is wrong, or the connection broke.
        """
        with AdbcStatement(self._connection) as statement:
            statement.set_sql_query(query)
            return pa.schema(statement.execute_schema())

    def stream(self, query: str, **options: str) -> pa.RecordBatchReader:
        """Begin to read a query's rows, and leave the answer before it.

        Args:
            query: The statement.
            options: Of the driver, for this statement.

        Raises:
            adbc_driver_manager.Error: it cannot be executed.
        """
        self.leave()
        statement = AdbcStatement(self._connection)
        self._answer = [statement]
        statement.set_options(**options)
        statement.set_sql_query(query)
        handle, _ = statement.execute_query()
        reader = pa.RecordBatchReader.from_stream(handle)
        self._answer = [reader, statement]
        return reader

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a short answer.

        Raises:
            adbc_driver_manager.Error, pa.ArrowException, OSError: it cannot be had.
        """
        found = self.stream(query).read_all()
        self.leave()
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))

    def execute(self, statement: str) -> None:
        """Execute a statement that has no rows.

        Raises:
            adbc_driver_manager.Error: it cannot be executed.
        """
        with AdbcStatement(self._connection) as asked:
            asked.set_sql_query(statement)
            asked.execute_update()


def _close_all(resources: list[Any]) -> None:
    for resource in resources:
        # What broke cannot be closed properly, and the first error is the one to see.
        with suppress(*FAILURES):
            resource.close()
