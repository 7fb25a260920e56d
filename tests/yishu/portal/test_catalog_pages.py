"""Search and the page of an entry show the catalog in force."""

import pytest

from catalog.roles import Role

OFFICER = Role.DEPARTMENT_OFFICER


@pytest.mark.requirement("CAT-05")
def test_every_published_entry_is_listed(client, portal_world):
    page = client(OFFICER).get("/catalog").text

    for entry_id in portal_world.release().entries:
        assert f"/catalog/entries/{entry_id}" in page


def test_a_filter_leaves_only_what_fits(client):
    page = client(OFFICER).get("/catalog", params={"org": "taxation", "share_type": "conditional"})

    assert "/catalog/entries/taxation.taxpayer" in page.text
    assert "/catalog/entries/public_security.resident" not in page.text


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


def test_search_and_entry_in_a_real_browser(browser_page, picture):
    page = browser_page(OFFICER)
    page.goto("/catalog")
    picture(page, "catalog")
    page.get_by_label("查找", exact=True).fill("信用")
    page.wait_for_url("**q=*")
    page.get_by_role("link", name="纳税人信用信息").click()
    page.wait_for_selector("text=数据状态")
    picture(page, "entry")


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
