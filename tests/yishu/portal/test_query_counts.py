"""A list page asks the database no more often when there is more to list."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from catalog.roles import Action, Role
from yishu.governance import accounts
from yishu.governance.lifecycle import KIND
from yishu.governance.promises import NewClock, open_clock
from yishu.ledger.journal import Act, append
from yishu.sharing import filing
from yishu.sharing.form import RequestForm
from yishu.sharing.installed import house_of

OBJECT = "market_regulation.enterprise_registration"
PAGES = {
    "/": Role.DEPARTMENT_OFFICER, "/catalog": Role.DEPARTMENT_OFFICER,
    "/sharing": Role.DEPARTMENT_OFFICER, "/clocks": Role.DEPARTMENT_OFFICER,
    "/cards": Role.AUTHORITY_REVIEWER, "/objections": Role.QUALITY_MONITOR,
    "/quality": Role.QUALITY_MONITOR, "/notices": Role.DEPARTMENT_OFFICER,
    "/quality-rates": Role.QUALITY_MONITOR, "/review": Role.AUTHORITY_REVIEWER,
    "/compile": Role.DEPARTMENT_OFFICER, "/demands": Role.DEPARTMENT_OFFICER,
    "/register": Role.AUTHORITY_REVIEWER,
    "/journal": "auditor", "/rules": Role.ADMINISTRATOR, "/administration": Role.ADMINISTRATOR,
}  # fmt: skip
MOST = 45


@pytest.fixture(scope="module")
def counted(portal_world, client):
    """How many statements a page runs."""

    def count(path, who):
        asker, statements = client(who), []
        asker.get(path)

        def listener(*given):
            statements.append(given[2])

        event.listen(portal_world.engine, "before_cursor_execute", listener)
        try:
            assert asker.get(path).status_code == 200
        finally:
            event.remove(portal_world.engine, "before_cursor_execute", listener)
        return len(statements)

    return count


def fill(world, number):
    """Requests, clocks and journal records, so many of each."""
    with world.engine.begin() as connection:
        officer = accounts.find(connection, "officer.taxation", world.today())
        desk = house_of(world.settings, world.engine, world.clock, world.release()).desk(connection)
        for one in range(number):
            filing.draft(desk, RequestForm(object_id=OBJECT, scenario=f"场景{one}"), officer)
            since = world.clock() - timedelta(days=one % 20)
            new = NewClock(
                "catalog_update", "wuxi_2022", KIND, f"taxation.e{one}", "taxation", "law_change",
                since,
            )  # fmt: skip
            open_clock(connection, new, officer)
            append(connection, Act(officer, Action.COMPILE_ENTRY, KIND, f"taxation.e{one}", since))


def test_statements_of_list_pages_do_not_grow_with_rows(portal_world, counted):
    fill(portal_world, 3)
    few = {path: counted(path, who) for path, who in PAGES.items()}
    fill(portal_world, 30)

    many = {path: counted(path, who) for path, who in PAGES.items()}

    assert many == few
    assert max(many.values()) <= MOST, many
