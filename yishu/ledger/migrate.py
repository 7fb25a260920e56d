"""Bring a ledger database to the present form: tables by Alembic, views from ``sql/views``.

A new form of the tables is a new file in ``sql/migrations/versions``, written by hand and never
changed once it has run anywhere; views are plain files and simply replaced.
"""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine, text

from yishu.ledger.models import SCHEMA
from yishu.ledger.statements import SQL_FOLDER, views

_LOCK = 0x79697368
"""Advisory lock number of an upgrade ("yish"): processes that start together take turns."""


def upgrade(url: str) -> None:
    """Upgrade the ledger at that URL, all or nothing; nothing to do is fine.

    Raises:
        sqlalchemy.exc.OperationalError: the database cannot be reached.
    """
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text(f"create schema if not exists {SCHEMA}"))
        _replace_views_around(connection)


def _replace_views_around(connection: Connection) -> None:
    # A view would forbid changing the columns that it reads.
    for name, _ in reversed(views()):
        connection.execute(text(f"drop view if exists {SCHEMA}.{name}"))
    config = Config()
    config.set_main_option("script_location", str(SQL_FOLDER / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    for _, statement in views():
        connection.execute(text(statement))
