"""Quality down to the masked rows, and an objection from one side to the other."""

import html
import json
import re
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from catalog.roles import Role
from expectations.kinds import CheckKind
from expectations.verdict import CheckResult, Gate, judge
from yishu.ledger import CheckFacts, Ledger, RunKind, RunStarted, VerdictFacts
from yishu.ledger.models import JournalRecord
from yishu.pipeline.store import run_folder, whole_file

TAXPAYER = "taxation.taxpayer"
RESIDENT = "public_security.resident"
NUMBER = "320205199001010015"


@pytest.fixture(scope="module")
def checked(portal_world):
    """A run of each of two entries on record; one has a quarantined row of a person."""
    ledger = Ledger(portal_world.engine)
    at = portal_world.clock() - timedelta(hours=2)
    for entry_id in (TAXPAYER, RESIDENT):
        check = CheckFacts(
            "id_no.format", "format", "conformity", "fail", ("id_no",), 90, 1, "公民身份号码应合规",
            text_en="id_no must be valid", waived=0,
        )  # fmt: skip
        ledger.record_run_started(RunStarted("r-1", entry_id, RunKind.ENTRY, "x", at))
        ledger.record_verdict(VerdictFacts("r-1", entry_id, 90, 1, True, 0.2, at, (check,)))
    _quarantine(portal_world)
    return portal_world


def _quarantine(world):
    entry = world.release().entry(RESIDENT)
    folder = run_folder(world.settings.var_dir, RESIDENT, "r-1")
    result = CheckResult(
        "id_no.format", CheckKind.FORMAT, entry.key, "conformity", "fail", None,
        "公民身份号码应合规", "id", 90, 1, False,
    )  # fmt: skip
    verdict = judge([result], 90, Gate(0.2, False), entry_id=RESIDENT, run_id="r-1")
    folder.write_text("verdict.json", verdict.to_json())
    reason = {"check_id": "id_no.format", "reason_zh": "公民身份号码应合规"}
    personal = {item.field: "张三丰" for item in entry.items if item.mask != "none"}
    plain = dict.fromkeys(entry.fields, "1")
    row = {**plain, **personal, **dict.fromkeys(entry.key, NUMBER)}
    values = {field: [value] for field, value in row.items()}
    with whole_file(folder.quarantined) as path:
        pq.write_table(pa.table({**values, "_row": [6], "_reasons": [[reason]]}), path)


@pytest.mark.requirement("QUA-02", "QUA-03")
def test_from_the_citys_score_to_the_rule_that_failed(client, checked):
    monitor = client(Role.QUALITY_MONITOR)
    overview = monitor.get("/quality").text
    assert "98.8889" in overview
    assert "89/90" in overview
    assert f"/quality/entries/{TAXPAYER}" in overview
    entry = monitor.get(f"/quality/entries/{TAXPAYER}").text
    assert "公民身份号码应合规" in entry
    assert "r-1" in entry
    assert monitor.get("/quality?period=2026-02").status_code == 200
    assert monitor.get("/quality?period=2026-13").status_code == 422


@pytest.mark.requirement("QUA-02", "QUA-03")
def test_a_cell_of_the_heat_map_leads_to_the_rules_that_failed_there(client, checked):
    monitor = client(Role.QUALITY_MONITOR)
    text = monitor.get("/quality?period=2026-11").text
    chart = json.loads(html.unescape(re.search(r'data-chart="([^"]*)"', text).group(1)))
    cells = chart["series"][0]["data"]
    departments = chart["yAxis"]["data"]
    chosen = next(one for one in cells if "dimension=conformity" in one["href"])
    assert len(departments) == 2
    assert {tuple(one["value"]) for one in cells} >= {(1, 0, 98.88), (1, 1, 98.88)}
    for one in cells:
        # The same figure stands in the table, with the same link.
        assert html.unescape(one["href"]) in html.unescape(text).split("<table", 1)[1]

    rules = monitor.get(chosen["href"]).text
    assert "公民身份号码应合规" in rules
    assert rules.count("id_no.format") == 1
    assert RESIDENT in rules
    assert TAXPAYER not in rules
    other = monitor.get(chosen["href"].replace("conformity", "accuracy")).text
    assert "没有不合格的规则" in other
    assert "id_no.format" not in other


