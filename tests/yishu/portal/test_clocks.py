"""The board of clocks, one clock, cards, orders and notices, as people see them."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from catalog.roles import Role
from yishu.governance.board import lines
from yishu.governance.cards import orders
from yishu.governance.catalog_clock import DriftSeen, on_drift
from yishu.governance.clock_rules import by_rule
from yishu.governance.promises import NewClock, open_clock, open_clocks
from yishu.governance.sweep import sweep
from yishu.governance.working_calendar import rules_in_force
from yishu.portal.areas import clocks as areas

SEEN = datetime(2026, 10, 27, 2, 0, tzinfo=UTC)
"""15 working days later is 2026-11-17; the portal's present is 2026-11-20."""


@pytest.fixture(scope="module")
def clocks(portal_world):
    """A catalog clock that is late with its order, and a reply clock that may be paused."""
    world = portal_world
    with world.engine.begin() as connection:
        rules = rules_in_force(connection, world.release(), world.settings)
        seen = DriftSeen("taxation.taxpayer", "taxation", "来源新增字段：tel（text）", SEEN)
        late = on_drift(connection, seen, "wuxi_2022")
        reply = NewClock(
            "request_reply_conditional", "wuxi_2022", "share_request", "SR-1", "taxation",
            "filed", world.clock() - timedelta(days=1),
        )  # fmt: skip
        running = open_clock(connection, reply, by_rule("test"))
        sweep(connection, rules, world.clock())
    return late, running


@pytest.mark.requirement("COL-05")
def test_a_department_says_that_no_change_is_needed_and_the_authority_holds_the_file(
    client, portal_world, clocks
):
    with portal_world.engine.begin() as connection:
        since = portal_world.clock() - timedelta(days=2)
        seen = DriftSeen("health.medical_licence", "health", "来源新增字段：etl（text）", since)
        clock_id = on_drift(connection, seen, "wuxi_2022")
    path = f"/clocks/{clock_id}/propose-no-change"
    other, officer = client("officer.taxation"), client("officer.health")
    form = {"reason": "技术字段，不属于目录内容"}

    assert "propose-no-change" not in other.get(f"/clocks/{clock_id}").text
    assert other.post(path, data=form | {"csrf": other.csrf}).status_code == 403
    assert officer.post(path, data={"reason": " ", "csrf": officer.csrf}).status_code == 422
    assert officer.post(path, data=form | {"csrf": officer.csrf}).status_code == 303

    page = officer.get(f"/clocks/{clock_id}").text
    assert "无需变更：技术字段" in page
    assert "propose-no-change" not in page  # the authority has it now


@pytest.mark.requirement("COL-05")
def test_a_change_of_function_starts_the_clock_of_every_entry_of_the_department(client, clocks):
    reviewer, officer = client(Role.AUTHORITY_REVIEWER), client(Role.DEPARTMENT_OFFICER)
    form = {"cause": "function_change", "org": "human_resources", "changed_on": "2026-11-18",
            "reason": "机构改革方案"}  # fmt: skip

    def post(asker, **changes):
        return asker.post("/clocks/changes", data={**form, **changes, "csrf": asker.csrf})

    assert post(officer).status_code == 403
    assert post(reviewer, reason=" ").status_code == 422
    assert post(reviewer).status_code == 303

    page = reviewer.get("/clocks?org=human_resources").text
    for entry in ("hr_case", "hr_service_item", "social_security_card"):
        assert f"human_resources.{entry}" in page


def test_a_long_board_is_counted_as_a_whole_and_told_by_pages(
    client, portal_world, clocks, monkeypatch
):
    since = portal_world.clock() - timedelta(days=3)
    new = [
        NewClock("catalog_update", "wuxi_2022", "catalog_entry", f"x.e{one:03d}", "transport",
                 "law_change", since)
        for one in range(120)
    ]  # fmt: skip
    with portal_world.engine.begin() as connection:
        open_clocks(connection, new, by_rule("test"))
    told = []
    monkeypatch.setattr(areas, "lines", lambda *given: told.append(given[0]) or lines(*given))
    reviewer = client(Role.AUTHORITY_REVIEWER)

    pages = [reviewer.get(f"/clocks?org=transport&page={number}").text for number in (1, 2, 3)]

    assert [len(one) for one in told] == [50, 50, 20]
    found = [re.findall(r"x\.e\d{3}", text) for text in pages]
    assert sorted(one for each in found for one in each) == [f"x.e{one:03d}" for one in range(120)]
    assert "120 项计时" in pages[0]
    workbook = reviewer.get("/clocks/export.xlsx?org=transport").content
    assert load_workbook(BytesIO(workbook)).active.max_row == 121
    assert len(reviewer.get("/clocks?org=transport&page=4").text) > 0


