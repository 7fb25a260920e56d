"""What each dialect of SQLAlchemy needs, so that a session only reads; and where its driver is.

``docs/reference/department-systems.md`` says which of them were run against a real server.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

READ_ONLY_SESSION = {
    "postgresql": "SET default_transaction_read_only = on",
    "opengauss": "SET default_transaction_read_only = on",
    "kingbase": "SET default_transaction_read_only = on",
}
"""Said once, when a session begins. SQLite's file is opened for reading alone."""

READ_ONLY_TRANSACTION = {
    "oracle": "SET TRANSACTION READ ONLY",
    "dm": "SET TRANSACTION READ ONLY",
}
"""Said at the beginning of each transaction. SQL Server has nothing alike: there the account alone
keeps a pull from writing."""

DRIVERS = {
    "oracle": "oracledb",
    "mssql": "pyodbc, and Microsoft's or FreeTDS's ODBC driver",
    "dm": "dmPython and dmSQLAlchemy, as they come with DM8",
    "kingbase": "ksycopg2 and its dialect, as they come with KingbaseES",
    "opengauss": "psycopg2 and opengauss-sqlalchemy",
}
"""Python packages that a dialect needs; none of them is installed with Yishu."""


def only_read(engine: sa.Engine) -> None:
    """Keep every session of an engine from writing, as far as its dialect can."""
    name = engine.dialect.name
    if name in READ_ONLY_SESSION:

        @event.listens_for(engine, "connect")
        def begin_session(driver_connection: Any, _record: Any) -> None:
            cursor = driver_connection.cursor()
            cursor.execute(READ_ONLY_SESSION[name])
            cursor.close()
            driver_connection.commit()

    if name in READ_ONLY_TRANSACTION:

        @event.listens_for(engine, "begin")
        def begin_transaction(connection: sa.Connection) -> None:
            connection.exec_driver_sql(READ_ONLY_TRANSACTION[name])


def remedy_for(url: sa.URL) -> str:
    """What to install when a dialect or its driver is missing."""
    packages = DRIVERS.get(url.get_backend_name())
    if packages is None:
        return "install the dialect's Python driver or correct the connection's URL"
    return f"install {packages}, or correct the connection's URL"
