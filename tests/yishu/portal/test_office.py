"""Home, journal and administration: what waits, what was done, who may come in."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from catalog.roles import Role
from catalog.vocabulary import ChangeCause
from yishu.governance import accounts, lifecycle, versions
from yishu.governance.lifecycle import KIND
from yishu.governance.promises import NewClock, open_clock
from yishu.ledger import upkeep
from yishu.portal.work import work

ENTRY = "taxation.taxpayer"


@pytest.fixture(scope="module")
def busy(portal_world):
    """Two drafts of the tax bureau, clocks of the catalog running for them."""
    with portal_world.engine.begin() as connection:
        officer = accounts.find(connection, "officer.taxation", portal_world.today())
        before = versions.in_force(connection, ENTRY)
        for entry_id, name, days in ((ENTRY, before.name, 2), ("taxation.late_entry", "迟", 40)):
            content = {**before.content, "id": entry_id, "name": name}
            draft = lifecycle.Draft(
                entry_id, content, ChangeCause.LAW_CHANGE, "新规", portal_world.today()
            )
            lifecycle.save(connection, draft, officer, portal_world.clock())
            since = portal_world.clock() - timedelta(days=days)
            new = NewClock(
                "catalog_update", "wuxi_2022", KIND, entry_id, "taxation", "law_change", since
            )
            open_clock(connection, new, officer)
    return portal_world


@pytest.mark.requirement("SUP-02")
def test_the_work_list_has_the_earliest_deadline_first_and_says_how_many_days(busy, client):
    with busy.engine.connect() as connection:
        officer = accounts.find(connection, "officer.taxation", busy.today())
        tasks = work(busy, connection, officer, busy.clock()).tasks

    assert [one.object_id for one in tasks] == ["taxation.late_entry", ENTRY]
    assert tasks[0].deadline.state == "red"
    assert tasks[0].deadline.days_left < 0 < tasks[1].deadline.days_left
    page = client(Role.DEPARTMENT_OFFICER).get("/").text
    assert f"已逾期 {-tasks[0].deadline.days_left} 个工作日" in re.sub(r"\s+", " ", page)


def test_another_department_sees_none_of_it(busy, client):
    page = client("officer.health").get("/").text

    assert ENTRY not in page
    assert "目前没有待办事项" in page


@pytest.mark.requirement("SUP-08")
def test_the_journal_is_searched_proven_and_exported_by_the_auditor(busy, client):
    upkeep.seal_all(busy.engine, busy.settings, busy.clock())
    auditor = client(Role.AUDITOR)

    page = auditor.get("/journal", params={"object_id": ENTRY, "action": "compile_entry"}).text
    assert "officer.taxation" in page
    proof = auditor.post("/journal/proof", data={"csrf": auditor.csrf}).text
    assert "留痕完整" in proof
    exported = auditor.get("/journal/export.jsonl").text
    assert '"compile_entry"' in exported
    assert client(Role.ADMINISTRATOR).get("/journal").status_code == 403


def test_an_account_that_an_administrator_makes_comes_in_with_its_first_password(busy, client):
    admin = client(Role.ADMINISTRATOR)
    form = {"account": "he.xin", "person": "p9", "name": "何新", "role": "quality_monitor",
            "org": "big_data_bureau", "csrf": admin.csrf}  # fmt: skip

    page = admin.post("/administration/accounts", data=form).text
    password = re.search(r"he\.xin <code>([0-9a-f-]+)</code>", page).group(1)

    asker = client()
    answer = asker.post("/sign-in", data={"account": "he.xin", "password": password})
    assert answer.status_code == 303
    assert asker.get("/").headers["location"] == "/password"


def test_the_home_page_leads_to_the_most_urgent_work(busy, browser_page, picture):
    page = browser_page(Role.DEPARTMENT_OFFICER)
    page.goto("/")
    picture(page, "home")
    first = page.locator("tbody tr").first

    assert page.locator(".card-sm", has_text="已逾期").locator(".h2").inner_text() == "1"
    assert "已逾期" in first.inner_text()
    first.get_by_role("link", name="迟").click()
    expect(page).to_have_url(re.compile("/compile/taxation.late_entry$"))


def test_the_auditor_searches_the_journal_by_account(busy, browser_page, picture):
    page = browser_page(Role.AUDITOR)
    page.goto("/journal")
    picture(page, "journal")

    page.fill("#f-account", "officer.taxation")
    page.get_by_role("button", name="查找").click()
    page.wait_for_url("**account=officer.taxation*")

    accounts_told = page.locator("tbody tr td:nth-child(3)").all_inner_texts()
    assert set(accounts_told) == {"officer.taxation"}
    page.goto("/account")
    picture(page, "account")
    assert page.locator("#f-label").is_visible()


def test_the_administrator_makes_an_account_and_sees_its_password_once(browser_page, picture):
    page = browser_page(Role.ADMINISTRATOR)
    page.goto("/administration")
    picture(page, "administration")
    form = page.locator('form[action="/administration/accounts"]')
    for name, value in (("account", "he.min"), ("person", "p-he"), ("name", "何敏")):
        form.locator(f"#f-{name}").fill(value)
    form.locator("#f-role").select_option(Role.AUDITOR)
    form.locator("#f-org").select_option("taxation")

    form.get_by_role("button", name="新建账号").click()
    page.get_by_role("status").first.wait_for()

    assert page.locator("tr", has_text="he.min").locator("td").nth(1).inner_text() == "何敏"
    assert "he.min" in page.get_by_role("status").first.inner_text()
