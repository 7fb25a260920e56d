"""Rules, waivers, addresses, protection, accounts, tokens and the journal over the REST API."""

import json

import pytest

from expectations.rulebook import rulebook
from yishu.governance.security import ASSESSMENT_DAYS
from yishu.ledger import upkeep

ENTRY, CHECK = "administrative_approval.online_rating", "case_no.exists.case"
WAIVERS = f"/entries/{ENTRY}/waivers"
OFFICER = "officer.taxation"


@pytest.fixture(scope="module")
def portal_world(portal_world, own_suites):
    """The demo's world with decisions of its own."""
    return own_suites(portal_world)


def journal(ask, **asked):
    return ask("auditor", "GET", "/journal", params=asked).json()


def test_a_check_is_waived_with_reason_and_end_and_stands_among_the_decisions(ask, portal_world):
    given = {"check": CHECK, "until": "2026-12-31", "reason": "办件延迟一月到达",
             "scope": {"by": "case_no", "values": ["1", "2"]}}  # fmt: skip
    assert CHECK in {one["id"] for one in ask(OFFICER, "GET", f"/entries/{ENTRY}/checks").json()}

    for wrong, status in (
        ({"reason": ""}, 422), ({"until": "2026-11-19"}, 422), ({"check": "no.such"}, 404),
    ):  # fmt: skip
        assert ask("admin", "POST", WAIVERS, json=given | wrong).status_code == status
    assert ask(OFFICER, "POST", WAIVERS, json=given).status_code == 403
    assert ask("admin", "POST", "/entries/a.b/waivers", json=given).status_code == 404
    assert rulebook(ENTRY, portal_world.suites).waivers == ()
    made = ask("admin", "POST", WAIVERS, json=given).json()

    (kept,) = rulebook(ENTRY, portal_world.suites).waivers
    assert (kept.id, kept.scope.values, str(kept.until)) == (made["id"], ("1", "2"), "2026-12-31")
    assert "陈管" in kept.author
    assert [one["id"] for one in ask("reviewer", "GET", WAIVERS).json()] == [kept.id]
    decided = ask("reviewer", "GET", "/rules/decisions").json()
    assert (ENTRY, kept.id) in {
        (one["entry"], one["waiver"]["id"]) for one in decided if one["waiver"]
    }
    (record,) = journal(ask, object_id=f"{ENTRY}:{kept.id}")
    assert (record["account"], record["reason"]) == ("admin", "办件延迟一月到达")
    for path in ("/rules", "/rules/decisions", WAIVERS):
        assert ask(OFFICER, "GET", path).status_code == 403


def test_rules_are_told_to_who_keeps_them(ask, portal_world):
    told = ask("reviewer", "GET", "/rules").json()

    assert told["in_force"] == portal_world.settings.rule_profile
    assert told["profiles"].keys() == portal_world.release().profiles.keys()
    assert 2026 in told["calendar"]["covered"]


def test_an_address_of_notices_is_kept_and_dropped_and_is_in_no_record(ask):
    given = {"org": "taxation", "role": "department_officer", "channel": "mail",
             "address": "shuju@example.invalid"}  # fmt: skip

    for account in ("reviewer", OFFICER):
        assert ask(account, "POST", "/addresses", json=given).status_code == 403
        assert ask(account, "GET", "/addresses").status_code == 403
        assert ask(account, "GET", "/addresses/stuck").status_code == 403
    assert ask("admin", "POST", "/addresses", json=given | {"channel": "pigeon"}).status_code == 422
    assert ask("admin", "GET", "/addresses").json() == []
    assert ask("admin", "POST", "/addresses", json=given).status_code == 200
    assert ask("admin", "GET", "/addresses").json() == [given]
    assert ask("admin", "POST", "/addresses", json=given | {"do": "drop"}).status_code == 200
    assert ask("admin", "GET", "/addresses").json() == []
    assert ask("admin", "GET", "/addresses/stuck").json() == []
    records = journal(ask, object_id="taxation:department_officer")
    assert [one["after"]["do"] for one in records] == ["drop", "set"]
    assert "example.invalid" not in json.dumps(records)


