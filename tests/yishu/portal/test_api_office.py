"""The REST API beside the catalog: from request to channel, objections, accounts, journal."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from catalog.roles import Role

OBJECT = "market_regulation.enterprise_registration"
FORM = {
    "object_id": OBJECT, "scenario": "核对纳税人登记", "service_items": ["320107009000"],
    "purpose_code": "statistics", "purpose": "核对登记信息", "legal_basis": "《税收征收管理法》",
    "elements": [{"field": "uscc", "use": "定位企业记录"}], "mode": "api", "format": "json",
    "cycle": "daily", "valid_from": "2026-11-20", "valid_until": "2027-11-19", "contact": "李专",
}  # fmt: skip


def test_from_request_to_channel_by_the_api(ask):
    number = ask("officer.taxation", "POST", "/requests", json=FORM).json()["request_id"]
    path = f"/requests/{number}"
    assert ask("reviewer", "GET", path).status_code == 404
    steps = f"{path}/steps"
    assert ask("officer.taxation", "POST", steps, json={"step": "submit"}).status_code == 422
    assert ask("head.taxation", "POST", steps, json={"step": "consent"}).status_code == 200
    sent = ask("officer.taxation", "POST", steps, json={"step": "submit"})
    assert sent.json()["state"] == "submitted"
    assert ask("officer.health", "GET", path).status_code == 404
    assert number in [one["request_id"] for one in ask("reviewer", "GET", "/requests").json()]
    assert ask("reviewer", "POST", steps, json={"step": "grant"}).json()["state"] == "approved"

    (grant,) = ask("auditor", "GET", f"/entries/{OBJECT}/grants").json()
    channel = f"/grants/{grant['grant_id']}"
    assert ask("officer.health", "GET", channel).status_code == 404
    opened = ask("operator", "POST", f"{channel}/steps", json={"step": "open"}).json()
    assert opened["token"].startswith("ys1.")
    closed = {"step": "close", "reason": "用途已实现"}
    assert ask("operator", "POST", f"{channel}/steps", json=closed).json()["state"] == "closed"
    unknown = ask("operator", "POST", f"{channel}/steps", json={"step": "x"})
    assert unknown.headers["content-type"] == "application/problem+json"


def test_an_objection_is_seen_by_those_it_concerns(ask):
    said = {"entry": "taxation.taxpayer", "column": "tax_credit_grade", "summary": "级别不符"}
    number = ask("monitor", "POST", "/objections", json=said).json()["objection_id"]

    assert ask("officer.taxation", "GET", f"/objections/{number}").json()["steps"]
    assert ask("officer.health", "GET", f"/objections/{number}").status_code == 403
    assert ask("officer.health", "GET", "/objections").json() == []
    moved = ask("reviewer", "POST", f"/objections/{number}/steps", json={"state": "accepted"})
    assert moved.status_code == 200, moved.text


def test_journal_accounts_calendar_and_figures_are_for_whom_their_pages_are(ask):
    assert ask("auditor", "GET", "/journal", params={"action": "file_request"}).status_code == 200
    assert ask("admin", "GET", "/journal").status_code == 403
    new = {"account": "he.wen", "person": "p8", "name": "何文", "role": "auditor", "org": "x"}
    assert ask("admin", "POST", "/accounts", json=new).json()["first_password"]
    assert ask("auditor", "GET", "/accounts").status_code == 403
    assert ask("auditor", "GET", "/quality/2026-11").json()["period"] == "2026-11"
    faulty = {"name": "x.csv", "content": "a,b\n1,2\n", "year": 2027}
    assert ask("admin", "POST", "/calendar", json=faulty).status_code == 422
    assert ask("monitor", "POST", "/calendar", json=faulty).status_code == 403


def test_every_role_may_ask_who_it_is(ask):
    for account in ("officer.taxation", "auditor"):
        assert ask(account, "GET", "/me").json()["role"] in set(Role)


def test_who_looks_at_a_request_does_not_wait_for_whoever_decides_it(ask, client, portal_world):
    number = ask("officer.taxation", "POST", "/requests", json=FORM).json()["request_id"]
    asker = client("officer.taxation")
    held = text("select 1 from ledger.share_request where request_id = :number for update")
    with ThreadPoolExecutor(2) as pool, portal_world.engine.begin() as connection:
        connection.execute(held, {"number": number})
        page = pool.submit(asker.get, f"/sharing/{number}")
        course = pool.submit(ask, "officer.taxation", "GET", f"/requests/{number}/timeline")

        assert page.result(10).status_code == 200
        assert course.result(10).status_code == 200


def test_a_clock_that_stands_still_is_listed_under_what_it_is_about(ask):
    number = ask("officer.taxation", "POST", "/requests", json=FORM).json()["request_id"]
    steps = f"/requests/{number}/steps"
    returned = {"step": "return", "reason": "补充依据"}
    for account, said in (
        ("head.taxation", {"step": "consent"}),
        ("officer.taxation", {"step": "submit"}),
        ("reviewer", returned),
    ):
        assert ask(account, "POST", steps, json=said).status_code == 200

    tasks = ask("reviewer", "GET", "/work").json()["tasks"]

    (task,) = [one for one in tasks if one["object_id"] == number]
    assert (task["title"], task["deadline"]["state"]) == (FORM["scenario"], "paused")
