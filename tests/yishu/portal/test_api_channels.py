"""The REST API after a draft and a grant: checks, corrections, registers, recalls, traces."""

import pytest
from sqlalchemy import func, select

from yishu.ledger.models import JournalRecord, ShareRequest

OBJECT = "market_regulation.enterprise_registration"
USCC, NAME = "91320205MA1ABCDE00", "甲贸易有限公司"
FORM = {
    "object_id": OBJECT, "scenario": "核对纳税人登记", "service_items": ["320107009000"],
    "purpose_code": "statistics", "purpose": "核对登记信息", "legal_basis": "《税收征收管理法》",
    "elements": [
        {"field": "uscc", "use": "定位企业记录"}, {"field": "name", "use": "核对企业名称"},
    ],
    "mode": "file_download", "format": "csv_utf8", "cycle": "daily",
    "valid_from": "2026-11-20", "valid_until": "2027-11-19", "contact": "李专",
}  # fmt: skip
OFFICER, HEAD, OTHER = "officer.taxation", "head.taxation", "officer.health"


@pytest.fixture(scope="module")
def portal_world(portal_world, publish_row):
    """The demo's world with one published row."""
    publish_row(portal_world, OBJECT, uscc=USCC, name=NAME, status="1")
    return portal_world


@pytest.fixture(scope="module")
def submitted(ask):
    """Files a request of the tax bureau and hands it in; its number."""

    def submit():
        number = ask(OFFICER, "POST", "/requests", json=FORM).json()["request_id"]
        for account, step in ((HEAD, "consent"), (OFFICER, "submit")):
            said = {"step": step}
            assert ask(account, "POST", f"/requests/{number}/steps", json=said).status_code == 200
        return number

    return submit


@pytest.fixture(scope="module")
def grant(ask, submitted):
    """A grant of the tax bureau whose channel is open."""
    number = submitted()
    said = {"step": "grant"}
    grant_id = ask("reviewer", "POST", f"/requests/{number}/steps", json=said).json()["grant_id"]
    opened = ask("operator", "POST", f"/grants/{grant_id}/steps", json={"step": "open"})
    assert opened.json()["state"] == "open"
    return f"/grants/{grant_id}"


def looks(world, kind):
    with world.engine.connect() as connection:
        found = JournalRecord.object_kind == kind
        asked = select(JournalRecord.account, JournalRecord.object_id, JournalRecord.reason)
        return [tuple(row) for row in connection.execute(asked.where(found))]


@pytest.mark.requirement("SHR-07")
def test_a_form_is_told_what_it_lacks_and_nothing_is_kept(ask, portal_world):
    def kept():
        with portal_world.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(ShareRequest))

    before = kept()
    empty = ask(OFFICER, "POST", "/requests/check", json={"object_id": OBJECT}).json()
    told = ask(OFFICER, "POST", "/requests/check", json=FORM).json()

    codes = {one["code"] for one in empty["lacking"]}
    assert {"REQ_NO_PURPOSE", "REQ_NO_BASIS", "REQ_NO_TERM", "REQ_NO_ITEM"} <= codes
    assert told["lacking"] == []
    verdicts = {one["field"]: one["verdict"] for one in told["advice"]["findings"]}
    assert verdicts.keys() == {"uscc", "name"}
    assert "struck" not in verdicts.values()
    weak = {**FORM, "elements": [{"field": "name", "use": "备用"}]}
    (finding,) = ask(OFFICER, "POST", "/requests/check", json=weak).json()["advice"]["findings"]
    assert finding["verdict"] == "struck"
    wrong = ask(OFFICER, "POST", "/requests/check", json={**FORM, "format": "x", "fee": 8})
    assert {one["code"] for one in wrong.json()["parts"]} == {"REQ_FEE"}
    nothing = ask(OFFICER, "POST", "/requests/check", json={**FORM, "object_id": "a.b"})
    assert (nothing.status_code, kept()) == (404, before)


def test_a_draft_is_corrected_by_its_department_alone_and_consented_to_anew(ask):
    number = ask(OFFICER, "POST", "/requests", json=FORM).json()["request_id"]
    path, changed = f"/requests/{number}", {**FORM, "scenario": "核对税源"}
    ask(HEAD, "POST", f"{path}/steps", json={"step": "consent"})

    assert ask(OTHER, "PUT", path, json=changed).status_code == 404
    assert ask("reviewer", "PUT", path, json=changed).status_code == 403
    assert ask(OFFICER, "PUT", path, json=changed).json() == {"request_id": number}

    seen = ask(OFFICER, "GET", path).json()
    assert seen["form"]["scenario"] == "核对税源"
    assert [one["field"] for one in seen["findings"]] == ["uscc", "name"]
    refused = ask(OFFICER, "POST", f"{path}/steps", json={"step": "submit"})
    assert [one["code"] for one in refused.json()["parts"]] == ["REQ_NO_CONSENT"]


@pytest.mark.requirement("SHR-08")
def test_several_requests_are_granted_at_once_or_none(ask, submitted):
    numbers = [submitted(), submitted()]

    wrong = {"requests": [numbers[0], "SQ99999999"]}
    assert ask("reviewer", "POST", "/requests/batch", json=wrong).status_code == 404
    assert ask("reviewer", "GET", f"/requests/{numbers[0]}").json()["state"] == "submitted"
    assert ask(OFFICER, "POST", "/requests/batch", json={"requests": numbers}).status_code == 403
    done = ask("reviewer", "POST", "/requests/batch", json={"requests": numbers}).json()

    assert done.keys() == set(numbers)
    for number, grant_id in done.items():
        assert ask("auditor", "GET", f"/grants/{grant_id}").json()["request_id"] == number


