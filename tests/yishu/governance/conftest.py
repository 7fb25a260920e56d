"""An empty ledger a test, the catalog's rules, and people of the city."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.roles import Role
from yishu.clocks import BEIJING, WorkingDays
from yishu.clocks.table import read_table
from yishu.governance.clock_rules import clock_rules
from yishu.ledger.journal import Actor

ROOT = Path(__file__).resolve().parents[3]
WORKING_DAYS = ROOT / "catalog" / "working_days"


@pytest.fixture(scope="session")
def at():
    """Makes moments of a day in Beijing."""

    def moment(day: str, clock: str = "10:00:00") -> datetime:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BEIJING)

    return moment


@pytest.fixture
def ledger_engine(fresh_ledger):
    """An upgraded, empty ledger."""
    made = create_engine(make_url(fresh_ledger).set(drivername="postgresql+psycopg"))
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def shared_ledger(copied, ledger_template):
    """A ledger that no test commits to."""
    made = create_engine(make_url(copied(ledger_template)).set(drivername="postgresql+psycopg"))
    yield made
    made.dispose()


@pytest.fixture
def connection(shared_ledger):
    """A transaction on an empty ledger, rolled back at the end."""
    with shared_ledger.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def statements(ledger_engine):
    """The statements that reach the test's own ledger, as they come."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(ledger_engine, "before_cursor_execute", note)
    yield seen
    event.remove(ledger_engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def catalog():
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return loaded


@pytest.fixture(scope="session")
def rules(catalog):
    """The rules of the example city under its default profile."""
    return clock_rules(
        catalog,
        WorkingDays(read_table(WORKING_DAYS)),
        profile="wuxi_2022",
        authority="big_data_bureau",
        operator="command_centre",
    )


@pytest.fixture(scope="session")
def officer():
    return Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")


@pytest.fixture(scope="session")
def reviewer():
    return Actor("person-2", "zhou.ping", Role.AUTHORITY_REVIEWER, "big_data_bureau")


@pytest.fixture(scope="session")
def monitor():
    return Actor("person-3", "wu.ke", Role.QUALITY_MONITOR, "big_data_bureau")
