"""An empty ledger a test."""

import pytest
from sqlalchemy import create_engine

from yishu.ledger import Ledger, migrate


@pytest.fixture
def ledger_database(fresh_database):
    """URL of a database that holds an upgraded, empty ledger."""
    migrate.upgrade(fresh_database)
    return fresh_database


@pytest.fixture
def engine(ledger_database):
    made = create_engine(ledger_database)
    yield made
    made.dispose()


@pytest.fixture
def empty_ledger(engine):
    return Ledger(engine)
