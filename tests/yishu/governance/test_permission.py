"""Accounts act in one role for one body, and are refused what is not theirs."""

from datetime import date

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.roles import Action, Role
from yishu.governance import accounts
from yishu.governance.errors import AccountUnknown, Forbidden
from yishu.governance.permission import require
from yishu.ledger.journal import Actor

OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")
DAY = date(2026, 11, 20)


@pytest.fixture
def engine(fresh_ledger):
    return create_engine(make_url(fresh_ledger).set(drivername="postgresql+psycopg"))


@pytest.mark.requirement("OWN-04", "CAT-04")
def test_an_officer_may_not_compile_for_another_body():
    require(OFFICER, Action.COMPILE_ENTRY, "taxation.taxpayer", "taxation")
    with pytest.raises(Forbidden) as refused:
        require(OFFICER, Action.COMPILE_ENTRY, "health.medical_licence", "health")
    assert "department_officer of health" in refused.value.expected


def test_an_account_is_found_on_the_days_it_is_valid(engine):
    with engine.begin() as connection:
        accounts.add(connection, OFFICER, "李安", valid_from=DAY)
        assert accounts.find(connection, "li.an", DAY) == OFFICER
        with pytest.raises(AccountUnknown):
            accounts.find(connection, "li.an", date(2026, 11, 19))
