"""Where data come from and go: the entry's users, the picture of the flow, sources, disputes."""

from datetime import timedelta
from itertools import pairwise

import pytest

from catalog.roles import Role
from yishu.governance import accounts, sources
from yishu.ledger import Ledger
from yishu.portal.picture import BOX_HEIGHT, picture

ENTRY = "taxation.taxpayer"
SUBJECT = "legal_entity"


@pytest.fixture(scope="module")
def flowing(portal_world):
    """Events of a pull, a publication, a build and a delivery of 300 tables and one entry."""
    ledger = Ledger(portal_world.engine)
    chain = ["landing/" + ENTRY, "unified/" + ENTRY, "subject/" + SUBJECT, "share/GT00000001"]
    lines = list(pairwise(chain))
    lines += [(f"landing/a.e{number}", f"unified/a.e{number}") for number in range(150)]
    for number, (one, two) in enumerate(lines):
        at = (portal_world.clock() - timedelta(hours=1)).isoformat()
        given = {"namespace": "yishu", "name": one, "field": "uscc"}
        facet = {"columnLineage": {"fields": {"uscc": {"inputFields": [given]}}}}
        ledger.record_lineage(
            {
                "eventType": "COMPLETE",
                "eventTime": at,
                "job": {"namespace": "yishu", "name": f"job{number}"},
                "run": {"runId": f"00000000-0000-0000-0000-{number:012}"},
                "outputs": [{"namespace": "yishu", "name": two, "facets": facet}],
            }
        )
    return portal_world


@pytest.mark.requirement("QUA-04")
def test_the_flow_leads_from_a_departments_column_to_a_grant_by_clicks(flowing, client):
    asker = client(Role.AUDITOR)
    entry = asker.get(f"/catalog/entries/{ENTRY}").text
    assert f"/lineage?data_set=unified/{ENTRY}" in entry

    table = asker.get("/lineage", params={"data_set": f"unified/{ENTRY}"}).text
    for name in (f"landing/{ENTRY}", f"subject/{SUBJECT}", "share/GT00000001"):
        assert f'href="/lineage?data_set={name}"' in table
    assert "a.e1" not in table

    column = asker.get("/lineage", params={"data_set": f"unified/{ENTRY}", "column": "uscc"}).text
    assert 'href="/lineage?data_set=share/GT00000001&amp;column=uscc"' in column
    assert asker.get("/lineage", params={"data_set": "x", "column": "y"}).status_code == 404


def test_three_hundred_boxes_do_not_overlap():
    lines = [(f"a{number}", f"b{number % 50}") for number in range(250)]
    drawn = picture(lines)

    assert len(drawn.boxes) == 300
    by_column = {}
    for box in drawn.boxes:
        by_column.setdefault(box.x, []).append(box.y)
    assert len(by_column) == 2
    for places in by_column.values():
        places.sort()
        assert all(two - one > BOX_HEIGHT for one, two in pairwise(places))
    assert all(one.x < two.x for one, two in drawn.lines)


def test_a_flow_in_a_circle_is_drawn_too():
    assert len(picture([("a", "b"), ("b", "a")]).boxes) == 2


@pytest.fixture(scope="module")
def registered(portal_world):
    """The sources of the rule files in the register."""
    with portal_world.engine.begin() as connection:
        reviewer = accounts.find(connection, "reviewer", portal_world.today())
        release, since = portal_world.release(), portal_world.clock() - timedelta(days=19)
        assert sources.adopt(connection, release, reviewer, since)
    return portal_world


@pytest.mark.requirement("OWN-01")
def test_a_dispute_goes_from_the_register_to_the_decision(registered, client):
    officer, reviewer = client(Role.DEPARTMENT_OFFICER), client(Role.AUTHORITY_REVIEWER)
    listed = officer.get("/register", params={"element": "legal_entity.name"}).text
    assert "企业登记基本信息" in listed
    form = {
        "element": "legal_entity.name", "entry": ENTRY, "by": "registrar", "values": "9",
        "since": "2026-11-20", "why": "税务登记更新更早",
    }  # fmt: skip
    refused = officer.post("/register/claims", data={"csrf": officer.csrf, **form})
    assert refused.status_code in (409, 422)

    path = officer.post("/register/disputes", data={"csrf": officer.csrf, **form}).headers[
        "location"
    ]
    due = {"csrf": officer.csrf, "due": "2026-12-20"}
    assert officer.post(f"{path}/escalate", data=due).status_code == 303
    ruling = {"winner": ENTRY, "since": "2026-12-01", "csrf": reviewer.csrf}
    assert reviewer.post(f"{path}/decide", data={**ruling, "reason": " "}).status_code == 422
    decided = reviewer.post(f"{path}/decide", data={**ruling, "reason": "依据充分"})
    assert decided.status_code == 303, decided.text
    assert "已裁定" in officer.get(path).text
    assert "已裁定" in officer.get("/register/disputes").text


