"""The league of departments in the portal: rates with their cases, answers, the freeze."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from playwright.sync_api import expect

from catalog.roles import Role
from yishu.clocks import ClockEvent, EventKind
from yishu.governance.clock_rules import by_rule
from yishu.governance.promises import NewClock, open_clock, record_event
from yishu.ledger import CheckFacts, Ledger, RunKind, RunStarted, VerdictFacts
from yishu.portal.app import create_app

OCTOBER = datetime(2026, 10, 20, 2, tzinfo=UTC)
ANSWERS, FREEZES = datetime(2026, 11, 10, 2, tzinfo=UTC), datetime(2026, 11, 13, 2, tzinfo=UTC)
"""The days of October's figures: answers from 2026-11-09 to 2026-11-13, frozen from then on."""


@pytest.fixture(scope="module")
def measured(portal_world):
    """October: runs of two departments, and a catalog clock of one of them that ended late."""
    ledger = Ledger(portal_world.engine)
    for entry_id, failed in (("taxation.taxpayer", 9), ("public_security.resident", 0)):
        check = CheckFacts(
            "x.format", "format", "conformity", "fail", ("x",), 90, failed, "应合规",
            text_en="must be valid", waived=0,
        )  # fmt: skip
        ledger.record_run_started(RunStarted("r-1", entry_id, RunKind.ENTRY, "x", OCTOBER))
        facts = VerdictFacts("r-1", entry_id, 90, failed, True, 0.2, OCTOBER, (check,))
        ledger.record_verdict(facts)
    with portal_world.engine.begin() as connection:
        since = datetime(2026, 9, 24, 2, tzinfo=UTC)  # due on 2026-10-22, a day before it ended
        new = NewClock("catalog_update", "wuxi_2022", "catalog_entry", "taxation.taxpayer",
                       "taxation", "law_change", since)  # fmt: skip
        id_ = open_clock(connection, new, by_rule("test"))
        ended = ClockEvent(EventKind.FULFILLED, OCTOBER + timedelta(days=3))
        record_event(connection, id_, ended, by_rule("test"))
    return portal_world


@pytest.fixture(scope="module")
def asker_at(measured):
    """A client signed in as an account at a moment."""

    def make(account, moment):
        app = create_app(replace(measured, clock=lambda: moment))
        made = TestClient(app, follow_redirects=False)
        made.post("/sign-in/demo", data={"account": account})
        made.csrf = made.get("/").text.split('"X-CSRF-Token": "')[1].split('"')[0]
        return made

    return make


def rows_of(answer):
    assert answer.status_code == 200, answer.text
    return list(load_workbook(BytesIO(answer.content)).active.iter_rows(values_only=True))


@pytest.mark.requirement("IND-19")
def test_the_league_shows_numerators_and_opens_to_the_cases(measured, client):
    monitor = client(Role.QUALITY_MONITOR)

    page = monitor.get("/quality-rates", params={"period": "2026-10"}).text
    headings, first, second = rows_of(
        monitor.get("/quality-rates/export.xlsx", params={"period": "2026-10"})
    )

    assert page.index("公安局") < page.index("税务局")
    assert "81/90" in page
    assert "/quality-rates/taxation?period=2026-10&rate=quality" in page
    assert (first[0], second[0]) == (1, 2)
    tax = dict(zip(headings, second, strict=True))
    assert (tax["数据质量合格率（分子）"], tax["数据质量合格率（分母）"]) == (81, 90)
    assert (tax["目录更新及时率（分子）"], tax["目录更新及时率（分母）"]) == (0, 1)
    cases = rows_of(monitor.get("/quality-rates/taxation/export.xlsx?period=2026-10"))
    assert ("数据质量合格率", "entry", "taxation.taxpayer", 81, 90) in cases
    opened = monitor.get("/quality-rates/taxation?period=2026-10&rate=quality").text
    assert 'href="/quality/entries/taxation.taxpayer"' in opened
    assert "2026Q4" in monitor.get("/quality-rates").text


@pytest.mark.requirement("QUA-02", "IND-19", "IND-21")
def test_a_department_answers_in_its_days_and_then_the_period_is_frozen(measured, asker_at):
    said = {"period": "2026-10", "figure": "quality", "text": "征管系统升级，口径有变化"}
    freeze = {"period": "2026-10"}

    def post(account, moment, path, form):
        asker = asker_at(account, moment)
        return asker.post(f"/quality-rates/{path}", data=form | {"csrf": asker.csrf}), asker

    early, _ = post("officer.taxation", ANSWERS - timedelta(days=5), "answers", said)
    assert early.status_code == 422
    assert "2026-11-09 至 2026-11-13 之间的书面答复" in early.text
    assert post("monitor", ANSWERS, "freeze", freeze)[0].status_code == 422
    assert post("monitor", ANSWERS, "answers", said)[0].status_code == 403
    assert post("officer.taxation", ANSWERS, "answers", said)[0].status_code == 303
    assert post("officer.taxation", FREEZES, "freeze", freeze)[0].status_code == 403
    frozen, monitor = post("monitor", FREEZES, "freeze", freeze)
    assert frozen.status_code == 303

    page = monitor.get("/quality-rates", params={"period": "2026-10"}).text
    assert "已冻结" in page
    assert "部门说明：征管系统升级" in page
    again, _ = post("monitor", FREEZES, "freeze", freeze)
    assert again.status_code in (409, 422)
    late, _ = post("officer.taxation", FREEZES, "answers", said)
    assert late.status_code in (409, 422)


@pytest.mark.requirement("QUA-02")
def test_scores_are_shown_month_by_month_and_missing_months_as_missing(measured, asker_at):
    monitor = asker_at("monitor", FREEZES)
    own = {"/quality": "95.0000", "/quality/departments/taxation": "90.0000",
           "/quality/entries/taxation.taxpayer": "90.0000"}  # fmt: skip

    for path, total in own.items():
        rows = months_in(monitor.get(path).text)
        assert list(rows) == [f"2025-{m}" for m in (12,)] + [f"2026-{m:02}" for m in range(1, 12)]
        assert total in rows["2026-10"], path
        assert "已冻结" in rows["2026-10"]
        missing = [month for month, row in rows.items() if "缺，未冻结得分" in row]
        assert missing == [month for month in rows if month != "2026-10"]
    assert "还没有冻结的月份" in monitor.get("/quality", params={"period": "2026-09"}).text


def months_in(text):
    """The rows of the table of months, by month."""
    table = text.split("各月数字", 1)[1].split("</table>", 1)[0]
    return dict(re.findall(r'<th scope="row"[^>]*>(\d{4}-\d\d)</th>(.*?)</tr>', table, re.DOTALL))


def test_the_league_in_a_real_browser(measured, browser_page, picture):
    page = browser_page(Role.QUALITY_MONITOR)
    page.goto("/quality-rates?period=2026-10")
    picture(page, "rates")
    expect(page.get_by_text("taxation.taxpayer")).to_have_count(0)
    page.get_by_role("link", name="90.0000%").click()
    expect(page.get_by_text("taxation.taxpayer").first).to_be_visible()
