"""The journal keeps every act in a chain that shows where it was broken."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from catalog.roles import Action, Role
from yishu.ledger.journal import GENESIS, Act, Actor, append
from yishu.ledger.models import JournalRecord

AT = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")


def _act(number: int) -> Act:
    return Act(OFFICER, Action.COMPILE_ENTRY, "catalog_entry", f"taxation.e{number}", AT)


@pytest.mark.requirement("SUP-08")
def test_each_record_is_chained_to_the_one_before(engine):
    with engine.begin() as connection:
        hashes = [append(connection, _act(number)) for number in range(3)]
    with engine.connect() as connection:
        rows = connection.execute(select(JournalRecord).order_by(JournalRecord.number)).all()
    assert [row.hash for row in rows] == hashes
    assert [row.previous_hash for row in rows] == [GENESIS, *hashes[:2]]


def test_an_act_that_is_rolled_back_leaves_no_record(engine):
    with engine.connect() as connection:
        append(connection, _act(0))
        connection.rollback()
        assert connection.execute(text("select count(*) from ledger.journal")).scalar() == 0