def test_what_a_rule_asks_for_is_told_in_the_language_of_the_reader(client, checked):
    monitor = client(Role.QUALITY_MONITOR)
    paths = ("/quality/departments/taxation?period=2026-11", f"/quality/entries/{TAXPAYER}")

    for language, told, hidden in (
        ("en", "id_no must be valid", "公民身份号码应合规"),
        ("zh", "公民身份号码应合规", "id_no must be valid"),
    ):
        monitor.get(f"/language/{language}?next=/")
        for path in paths:
            text = monitor.get(path).text
            assert told in text, path
            assert hidden not in text, path


def test_a_department_that_gave_nothing_and_one_that_there_is_not(client, checked):
    monitor = client(Role.QUALITY_MONITOR)
    empty = monitor.get("/quality/departments/taxation?period=2026-02")
    assert empty.status_code == 200
    assert "没有不合格的规则" in empty.text
    assert monitor.get("/quality/departments/nobody").status_code == 404
    assert monitor.get("/quality/departments/taxation?dimension=beauty").status_code == 422


def test_volume_and_days_of_the_city_add_up(client, checked):
    text = client(Role.QUALITY_MONITOR).get("/quality?period=2026-11").text
    day = re.search(r'<th scope="row">2026-11-20</th>(.*?)</tr>', text, re.DOTALL).group(1)
    assert re.findall(r">([\d.,%]+)<", day) == ["180", "2", "98.9%"]


def test_the_heat_map_is_drawn_and_its_cells_can_be_clicked(browser_page, checked, picture):
    page = browser_page(Role.QUALITY_MONITOR)
    page.goto("/quality?period=2026-11", wait_until="networkidle")
    canvas = page.locator(".chart canvas").first
    assert canvas.is_visible()
    picture(page, "quality-heat-map")
    assert _serious(page) == []
    box = canvas.bounding_box()
    # The first cell: the total of the first department.
    page.mouse.click(box["x"] + 190, box["y"] + 90)
    page.wait_for_url("**/quality/departments/public_security?period=2026-11")
    page.get_by_role("link", name="98.8889").first.click()
    expect(page.get_by_role("heading", name="不合格的规则")).to_be_visible()
    picture(page, "quality-department")
    assert _serious(page) == []


def _serious(page):
    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.requirement("SEC-11")
def test_rows_are_masked_and_not_for_every_eye(client, checked):
    path = f"/quality/entries/{RESIDENT}/rows?run=r-1"
    shown = client(Role.QUALITY_MONITOR).get(path).text
    assert "公民身份号码应合规" in shown
    assert "核对证照原件" in shown
    assert NUMBER not in shown
    assert "张三丰" not in shown
    assert client(Role.DEPARTMENT_OFFICER).get(path).status_code == 403
    assert client(Role.QUALITY_MONITOR).get(path.replace("r-1", "none")).status_code == 422


@pytest.mark.requirement("SEC-11")
def test_programs_get_rows_masked_and_on_record(ask, checked):
    path, asked = f"/entries/{RESIDENT}/rows", {"params": {"run": "r-1"}}
    before = len(looks(checked, "view_personal", f"{RESIDENT}:r-1"))

    answer = ask("monitor", "GET", path, **asked)

    assert [one["row"] for one in answer.json()]
    assert NUMBER not in answer.text
    assert "张三丰" not in answer.text
    assert ask("officer.health", "GET", path, **asked).status_code == 403
    assert len(looks(checked, "view_personal", f"{RESIDENT}:r-1")) == before + 1


def looks(world, action, object_id):
    with world.engine.connect() as connection:
        asked = select(JournalRecord.account, JournalRecord.reason).where(
            JournalRecord.action == action, JournalRecord.object_id == object_id
        )
        return [tuple(row) for row in connection.execute(asked)]


