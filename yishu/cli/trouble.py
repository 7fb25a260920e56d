"""A database that does not answer, said as an error of ours: what, why, what to do.

The text of a driver may quote the URL, so its password never leaves this module.
"""

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from catalog.errors import YishuError
from yishu.redact import HIDDEN, redact
from yishu.settings import Settings

DATABASE_ERRORS = (ArgumentError, InterfaceError, OperationalError, psycopg.OperationalError)
"""What SQLAlchemy and the driver raise when a database is not there, or its URL is none."""


class DatabaseUnreachable(YishuError):
    """The database of the ledger cannot be used now."""

    code = "DATABASE_UNREACHABLE"
    retryable = True


def unreachable(error: Exception, here: Settings) -> DatabaseUnreachable:
    """The error to show instead of one of `DATABASE_ERRORS`."""
    if here.database_url is None:
        return DatabaseUnreachable(
            "the embedded PostgreSQL",
            found=_text(error, ""),
            expected="a server that accepts connections",
            remedy="see var/postgres/server.log and run `yishu doctor`; the server may be starting",
        )
    url = here.database_url.get_secret_value()
    return DatabaseUnreachable(
        address(url),
        found=_text(error, url),
        expected="a PostgreSQL server that lets us in",
        remedy="start that server or mend YISHU_DATABASE_URL; without it, the embedded one is used",
    )


def address(url: str) -> str:
    """Where a database is, without who signs in there; a URL that is none is not repeated."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        return "YISHU_DATABASE_URL"
    return f"{parts.host or 'localhost'}:{parts.port or 5432}/{parts.database or ''}"


def _text(error: Exception, url: str) -> str:
    if isinstance(error, ArgumentError):
        return "a URL that SQLAlchemy cannot use; it looks like postgresql://user@host:5432/ledger"
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    text = redact(lines[0] if lines else type(error).__name__)
    for secret in _secrets(url):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(url: str) -> list[str]:
    try:
        parts = make_url(url) if url else None
    except (ArgumentError, ValueError):
        return [url]
    if parts is None:
        return []
    given = [parts.password, parts.query.get("password")]
    return [secret for secret in given if isinstance(secret, str) and secret]