def test_an_officer_of_another_department_asks_and_the_own_one_does_not(client):
    path = f"/sharing/new/{ENTRY}"
    page = f"/catalog/entries/{ENTRY}"

    assert path in client("officer.health").get(page).text
    assert path not in client("officer.taxation").get(page).text
    assert f"{page}/revoke" in client(Role.AUTHORITY_REVIEWER).get(page).text
    assert f"{page}/revoke" not in client(Role.AUDITOR).get(page).text


def test_flow_pages_in_a_real_browser(flowing, registered, browser_page, picture):
    page = browser_page(Role.DEPARTMENT_OFFICER)
    for name, path in {
        "lineage-city": "/lineage",
        "lineage-table": f"/lineage?data_set=unified/{ENTRY}",
        "lineage-column": f"/lineage?data_set=unified/{ENTRY}&column=uscc",
        "register": "/register",
        "entry-now": f"/catalog/entries/{ENTRY}",
    }.items():
        assert page.goto(path).status == 200
        picture(page, name)


@pytest.mark.requirement("OWN-01")
def test_programs_claim_and_dispute_as_people_do(registered, ask):
    wanted = {
        "element": "legal_entity.name", "entry": ENTRY, "since": "2026-11-20", "why": "税务登记",
        "scope": {"by": "registrar", "values": ["5"]},
    }  # fmt: skip
    assert ask("auditor", "POST", "/sources", json=wanted).status_code == 403
    assert ask("officer.taxation", "POST", "/sources", json=wanted).status_code in (409, 422)

    due = {**wanted, "due": "2026-12-20"}
    opened = ask("officer.taxation", "POST", "/disputes", json=due).json()
    path = f"/disputes/{opened['dispute']}"
    passed = ask("officer.taxation", "POST", f"{path}/steps", json={"step": "escalate"})
    assert passed.json()["stage"] == "authority"
    ruling = {"step": "decide", "winner": ENTRY, "since": "2026-12-01", "reason": "依据充分"}
    assert ask("officer.taxation", "POST", f"{path}/steps", json=ruling).status_code == 403
    assert ask("reviewer", "POST", f"{path}/steps", json=ruling).json()["winner"] == ENTRY
    assert ask("auditor", "GET", path).json()["stage"] == "decided"
    undecided = ask("auditor", "GET", "/disputes", params={"undecided": True}).json()
    assert opened["dispute"] not in {one["dispute"] for one in undecided}


def test_programs_read_sources_lineage_demands_and_rates(registered, ask):
    of_name = {"element": "legal_entity.name"}
    named = {one["entry_id"] for one in ask("auditor", "GET", "/sources", params=of_name).json()}
    assert "market_regulation.enterprise_registration" in named
    assert ask("auditor", "GET", "/sources", params={**of_name, "page": 2}).json() == []
    gaps = ask("auditor", "GET", "/sources/gaps").json()
    assert all(one["codes"] for one in gaps)
    flows = ask("auditor", "GET", "/lineage").json()
    assert {name for pair in flows["flows"] for name in pair} <= set(flows["data_sets"])

    assert ask("officer.taxation", "POST", "/demands", json={"title": "企业"}).status_code == 422
    wanted = {
        "title": "企业登记", "wanted": ["企业名称"], "scenario": "核对", "mode": "api",
        "service_items": ["320107009000"], "cycle": "daily",
    }  # fmt: skip
    number = ask("officer.taxation", "POST", "/demands", json=wanted).json()["demand_id"]
    own = ask("auditor", "GET", "/demands", params={"org": "taxation"}).json()
    assert number in [one["demand_id"] for one in own]
    duty = {"entry": ENTRY, "basis": "税务登记管理办法"}
    assert ask("officer.health", "POST", "/duties", json=duty).status_code == 403
    assert ask("officer.taxation", "POST", "/duties", json=duty).status_code == 200
    assert ENTRY in [one["entry_id"] for one in ask("auditor", "GET", "/duties").json()]

    assert ask("monitor", "GET", "/rates/2026Q9").status_code == 422
    found = ask("monitor", "GET", "/rates/2026Q4").json()
    assert (found["period"], found["frozen"]) == ("2026Q4", None)
    assert ask("monitor", "GET", "/rates/2026Q4/taxation/cases").status_code == 200
    assert ask("auditor", "POST", "/rates/2026Q3/freeze").status_code == 403