def test_a_grant_is_renewed_and_changed_by_its_department_alone(ask, grant):
    for path, kind in (("renewals", "renewal"), ("changes", "change")):
        assert ask(OTHER, "POST", f"{grant}/{path}", json=FORM).status_code == 404
        assert ask("operator", "POST", f"{grant}/{path}", json=FORM).status_code == 403
        other = {**FORM, "object_id": "taxation.taxpayer"}
        refused = ask(OFFICER, "POST", f"{grant}/{path}", json=other)
        assert [one["code"] for one in refused.json()["parts"]] == ["REQ_OTHER_OBJECT"]

        number = ask(OFFICER, "POST", f"{grant}/{path}", json=FORM).json()["request_id"]

        seen = ask(OFFICER, "GET", f"/requests/{number}").json()
        assert (seen["kind"], seen["state"]) == (kind, "draft")


def test_uses_and_disposals_are_registered_and_seen_by_the_parties(ask, grant):
    path, use = f"{grant}/registers", {"kind": "use", "on_day": "2026-11-20", "note": "核对12户"}

    assert ask("operator", "POST", path, json=use).status_code == 403
    assert ask(OTHER, "POST", path, json=use).status_code == 403
    assert ask(OFFICER, "POST", path, json={**use, "note": " "}).status_code == 422
    early = ask(OFFICER, "POST", path, json={**use, "kind": "disposal"})
    assert early.json()["code"] == "SHR_STATE"
    assert ask("auditor", "GET", path).json() == []
    assert ask(OFFICER, "POST", path, json=use).status_code == 200

    assert ask("officer.market_regulation", "GET", path).json() == [use]
    assert ask(OTHER, "GET", path).status_code == 404


@pytest.mark.requirement("SEC-03")
def test_a_file_is_fetched_its_uses_are_told_on_record_and_it_is_recalled(ask, grant, portal_world):
    assert ask(OTHER, "GET", f"{grant}/file").status_code == 403
    assert ask("operator", "GET", f"{grant}/file").status_code == 403
    file = ask(OFFICER, "GET", f"{grant}/file")
    assert NAME in file.content.decode("utf-8-sig")
    assert file.headers["content-disposition"].startswith("attachment")

    before = len(looks(portal_world, "use_log"))
    served = ask("officer.market_regulation", "GET", f"{grant}/uses").json()
    assert {one["outcome"] for one in served} == {"served"}
    assert "requester" not in served[0]
    assert ask(OTHER, "GET", f"{grant}/uses").status_code == 404
    found = looks(portal_world, "use_log")
    assert len(found) == before + 1
    assert found[-1][:2] == ("officer.market_regulation", grant.rpartition("/")[2])

    path = f"/recalls/{OBJECT}"
    (delivery,) = ask("operator", "GET", path).json()
    assert (delivery["consumer_org"], delivery["recalled_at"]) == ("taxation", None)
    version = delivery["table_version"]
    assert ask(OFFICER, "GET", path).status_code == 403
    wanted = {"until_version": version, "reason": "名称有误"}
    assert ask(OFFICER, "POST", path, json=wanted).status_code == 403
    assert ask("operator", "POST", path, json={**wanted, "reason": " "}).status_code == 422
    done = ask("operator", "POST", path, json=wanted).json()

    assert done == {"deliveries": [delivery["delivery_id"]]}
    assert ask("operator", "GET", path).json()[0]["recall_reason"] == "名称有误"
    assert ask("operator", "GET", path, params={"page": 2}).json() == []
    assert any("名称有误" in one["text"] for one in ask(OFFICER, "GET", "/notices").json())


@pytest.mark.requirement("QUA-04", "SEC-03")
def test_a_row_is_followed_for_a_purpose_that_is_kept_and_its_values_stay_masked(ask, portal_world):
    asked = {"table": OBJECT, "key": {"uscc": USCC}, "purpose": "核对投诉"}

    for wrong, code in (
        ({"purpose": " "}, "GOV_REASON_MISSING"),
        ({"key": {}}, "PORTAL_KEY_INCOMPLETE"),
        ({"key": {"uscc": USCC, "name": NAME}}, "PORTAL_KEY_INCOMPLETE"),
        ({"table": "a.b"}, "CAT_NOT_CATALOGED"),
    ):
        refused = ask("monitor", "POST", "/traces", json=asked | wrong)
        assert refused.json()["code"] == code
        assert USCC not in refused.text
    assert ask(OFFICER, "POST", "/traces", json=asked).status_code == 403
    assert looks(portal_world, "row") == []

    answer = ask("monitor", "POST", "/traces", json=asked)

    told = answer.json()
    assert {one["column"] for one in told["columns"]} >= {"uscc", "name"}
    assert {one["run_id"] for one in told["columns"]} == {"first"}
    assert NAME not in answer.text
    ((account, object_id, reason),) = looks(portal_world, "row")
    assert (account, reason) == ("monitor", "核对投诉")
    assert object_id.startswith(f"{OBJECT}:")
    assert USCC not in object_id
    nobody = ask("monitor", "POST", "/traces", json=asked | {"key": {"uscc": "nobody"}})
    assert nobody.json() == {"columns": [], "received": []}