@pytest.mark.requirement("SUP-13")
def test_both_kinds_of_clocks_are_on_one_board(client, clocks):
    text = client(Role.QUALITY_MONITOR).get("/clocks").text

    assert "目录更新" in text
    assert "有条件共享申请答复" in text
    assert "已逾期" in text
    assert "2026-11-17" in text
    assert "2027" in text  # the warning that next year's notice is missing


def test_the_board_is_filtered_and_exported(client, clocks):
    signed = client(Role.QUALITY_MONITOR)
    only = signed.get("/clocks?state=red").text
    book = load_workbook(BytesIO(signed.get("/clocks/export.xlsx?state=red").content)).active

    assert "SR-1" not in only
    assert [row[2] for row in book.iter_rows(min_row=2, values_only=True)] == ["taxation.taxpayer"]
    assert signed.get("/clocks?month=2026-13").status_code == 422


def test_programs_get_the_board_as_json_and_nobody_gets_it_unsigned(client, clocks, monkeypatch):
    signed = client(Role.QUALITY_MONITOR)
    made = signed.post("/account/tokens", data={"csrf": signed.csrf, "label": "a", "days": 1}).text
    token = re.search(r"yishu_[\w-]{20,}", made).group()
    lines = signed.get("/api/v1/clocks", headers={"Authorization": f"Bearer {token}"}).json()

    assert {line["clock_id"] for line in lines} >= set(clocks)
    monkeypatch.setattr("yishu.portal.areas.clocks.PAGE_ROWS", 1)
    for number, line in enumerate(lines[:3], start=1):
        asked = {"params": {"page": number}, "headers": {"Authorization": f"Bearer {token}"}}
        assert signed.get("/api/v1/clocks", **asked).json() == [line]
    assert client().get("/api/v1/clocks").status_code in (303, 401)


def test_the_authority_pauses_and_resumes_with_a_listed_cause(client, clocks):
    _, running = clocks
    signed = client(Role.AUTHORITY_REVIEWER)
    asked = {"csrf": signed.csrf, "cause": "returned_for_completion", "reason": "一次性告知"}

    assert "中止计时" in signed.get(f"/clocks/{running}").text
    assert signed.post(f"/clocks/{running}/pause", data=asked).status_code == 303
    assert "一次性告知补正" in signed.get(f"/clocks/{running}").text
    assert signed.post(f"/clocks/{running}/pause", data=asked).status_code == 422
    done = signed.post(f"/clocks/{running}/resume", data={"csrf": signed.csrf})
    assert done.status_code == 303


def test_what_is_too_late_is_refused_with_its_remedy(client, clocks):
    late, _ = clocks
    signed = client(Role.AUTHORITY_REVIEWER)
    asked = {"csrf": signed.csrf, "days": "5", "reason": "系统升级"}
    refused = signed.post(f"/clocks/{late}/extend", data=asked)

    assert refused.status_code == 422
    assert "GOV_EXTENSION_REFUSED" in refused.text
    assert signed.get("/clocks/clk-none").status_code == 404


def test_an_officer_neither_extends_nor_pauses(client, clocks):
    signed = client(Role.DEPARTMENT_OFFICER)
    asked = {"csrf": signed.csrf, "days": "5", "reason": "x"}

    assert signed.post(f"/clocks/{clocks[0]}/extend", data=asked).status_code == 403


@pytest.mark.requirement("SUP-04")
def test_the_body_that_was_ordered_answers_on_the_page(client, clocks, portal_world):
    officer = client(Role.DEPARTMENT_OFFICER)
    with portal_world.engine.connect() as connection:
        (order,) = orders(connection)
    assert "红牌" in officer.get("/cards").text
    answer = {"csrf": officer.csrf, "feedback": "已提交目录更新"}
    assert officer.post(f"/cards/{order.order_no}/answer", data=answer).status_code == 303

    assert "已提交目录更新" in client(Role.QUALITY_MONITOR).get("/cards").text


def test_a_digest_is_read_in_the_portal(client, clocks):
    officer = client(Role.DEPARTMENT_OFFICER)
    page = officer.get("/notices").text
    assert "办理期限提醒" in page
    key = page.split('name="key" value="')[1].split('"')[0]
    read = officer.post("/notices/read", data={"csrf": officer.csrf, "key": key})

    assert read.status_code == 303
    assert "已读" in officer.get("/notices").text


def test_the_pages_work_in_a_browser(browser_page, picture, clocks):
    page = browser_page(Role.AUTHORITY_REVIEWER)
    for path, name in (
        ("/clocks", "clocks"),
        (f"/clocks/{clocks[0]}", "clock"),
        ("/cards", "cards"),
    ):
        page.goto(path)
        assert page.locator("h1").count() == 1
        picture(page, name)
