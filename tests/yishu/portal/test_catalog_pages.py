"""Search and the page of an entry show the catalog in force."""

import re
from io import BytesIO
from urllib.parse import quote

import pytest
from openpyxl import load_workbook

from catalog.roles import Role
from catalog.vocabulary import ChangeCause
from yishu.governance import accounts, lifecycle
from yishu.governance.lifecycle import Draft

OFFICER = Role.DEPARTMENT_OFFICER
ENTRY = "taxation.taxpayer"


@pytest.mark.requirement("CAT-05")
def test_every_published_entry_is_listed(client, portal_world):
    page = client(OFFICER).get("/catalog").text

    for entry_id in portal_world.release().entries:
        assert f"/catalog/entries/{entry_id}" in page


def test_a_filter_leaves_only_what_fits(client):
    page = client(OFFICER).get("/catalog", params={"org": "taxation", "share_type": "conditional"})

    assert "/catalog/entries/taxation.taxpayer" in page.text
    assert "/catalog/entries/public_security.resident" not in page.text


def test_entries_of_a_subject_and_of_a_state_are_found(client, portal_world):
    asker = client(OFFICER)
    content = dict(portal_world.release().entry(ENTRY).model_dump(mode="json"))
    with portal_world.engine.begin() as connection:
        officer = accounts.find(connection, "officer.taxation", portal_world.today())
        for entry_id in (ENTRY, "taxation.invoice"):
            draft = Draft(entry_id, content | {"id": entry_id, "name": f"{entry_id}草稿"},
                          ChangeCause.ELEMENT_CHANGE, "x", portal_world.today())  # fmt: skip
            lifecycle.save(connection, draft, officer, portal_world.clock())

    def found(who=asker, **asked):
        text = who.get("/catalog", params=asked).text
        return set(re.findall(r'href="/catalog/entries/([\w.]+)"', text)), text

    every = set(portal_world.release().entries)
    drafts, text = found(state="draft")
    assert drafts == {ENTRY}
    assert "taxation.invoice草稿" in text
    assert "taxation.invoice" not in found(client("officer.health"), state="draft")[1]
    assert found(state="published")[0] == every - {ENTRY}
    licences, _ = found(subject="e_licence")
    assert "health.medical_licence" in licences
    assert ENTRY not in licences
    assert found(subject="e_licence", state="draft")[0] == set()


@pytest.mark.requirement("CAT-06")
def test_the_catalog_and_an_entry_are_shown_as_of_a_past_day(client, portal_world):
    asker = client(OFFICER)
    then, before = "2026-11-10", "2025-11-01"

    page = asker.get("/catalog/as-of", params={"day": then}).text
    assert f"/catalog/entries/{ENTRY}/as-of?day={then}" in page
    assert ENTRY not in asker.get("/catalog/as-of", params={"day": before}).text
    one = asker.get(f"/catalog/entries/{ENTRY}/as-of", params={"day": then}).text
    assert "统一社会信用代码" in one
    gone = asker.get(f"/catalog/entries/{ENTRY}/as-of", params={"day": before})
    assert gone.status_code == 404
    answer = asker.get("/catalog/as-of.xlsx", params={"day": then})
    rows = list(load_workbook(BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert len(rows) == 1 + len(portal_world.release().entries)


def test_nothing_found_says_what_to_do(client):
    page = client(OFFICER).get("/catalog", params={"q": "甲乙丙丁戊己庚"})

    assert "没有符合条件的目录" in page.text


def test_what_was_never_loaded_can_be_asked_for(client, portal_world):
    asker = client(OFFICER)

    every = asker.get("/catalog", params={"freshness": "never"}).text
    none = asker.get("/catalog", params={"freshness": "late"}).text

    assert "/catalog/entries/taxation.taxpayer" in every
    assert "没有符合条件的目录" in none


@pytest.mark.requirement("CAT-08")
def test_an_entry_shows_elements_items_and_their_source(client, portal_world):
    entry = portal_world.release().entry("taxation.taxpayer")

    page = client(OFFICER).get("/catalog/entries/taxation.taxpayer").text

    assert entry.share.basis in page
    assert entry.open.type.label_zh in page
    for item in entry.items:
        assert item.name in page
    assert "/catalog/entries/market_regulation.enterprise_registration" in page


def test_an_entry_that_is_not_catalogued_is_a_404_with_the_remedy(client):
    answer = client(OFFICER).get("/catalog/entries/taxation.nothing")

    assert answer.status_code == 404
    assert "CAT_NOT_CATALOGED" in answer.text


HALF_A_SECOND = 500  # in milliseconds: a slow press of the mouse, while an answer could come


@pytest.mark.parametrize(("label", "typed"), [("查找", "信用"), ("数据元", "legal_entity.uscc")])
def test_typing_searches_and_a_slow_click_opens_what_was_found(browser_page, picture, label, typed):
    page = browser_page(OFFICER)
    page.goto("/catalog")
    picture(page, "catalog")
    page.get_by_label(label, exact=True).fill(typed)
    page.wait_for_url(f"**={quote(typed)}*")
    page.get_by_role("link", name="纳税人信用信息").click(delay=HALF_A_SECOND)
    page.wait_for_selector("text=数据状态")
    picture(page, "entry")
    assert page.locator("h1").inner_text() == "纳税人信用信息"


def test_a_chosen_condition_searches_at_once(browser_page):
    page = browser_page(OFFICER)
    page.goto("/catalog")

    page.get_by_label("提供部门", exact=True).select_option("taxation")
    page.wait_for_url("**org=taxation*")

    assert page.get_by_role("link", name="纳税人信用信息").is_visible()
    assert page.locator("a[href='/catalog/entries/public_security.resident']").count() == 0


@pytest.mark.parametrize(
    ("dag_id", "path"),
    [
        ("taxation.taxpayer", "/catalog/entries/taxation.taxpayer"),
        ("subject-legal_entity", "/lineage?data_set=subject/legal_entity"),
        ("maintenance", "/catalog"),
        ("https:evil.example", "/catalog"),
    ],
)
def test_a_dag_of_airflow_leads_to_what_it_serves(client, dag_id, path):
    answer = client(Role.QUALITY_MONITOR).get(f"/catalog/dags/{dag_id}")

    assert (answer.status_code, answer.headers["location"]) == (303, path)
