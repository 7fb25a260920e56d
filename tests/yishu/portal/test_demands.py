"""The lists of demands and duties when they are long: pages of them, and all are counted."""

import re

import pytest
from sqlalchemy import insert

from catalog.roles import Role
from yishu.ledger.models import ShareDemand, ShareResponsibility

DEMANDS, DUTIES = 120, 60


@pytest.fixture(scope="module")
def listed(portal_world):
    """More demands than a page shows, every third of them met; more duties than a page shows."""
    at = portal_world.clock()
    demands = [
        {
            "demand_id": f"XQ{one:08d}", "org": "taxation", "title": f"需求{one:03d}",
            "wanted": ["企业名称" if one % 3 == 0 else f"没有的数据{one}"], "scenario": "核对",
            "service_items": ["320106001000"], "mode": "api", "cycle": "daily", "listed_at": at,
        }
        for one in range(DEMANDS)
    ]  # fmt: skip
    duties = [
        {"org": f"d{one:02d}", "entry_id": "taxation.taxpayer", "duty_basis": "某条例第一条",
         "listed_at": at}
        for one in range(DUTIES)
    ]  # fmt: skip
    with portal_world.engine.begin() as connection:
        connection.execute(insert(ShareDemand), demands)
        connection.execute(insert(ShareResponsibility), duties)
    return portal_world


def titles(text):
    return re.findall(r"需求\d{3}", text)


@pytest.mark.requirement("SHR-02", "SHR-04")
def test_every_demand_stands_on_exactly_one_page(client, listed):
    reviewer = client(Role.AUTHORITY_REVIEWER)
    pages = [reviewer.get(f"/demands?page={number}").text for number in (1, 2, 3, 4)]

    found = [title for text in pages for title in titles(text)]

    assert found == [f"需求{one:03d}" for one in range(DEMANDS)]
    assert [len(titles(text)) for text in pages] == [50, 50, 20, 0]
    assert f"({DEMANDS})" in pages[0]
    assert sum(text.count("已满足") for text in pages) == DEMANDS // 3
    assert sum(text.count("未满足") for text in pages) == DEMANDS - DEMANDS // 3


def test_both_lists_are_turned_apart(client, listed):
    reviewer = client(Role.AUTHORITY_REVIEWER)

    text = reviewer.get("/demands?page=2&duties=2").text

    assert text.count("某条例第一条") == DUTIES - 50
    assert "/demands?duties=2&amp;page=1" in text
    assert "/demands?page=2&amp;duties=1" in text
    assert reviewer.get("/demands?page=0").status_code == 422


def test_a_page_looks_up_only_the_demands_that_it_shows(client, listed, monkeypatch):
    asked = []
    supply = type(listed.supply())
    holders = supply.holders
    monkeypatch.setattr(
        supply,
        "holders",
        lambda self, want, **but: asked.append(want) or holders(self, want, **but),
    )

    client(Role.AUTHORITY_REVIEWER).get("/demands")

    assert len(asked) == 50
