"""An empty ledger a test."""

import pytest
from sqlalchemy import create_engine

from yishu.ledger import Ledger


@pytest.fixture
def engine(fresh_ledger):
    made = create_engine(fresh_ledger)
    yield made
    made.dispose()


@pytest.fixture
def empty_ledger(engine):
    return Ledger(engine)
