"""An empty ledger a test."""

import pytest
from sqlalchemy import create_engine

from yishu.ledger import Ledger


@pytest.fixture
def ledger_database(fresh_ledger):
    return fresh_ledger


@pytest.fixture
def engine(ledger_database):
    made = create_engine(ledger_database)
    yield made
    made.dispose()


@pytest.fixture
def empty_ledger(engine):
    return Ledger(engine)
