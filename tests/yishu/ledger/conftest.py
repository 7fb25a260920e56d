"""An empty ledger a test, copied from one that was upgraded once."""

import secrets

import psycopg
import pytest
from sqlalchemy import create_engine

from yishu.ledger import Ledger, migrate


@pytest.fixture(scope="session")
def ledger_template(postgres_server):
    """Name of a database with an upgraded, empty ledger, which nobody connects to."""
    migrate.upgrade(postgres_server.ensure_database("ledger_template"))
    return "ledger_template"


@pytest.fixture
def ledger_database(postgres_server, ledger_template):
    """URL of a database that holds an upgraded, empty ledger."""
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {ledger_template}")
    return postgres_server.url(name)


@pytest.fixture
def engine(ledger_database):
    made = create_engine(ledger_database)
    yield made
    made.dispose()


@pytest.fixture
def empty_ledger(engine):
    return Ledger(engine)