@pytest.mark.requirement("SEC-03", "SEC-11")
def test_every_look_at_masked_rows_is_on_record(client, checked):
    before = len(looks(checked, "view_personal", f"{RESIDENT}:r-1"))
    asker = client(Role.AUTHORITY_REVIEWER)
    asker.get(f"/quality/entries/{RESIDENT}/rows?run=r-1")
    asker.get(f"/quality/entries/{RESIDENT}/rows?run=r-1")

    found = looks(checked, "view_personal", f"{RESIDENT}:r-1")
    assert len(found) == before + 2
    assert found[-1] == ("reviewer", None)


@pytest.mark.requirement("SEC-03", "SEC-11")
def test_a_row_is_shown_in_clear_once_for_a_purpose_that_is_kept(client, checked):
    path, object_id = f"/quality/entries/{RESIDENT}/clear", f"{RESIDENT}:r-1:7"
    monitor = client(Role.QUALITY_MONITOR)
    form = {"csrf": monitor.csrf, "run": "r-1", "row": "7"}
    asked = monitor.get(path, params={"run": "r-1", "row": 7})
    assert asked.status_code == 200
    assert NUMBER not in asked.text
    refused = monitor.post(path, data={**form, "purpose": "  "})
    assert refused.status_code == 422
    assert NUMBER not in refused.text
    assert looks(checked, "unmask", object_id) == []

    shown = monitor.post(path, data={**form, "purpose": "与户籍档案核对"})

    assert NUMBER in shown.text
    assert "no-store" in shown.headers["cache-control"]
    assert looks(checked, "unmask", object_id) == [("monitor", "与户籍档案核对")]
    for role in set(Role) - {Role.RULE, Role.QUALITY_MONITOR}:
        other = client(role)
        answer = other.post(path, data={**form, "csrf": other.csrf, "purpose": "想看"})
        assert answer.status_code == 403, role
        assert NUMBER not in answer.text
    assert len(looks(checked, "unmask", object_id)) == 1


@pytest.mark.requirement("SEC-03", "SEC-11")
def test_programs_get_a_row_in_clear_for_a_purpose_that_is_kept(ask, checked):
    path, object_id = f"/entries/{RESIDENT}/rows/clear", f"{RESIDENT}:r-1:7"
    before = len(looks(checked, "unmask", object_id))
    asked = {"run": "r-1", "row": 7, "purpose": "与户籍档案核对"}

    for wrong in ({"purpose": "  "}, {"row": 0}, {"row": 8}, {"run": "none"}):
        refused = ask("monitor", "POST", path, json=asked | wrong)
        assert refused.status_code == 422
        assert NUMBER not in refused.text
    for account in ("officer.public_security", "reviewer", "auditor", "admin", "operator"):
        assert ask(account, "POST", path, json=asked).status_code == 403
    assert len(looks(checked, "unmask", object_id)) == before

    shown = ask("monitor", "POST", path, json=asked)

    assert NUMBER in shown.json().values()
    assert "no-store" in shown.headers["cache-control"]
    assert looks(checked, "unmask", object_id)[before:] == [("monitor", "与户籍档案核对")]


def test_programs_get_days_months_runs_and_the_report(ask, checked):
    day = {"day": "2026-11-20", "rows": 180, "quarantined": 2}
    assert day in ask("monitor", "GET", "/quality/2026-11/days").json()
    for of in (
        {}, {"of": "department", "of_id": "taxation"}, {"of": "entry", "of_id": TAXPAYER},
    ):  # fmt: skip
        *earlier, last = ask("monitor", "GET", "/quality/2026-11/months", params=of).json()
        assert len(earlier) == 11
        assert last["dimensions"]["conformity"]["counted"] in (90, 180)
        assert not last["is_final"]
    (run,) = ask("monitor", "GET", f"/entries/{TAXPAYER}/runs").json()
    assert (run["run_id"], run["failed"]) == ("r-1", 1)
    verdict = ask("monitor", "GET", f"/entries/{TAXPAYER}/verdicts/r-1").json()
    assert verdict["checks"][0]["text_zh"] == "公民身份号码应合规"
    assert ask("monitor", "GET", f"/entries/{TAXPAYER}/verdicts/none").status_code == 404
    assert ask("monitor", "GET", "/quality/2026-13/days").status_code == 422
    report = ask("monitor", "GET", "/quality/2026-11/report")
    assert report.headers["content-disposition"].startswith("attachment")
    assert "政务数据质量月报" in report.text
    assert ask("monitor", "GET", "/quarantine").json() == []