def test_the_register_of_protection_is_kept_by_the_centre_and_closed_to_others(ask):
    path = "/protection/systems/gongan.hukou"
    given = {"name": "户籍系统", "org": "public_security", "level": 3, "filing": "备-1",
             "assessed_on": "2025-11-30"}  # fmt: skip
    for account in (OFFICER, "admin", "monitor"):
        assert ask(account, "PUT", path, json=given).status_code == 403
        for one in ("systems", "alerts", "incidents", "drill"):
            assert ask(account, "GET", f"/protection/{one}").status_code == 403
    assert ask("operator", "PUT", path, json=given | {"filing": " "}).status_code == 422
    assert max(ASSESSMENT_DAYS) < 9
    assert ask("operator", "PUT", path, json=given | {"level": 9}).status_code == 409
    assert ask("auditor", "GET", "/protection/systems").json() == []

    assert ask("operator", "PUT", path, json=given).status_code == 200
    assert ask("operator", "PUT", path, json=given | {"name": "户籍"}).status_code == 200

    (system,) = ask("auditor", "GET", "/protection/systems").json()
    assert (system["name"], system["mlps_assessed_on"]) == ("户籍", "2025-11-30")
    (alert,) = ask("auditor", "GET", "/protection/alerts").json()
    assert (alert["system_id"], alert["due_on"]) == ("gongan.hukou", "2026-11-30")
    assert ask("reviewer", "GET", "/protection/drill").json() is None


def test_an_incident_goes_through_its_phases_in_their_order(ask):
    system = {"name": "税收系统", "org": "taxation", "level": 1}
    ask("operator", "PUT", "/protection/systems/tax", json=system)
    path, given = "/protection/incidents", {"system_id": "tax", "title": "端口异常"}
    assert ask("auditor", "POST", path, json=given).status_code == 403
    assert ask("operator", "POST", path, json=given | {"system_id": "none"}).status_code == 404
    number = ask("operator", "POST", path, json=given).json()["incident"]

    phases = f"{path}/{number}/phases"
    found = ask("auditor", "GET", path).json()[0]
    first, second = found["next_phase"], "disposal"
    assert ask("operator", "POST", phases, json={"phase": first, "text": " "}).status_code == 422
    wrong = ask("operator", "POST", phases, json={"phase": second, "text": "已恢复"})
    assert wrong.status_code == 409
    assert ask("auditor", "POST", phases, json={"phase": first, "text": "断网"}).status_code == 403
    done = ask("operator", "POST", phases, json={"phase": first, "text": "断网"}).json()

    assert done["steps"] == {first: "断网"}
    assert done["next_phase"] not in (first, None)


def test_a_first_password_is_told_once_to_the_administrator(ask, client):
    path = "/accounts/officer.health/password"
    assert ask("auditor", "POST", path).status_code == 403
    assert ask("admin", "POST", "/accounts/nobody/password").status_code == 404
    password = ask("admin", "POST", path).json()["first_password"]

    said = {"account": "officer.health", "password": password}
    answer = client().post("/sign-in", data=said)
    assert answer.status_code == 303
    assert password not in json.dumps(journal(ask, object_id="officer.health"))


@pytest.mark.requirement("SEC-08")
def test_a_token_is_ended_by_its_own_account_alone(ask, client):
    asker = client("monitor")
    asker.post("/account/tokens", data={"csrf": asker.csrf, "label": "报表", "days": 1})
    (mine,) = [one for one in ask("monitor", "GET", "/tokens").json() if one["label"] == "报表"]
    path = f"/tokens/{mine['reference']}/revocation"

    assert ask("auditor", "POST", path).status_code == 404
    assert "报表" not in ask("auditor", "GET", "/tokens").text
    assert ask("monitor", "POST", path).status_code == 200

    known = {one["reference"]: one for one in ask("monitor", "GET", "/tokens").json()}
    assert known[mine["reference"]]["revoked_at"] is not None
    assert ask("monitor", "POST", path).status_code == 404


@pytest.mark.requirement("SUP-08")
def test_the_journal_is_proven_and_exported_for_auditors_alone(ask, portal_world):
    upkeep.seal_all(portal_world.engine, portal_world.settings, portal_world.clock())

    proof = ask("auditor", "POST", "/journal/proof").json()
    exported = ask("auditor", "GET", "/journal/export.jsonl")

    assert proof["broken"] is None
    assert proof["records"] > 0
    assert '"manage_token"' in exported.text
    for method, path in (("POST", "/journal/proof"), ("GET", "/journal/export.jsonl")):
        assert ask("admin", method, path).status_code == 403
