"""Keys, passwords and connections of an installation, generated once and kept owner-only.

Without a fixed Fernet key Airflow stores connection passwords in clear, and without a fixed JWT
secret each of its processes invents its own: both come from here, by environment. A secret is
created by linking a complete file into place, so that of several processes that start at once all
read the same value and none ever sees half of one.

Connections to department systems are one JSON file in the form of Airflow's
``LocalFilesystemBackend``, which the command line reads alike. `fields_of` and `url_of` turn a URL
into Airflow's connection fields and back; orchestration uses the second on Airflow's own objects.
"""

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from catalog.errors import YishuError

FERNET_KEY = "airflow_fernet_key"
JWT_SECRET = "airflow_jwt_secret"  # noqa: S105 - the name of a file
READER_PASSWORD = "reader_password"  # noqa: S105 - the name of a file
POSTGRES_PASSWORD = "postgres_password"  # noqa: S105 - the name of a file
PORTAL_KEY = "portal_key"
ROW_KEY = "row_key"

_FILE_TYPE = "fs"
_DRIVERS = {"postgres": "postgresql"}


class SecretExposed(YishuError):
    """A secret can be read by others than its owner."""

    code = "SECRET_EXPOSED"


class ConnectionsUnreadable(YishuError):
    """The connections file is missing, no JSON, or lacks what a connection needs."""

    code = "CONNECTIONS_UNREADABLE"


def fernet_key(directory: Path) -> str:
    """Airflow's Fernet key: 32 random bytes in URL-safe base64."""
    return once(
        directory / FERNET_KEY, lambda: base64.urlsafe_b64encode(os.urandom(32)).decode("ascii")
    )


def jwt_secret(directory: Path) -> str:
    """The secret with which Airflow's processes sign their tokens (64 bytes)."""
    return once(directory / JWT_SECRET, lambda: secrets.token_urlsafe(64))


def reader_password(directory: Path) -> str:
    """Password of the read-only role on the department databases of the embedded server."""
    return once(directory / READER_PASSWORD, lambda: secrets.token_urlsafe(24))


def postgres_password(directory: Path) -> str:
    """Password of the embedded server's owner role."""
    return once(directory / POSTGRES_PASSWORD, lambda: secrets.token_urlsafe(24))


def portal_key(directory: Path) -> str:
    """The key with which the portal signs what it leaves in browsers (64 bytes)."""
    return once(directory / PORTAL_KEY, lambda: secrets.token_urlsafe(64))


def row_key(directory: Path) -> str:
    """The key of digests by which rows are known again without their values (32 bytes)."""
    return once(directory / ROW_KEY, lambda: secrets.token_urlsafe(32))


def once(path: Path, generate: Callable[[], str]) -> str:
    """The secret in that file, generated on first use.

    Raises:
        SecretExposed: group or others may read the file.
    """
    if not path.exists():
        _create(path, generate())
    return _read_private(path)


def write_connections(path: Path, urls: Mapping[str, str]) -> None:
    """Write the connections file (mode 0600), replacing it as a whole.

    Args:
        path: The file, ending in ``.json`` as Airflow tells the format by it.
        urls: Connection id -> URL: a database, ``http(s)://``, or the path of a drop folder.
    """
    fields = {name: fields_of(url) for name, url in sorted(urls.items())}
    temporary = _write_beside(path, json.dumps(fields, ensure_ascii=False, indent=2) + "\n")
    temporary.replace(path)


def read_connections(path: Path) -> dict[str, str]:
    """Connection id -> URL, from the connections file.

    Raises:
        ConnectionsUnreadable: no such file, no JSON object of objects, or a field is missing.
        SecretExposed: group or others may read the file.
    """
    try:
        stored = json.loads(_read_private(path))
        return {name: url_of(**fields) for name, fields in stored.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConnectionsUnreadable(
            path.name,
            # The text of these errors may hold a password; their class says enough.
            found=type(error).__name__,
            expected="a JSON object: connection id -> Airflow connection fields",
            remedy=f"write the connections again, or mend {path} by hand",
        ) from None


def fields_of(url: str) -> dict[str, Any]:
    """A URL as the fields of an Airflow connection; a plain path is a drop folder (``fs``)."""
    if "://" not in url:
        return {"conn_type": _FILE_TYPE, "extra": {"path": url}}
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return {"conn_type": kind, "host": parsed.database}
    fields = {
        "conn_type": "postgres" if kind == "postgresql" else kind,
        "host": parsed.host,
        "port": parsed.port,
        "login": parsed.username,
        "password": parsed.password,
        "schema": parsed.database,
        "extra": dict(parsed.query),
    }
    return {name: value for name, value in fields.items() if value}


def url_of(
    conn_type: str,
    *,
    host: str | None = None,
    port: int | None = None,
    login: str | None = None,
    password: str | None = None,
    schema: str | None = None,
    extra: Mapping[str, Any] | str | None = None,
) -> str:
    """The URL that the fields of an Airflow connection mean; reverse of `fields_of`.

    Raises:
        ValueError: a drop folder without ``path`` in its extra, or a database without a host.
    """
    options = json.loads(extra) if isinstance(extra, str) and extra else dict(extra or {})
    if conn_type == _FILE_TYPE:
        if not options.get("path"):
            raise ValueError("a connection of type fs needs a path in its extra")
        return str(options["path"])
    if not host:
        raise ValueError("the connection has no host")
    driver = _DRIVERS.get(conn_type, conn_type)
    if driver == "sqlite":
        return URL.create(driver, database=host).render_as_string(hide_password=False)
    url = URL.create(driver, login, password, host, port, schema, query=options)
    return url.render_as_string(hide_password=False)


def _read_private(path: Path) -> str:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SecretExposed(
            path.name,
            found=f"mode {mode:04o}",
            expected="mode 0600, its owner alone",
            remedy=f"replace what is in it if others use this machine, then run: chmod 600 {path}",
        )
    return path.read_text(encoding="utf-8")


def _create(path: Path, value: str) -> None:
    temporary = _write_beside(path, value)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first; its value counts
    finally:
        temporary.unlink()


def _write_beside(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
