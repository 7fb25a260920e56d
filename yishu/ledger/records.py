"""Where facts are written and readings come from: the ledger's database, or one transaction on it.

A stage of the pipeline keeps each fact for itself; a page reads all that it shows of one moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


class Records:
    """The base of the ledger's parts.

    Args:
        database: A PostgreSQL engine on an upgraded ledger database; each call is a transaction of
            its own. Or a transaction that is under way: each call is a part of it.
    """

    def __init__(self, database: Engine | Connection) -> None:
        self._database = database

    @property
    def engine(self) -> Engine:
        """The ledger's database, for what is written by other areas."""
        return self._database.engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for functions that read other areas' tables."""
        if isinstance(self._database, Connection):
            yield self._database
            return
        with self._database.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction on the ledger's database, for acts that are kept together."""
        if isinstance(self._database, Connection):
            yield self._database
            return
        with self._database.begin() as connection:
            yield connection