def test_the_report_is_a_file_to_keep(client, checked):
    answer = client(Role.QUALITY_MONITOR).get("/quality/report/2026-11")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "政务数据质量月报" in answer.text


@pytest.mark.requirement("QUA-01", "SUP-08")
def test_an_objection_goes_from_one_desk_to_the_next(client, checked):
    monitor, officer = client(Role.QUALITY_MONITOR), client(Role.DEPARTMENT_OFFICER)
    reviewer = client(Role.AUTHORITY_REVIEWER)
    sent = {
        "csrf": monitor.csrf, "entry": TAXPAYER, "column": "tax_credit_grade",
        "key": "91320200MA9999999B", "summary": "等级与公示不一致",
    }  # fmt: skip
    assert "纳税信用" in monitor.get(f"/objections/new?entry={TAXPAYER}").text
    path = monitor.post("/objections/new", data=sent).headers["location"]

    def take(who, state, note=""):
        form = {"csrf": who.csrf, "state": state, "note": note}
        return who.post(f"{path}/step", data=form)

    def home_of(who):
        return path in who.get("/").text

    assert take(officer, "accepted").status_code == 403
    assert (home_of(reviewer), home_of(officer), home_of(monitor)) == (True, False, True)
    assert take(reviewer, "accepted").status_code == 303
    assert (home_of(reviewer), home_of(officer), home_of(monitor)) == (False, True, False)
    assert "核实" in officer.get(path).text
    assert take(officer, "verified").status_code == 422
    assert take(officer, "verified", "公示有延迟").status_code == 303
    assert take(officer, "rejected", "以系统为准").status_code == 303
    assert (home_of(officer), home_of(monitor)) == (False, True)
    file = {"file": ("公示.pdf", b"%PDF-1.7 x", "application/pdf")}
    kept = monitor.post(f"{path}/evidence", data={"csrf": monitor.csrf}, files=file)
    assert kept.status_code == 303
    assert take(monitor, "closed").status_code == 303

    page = monitor.get(path).text
    for word in ("提出", "受理", "转提供方", "核实", "驳回", "反馈", "关闭"):
        assert word in page
    (address,) = re.findall(rf"{path}/evidence/\w+", page)
    assert monitor.get(address).content == b"%PDF-1.7 x"
    assert path.rpartition("/")[2] in monitor.get("/objections?state=closed").text
    assert client("officer.health").get(path).status_code == 403
    assert monitor.get("/objections/YY2026-999999").status_code == 404


def test_figures_that_are_kept_move_with_the_next_run(client, checked):
    monitor, ledger = client(Role.QUALITY_MONITOR), Ledger(checked.engine)
    path = "/quality/departments/health?period=2026-11"
    at = checked.clock() - timedelta(hours=1)
    check = CheckFacts(
        "a.required", "required", "completeness", "fail", ("a",), 40, 4, "不得为空",
        text_en="must not be empty", waived=0,
    )  # fmt: skip

    assert "36/40" not in monitor.get(path).text
    entry = "health.medical_licence"
    ledger.record_run_started(RunStarted("r-2", entry, RunKind.ENTRY, "x", at))
    ledger.record_verdict(VerdictFacts("r-2", entry, 40, 4, True, 0.2, at, (check,)))

    assert "36/40" in monitor.get(path).text
    assert entry in monitor.get("/quality?period=2026-11").text


def test_pages_look_right_in_a_browser(browser_page, picture, checked):
    page = browser_page(Role.QUALITY_MONITOR)
    for name, path in {
        "quality": "/quality",
        "quality-entry": f"/quality/entries/{RESIDENT}",
        "quality-rows": f"/quality/entries/{RESIDENT}/rows?run=r-1",
        "quality-clear": f"/quality/entries/{RESIDENT}/clear?run=r-1&row=7",
        "objections": "/objections",
        "objection-new": f"/objections/new?entry={TAXPAYER}",
    }.items():
        page.goto(path)
        picture(page, name)
