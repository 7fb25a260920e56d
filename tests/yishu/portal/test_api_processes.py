"""Clocks, changes, versions, service items and figures over the REST API, as their pages show."""

from datetime import timedelta

from yishu.governance.catalog_clock import DriftSeen, on_drift
from yishu.governance.clock_rules import by_rule
from yishu.governance.promises import NewClock, open_clock

ENTRY = "taxation.taxpayer"
OFFICER = "officer.taxation"


def drifted(world, entry_id, evidence):
    with world.engine.begin() as connection:
        since = world.clock() - timedelta(days=2)
        seen = DriftSeen(entry_id, entry_id.partition(".")[0], evidence, since)
        return on_drift(connection, seen, "wuxi_2022")


def test_a_change_starts_the_clocks_of_its_body(ask):
    given = {"cause": "function_change", "org": "human_resources", "changed_on": "2026-11-18",
             "reason": "机构改革方案"}  # fmt: skip

    assert ask(OFFICER, "POST", "/changes", json=given).status_code == 403
    assert ask("monitor", "POST", "/changes", json=given).status_code == 403
    assert ask("reviewer", "POST", "/changes", json=given | {"reason": " "}).status_code == 422
    assert ask("reviewer", "POST", "/changes", json=given | {"entry": "a.b"}).status_code == 404
    asked = {"org": "human_resources"}
    assert ask("reviewer", "GET", "/clocks", params=asked).json() == []
    ids = ask("reviewer", "POST", "/changes", json=given).json()["clocks"]

    running = ask("reviewer", "GET", "/clocks", params=asked).json()
    assert {one["clock_id"] for one in running} == set(ids)
    assert len(ids) == 3


def test_a_department_says_that_nothing_is_to_change_and_the_authority_accepts_it(
    ask, portal_world
):
    clock_id = drifted(portal_world, ENTRY, "来源新增字段：etl（text）")
    path, steps = f"/clocks/{clock_id}", f"/clocks/{clock_id}/steps"
    proposal = {"step": "propose_no_change", "reason": "技术字段"}
    acceptance = {"step": "accept_no_change", "reason": "情况属实"}

    assert ask("officer.health", "POST", steps, json=proposal).status_code == 403
    assert ask(OFFICER, "POST", steps, json=proposal | {"reason": " "}).status_code == 422
    assert ask(OFFICER, "POST", steps, json=acceptance).status_code == 403
    assert ask(OFFICER, "POST", steps, json=proposal).json()["holder"] != "taxation"

    seen = ask("auditor", "GET", path).json()
    assert "无需变更：技术字段" in [one["note"] for one in seen["events"]]
    assert seen["legs"][0]["party"] == "department"
    assert seen["closed_at"] is None
    assert ask("reviewer", "POST", steps, json=acceptance).status_code == 200
    assert ask("auditor", "GET", path).json()["closed_at"] is not None
    assert ask("auditor", "GET", "/clocks/none").status_code == 404


def test_a_clock_stands_still_for_a_reason_alone(ask, portal_world):
    since = portal_world.clock() - timedelta(days=1)
    new = NewClock("request_reply_conditional", "wuxi_2022", "share_request", "SQ-1", "taxation",
                   "filed", since)  # fmt: skip
    with portal_world.engine.begin() as connection:
        clock_id = open_clock(connection, new, by_rule("test"))
    path, pause = f"/clocks/{clock_id}", {"step": "pause", "cause": "returned_for_completion"}

    for reason in ({}, {"reason": " "}):
        refused = ask("reviewer", "POST", f"{path}/steps", json=pause | reason)
        assert refused.json()["code"] == "REQUEST_INVALID"
    assert len(ask("auditor", "GET", path).json()["events"]) == 1

    done = ask("reviewer", "POST", f"{path}/steps", json=pause | {"reason": "一次性告知"})
    assert done.json()["state"] == "paused"
    assert len(ask("auditor", "GET", path).json()["events"]) == 2


def test_a_version_on_its_way_is_shown_whole_and_a_decision_is_overturned_by_nobody_unseen(ask):
    content = ask(OFFICER, "GET", f"/entries/{ENTRY}").json()
    content["use_condition"] = "仅限履行法定职责"
    draft = {"content": content, "cause": "law_change", "cause_note": "新规",
             "changed_on": "2026-11-10"}  # fmt: skip
    path = f"/drafts/{ENTRY}"
    assert ask("reviewer", "GET", path).status_code == 404
    ask(OFFICER, "PUT", path, json=draft)

    assert [one["entry_id"] for one in ask("reviewer", "GET", "/drafts").json()] == [ENTRY]
    assert ask("reviewer", "GET", "/drafts", params={"page": 2}).json() == []
    assert ask("officer.health", "GET", "/drafts").json() == []

    said = {"kind": "head_consent", "verdict": "consented", "basis": "已核对"}
    ask("head.taxation", "POST", f"{path}/assessments", json=said)
    seen = ask("reviewer", "GET", path).json()
    assert any("使用条件由" in one["text_zh"] for one in seen["changes"])
    assert seen["faults"]
    assert [one["kind"] for one in seen["assessments"]] == ["head_consent"]
    assert "assessed_person" not in seen["assessments"][0]
    assert "compiled_person" not in seen

    said = {"kind": "confidentiality", "verdict": "may_be_shared", "basis": "已核对"}
    ask("reviewer", "POST", f"{path}/assessments", json=said)
    ask(OFFICER, "POST", f"{path}/submission")
    decision = {"decision": "return", "opinion": "补充", "seen": "approved"}
    assert ask("reviewer", "POST", f"/reviews/{ENTRY}", json=decision).status_code == 409
    decision["seen"] = "submitted"
    done = ask("reviewer", "POST", f"/reviews/{ENTRY}", json=decision)
    assert done.json()["state"] == "returned"


def test_the_catalog_is_told_as_it_was_on_a_day(ask, portal_world):
    day = {"params": {"day": "2026-11-19"}}

    whole = ask("auditor", "GET", "/catalog/as-of", **day).json()
    one = ask("auditor", "GET", f"/entries/{ENTRY}/as-of", **day).json()

    assert {each["entry_id"] for each in whole} == set(portal_world.release().entries)
    assert (one["version"], one["content"]["id"]) == (1, ENTRY)
    before = {"params": {"day": "2020-01-01"}}
    assert ask("auditor", "GET", "/catalog/as-of", **before).json() == []
    assert ask("auditor", "GET", f"/entries/{ENTRY}/as-of", **before).status_code == 404


def test_what_stands_on_no_list_is_told(ask, portal_world):
    before = ask("auditor", "GET", "/demands/gaps").json()
    duty = {"entry": ENTRY, "basis": "《税收征收管理法》第十五条"}
    assert ask(OFFICER, "POST", "/duties", json=duty).status_code == 200

    after = ask("auditor", "GET", "/demands/gaps").json()

    assert before["unlisted"] == len(portal_world.release().entries)
    assert after["unlisted"] == before["unlisted"] - 1
    assert set(before["without"]) - set(after["without"]) == {"taxation"}
    assert all(one["closed"] <= one["entries"] for one in after["closed"])
