"""One table says who may do what."""

import pytest

from catalog.roles import PERMITTED, Action, Role, may


@pytest.mark.requirement("OWN-04")
@pytest.mark.parametrize("action", list(Action))
def test_every_action_is_in_the_table(action):
    assert PERMITTED[action]


@pytest.mark.requirement("OWN-04")
def test_an_officer_acts_for_the_own_body_alone():
    officer, compile_entry = Role.DEPARTMENT_OFFICER, Action.COMPILE_ENTRY
    assert may(officer, compile_entry, org="taxation", object_org="taxation")
    assert not may(officer, compile_entry, org="taxation", object_org="health")


@pytest.mark.requirement("OWN-05")
def test_nobody_who_decides_opens():
    assert PERMITTED[Action.DECIDE_REQUEST].isdisjoint(PERMITTED[Action.OPEN_CHANNEL])
