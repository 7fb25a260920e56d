"""What tests of several parts share: one PostgreSQL server a session, a fresh database a test."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from yishu.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running embedded server of this test session alone."""
    directory: Path = tmp_path_factory.mktemp("server") / "postgres"
    server = EmbeddedPostgres(directory, secrets.token_urlsafe(16))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    """URL of the session server's ``postgres`` database, for its owner role."""
    return postgres_server.url()


@pytest.fixture
def fresh_database(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty database that no other test uses."""
    return postgres_server.ensure_database(f"t{secrets.token_hex(6)}")
