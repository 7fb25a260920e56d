"""The embedded PostgreSQL server: one installation's own, without installing one.

    server = embedded_postgres(Settings())
    server.start()                          # True when this call started it
    server.ensure_database("market")        # its URL for the owner role
    server.stop()

`ledger_url` gives the ledger's database, on this server unless the settings name another.
"""

from yishu import secrets
from yishu.embedded.account import AccountMissing
from yishu.embedded.server import (
    EmbeddedError,
    EmbeddedNotRunning,
    EmbeddedNotStarted,
    EmbeddedPostgres,
    NoDiskSpace,
    PortTaken,
    Running,
    client_program,
)
from yishu.settings import Settings

LEDGER_DATABASE = "ledger"
READER = "yishu_reader"

__all__ = [
    "LEDGER_DATABASE",
    "READER",
    "AccountMissing",
    "EmbeddedError",
    "EmbeddedNotRunning",
    "EmbeddedNotStarted",
    "EmbeddedPostgres",
    "NoDiskSpace",
    "PortTaken",
    "Running",
    "client_program",
    "embedded_postgres",
    "ledger_url",
    "reader_password",
    "reader_url",
]


def embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of an installation, running or not."""
    return EmbeddedPostgres(
        settings.postgres_dir,
        secrets.postgres_password(settings.secrets_dir),
        settings.postgres_port,
    )


def ledger_url(settings: Settings) -> str:
    """The URL of the ledger's database; it holds a password, so never log it.

    Without ``database_url`` the embedded server is started and the database made, where needed.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    server = embedded_postgres(settings)
    server.start()
    return server.ensure_database(LEDGER_DATABASE)


def reader_url(settings: Settings, database: str) -> str:
    """The URL with which pulls read a database of the embedded server, and cannot write.

    The role is made where needed. The URL holds a password, so never log it.
    """
    password = reader_password(settings)
    return embedded_postgres(settings).ensure_reader(database, READER, password)


def reader_password(settings: Settings) -> str:
    """The password that the settings give to the reading role, or a generated one that is kept."""
    given = settings.reader_password
    return given.get_secret_value() if given else secrets.reader_password(settings.secrets_dir)
