"""What tests of several parts share: one PostgreSQL server a session, a fresh database a test."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for embedded servers.

    Not ``tmp_path``: every session of pytest closes its common parent to all but its owner, so
    under root a server of one session would lose the way to its data when another one starts.
    """
    folder = Path(tempfile.mkdtemp(prefix="yishu-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running embedded server of this test session alone."""
    server = EmbeddedPostgres(server_folder / "session", secrets.token_urlsafe(16))
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        # Nobody misses these data after a power cut, and tests make many small databases.
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    """URL of the session server's ``postgres`` database, for its owner role."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def copied(postgres_server: EmbeddedPostgres) -> Callable[[str], str]:
    """Makes a database that no other test uses, with the content of a template; its URL."""

    def copy(template: str) -> str:
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return postgres_server.url(name)

    return copy


@pytest.fixture(scope="session")
def ledger_template(postgres_server: EmbeddedPostgres) -> str:
    """Name of a database with an upgraded, empty ledger, to which nobody connects."""
    migrate.upgrade(postgres_server.ensure_database("ledger_template"))
    return "ledger_template"


@pytest.fixture
def fresh_ledger(copied: Callable[[str], str], ledger_template: str) -> str:
    """URL of an upgraded, empty ledger that no other test uses."""
    return copied(ledger_template)


@pytest.fixture
def fresh_database(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty database that no other test uses."""
    return postgres_server.ensure_database(f"t{secrets.token_hex(6)}")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a disk of 1 MiB")
    folder = tempfile.mkdtemp(prefix="yishu-disk-")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let a test mount a disk")
    yield Path(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)
    Path(folder).rmdir()
