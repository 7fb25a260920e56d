"""Clocks, calendar, cards and notices from the command line."""

import json
from datetime import date, datetime, time
from pathlib import Path

import pyarrow as pa
import pytest
from openpyxl import load_workbook
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from yishu.cli import app, world
from yishu.clocks import BEIJING
from yishu.governance import accounts
from yishu.governance.catalog_clock import DriftSeen, on_drift
from yishu.ledger import Ledger, RunKind, RunStarted
from yishu.ledger.journal import Actor
from yishu.library import publish_snapshot

ROOT = Path(__file__).resolve().parents[3]
REVIEWER = Actor("person-2", "zhou.ping", Role.AUTHORITY_REVIEWER, "big_data_bureau")
OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")

MONITOR = Actor("person-3", "wu.ke", Role.QUALITY_MONITOR, "big_data_bureau")


def at(day, hour=10):
    return datetime.combine(date.fromisoformat(day), time(hour), BEIJING)


@pytest.fixture(scope="module")
def place(copied, ledger_template, tmp_path_factory):
    """A released catalog, and a ledger with two accounts and one clock that runs since drift."""
    url = copied(ledger_template)
    var = tmp_path_factory.mktemp("var")
    catalog, _ = load_catalog(ROOT / "catalog")
    write_release(var / "releases", compile_release(catalog, date(2026, 9, 1)))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        for actor in (REVIEWER, OFFICER, MONITOR):
            accounts.add(connection, actor, actor.account, valid_from=date(2026, 1, 1))
        seen = DriftSeen(
            "taxation.taxpayer", "taxation", "来源新增字段：tel（text）", at("2026-09-24")
        )
        clock_id = on_drift(connection, seen, "wuxi_2022")
    engine.dispose()
    return url, var, clock_id


@pytest.fixture
def yishu(place, monkeypatch):
    """The command on a day; what it printed, its exit code asserted."""
    url, var, _ = place
    monkeypatch.setenv("YISHU_VAR_DIR", str(var))
    monkeypatch.setenv("YISHU_DATABASE_URL", url)

    def run(*arguments, on="2026-10-20", expect=0):
        monkeypatch.setattr(world, "clock", lambda: at(on))
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture
def as_json(yishu):
    return lambda *arguments, **kwargs: json.loads(yishu(*arguments, "--json", **kwargs).stdout)


@pytest.mark.requirement("SUP-13")
def test_the_board_shows_last_day_state_and_the_other_profile(as_json, place):
    (line,) = as_json("clocks", "list")

    assert line["clock_id"] == place[2]
    assert (line["due"], line["state"], line["earlier_elsewhere"]) == (
        "2026-10-22",
        "yellow",
        "2026-10-15",
    )
    (counted,) = as_json("clocks", "board")
    assert (counted["held by"], counted["yellow"], counted["red"]) == ("taxation", 1, 0)


def test_the_board_is_written_as_a_workbook(yishu, tmp_path):
    file = tmp_path / "clocks.xlsx"
    yishu("clocks", "list", "--xlsx", str(file))
    head, row = load_workbook(file).active.iter_rows(values_only=True)

    assert head[6] == "截止日"
    assert (row[3], row[5], row[6]) == ("无锡市税务局", "将到期", "2026-10-22")


def test_one_clock_shows_its_course(as_json, place):
    shown = as_json("clocks", "show", place[2])

    assert shown["clock"]["basis"] == "S004 第十四条"
    assert shown["events"][0]["note"].startswith("来源新增字段：tel")
    assert [leg["party"] for leg in shown["legs"]] == ["department"]


def test_what_the_promise_does_not_allow_is_refused_with_a_remedy(yishu, place):
    asked = ("--as", "zhou.ping", "--reason", "系统升级")
    extended = yishu("clocks", "extend", place[2], "--days", "5", *asked, expect=1)
    paused = yishu(
        "clocks", "pause", place[2], "--cause", "returned_for_completion", *asked, expect=1
    )

    assert "GOV_EXTENSION_REFUSED" in extended.stderr
    assert "GOV_PAUSE_REFUSED" in paused.stderr


@pytest.mark.requirement("SUP-04")
def test_a_sweep_brings_cards_orders_and_notices(yishu, as_json):
    done = as_json("clocks", "sweep", on="2026-10-23")
    again = as_json("clocks", "sweep", on="2026-10-23")

    assert (done["red"], done["orders"], again["red"], again["notices"]) == (1, 1, 0, 0)
    (card,) = as_json("cards", "list")
    assert (card["colour"], card["holder_org"]) == ("red", "taxation")
    (order,) = as_json("cards", "orders")
    assert order["org_name"] == "无锡市税务局"
    told = {row["subject"][:6] for row in as_json("notices", "list", "--org", "taxation")}
    assert "办理期限提醒" in told
    answer = ("cards", "answer", order["order_no"], "--feedback", "已更新")
    yishu(*answer, "--as", "li.an", on="2026-10-26")
    yishu(*answer, "--as", "li.an", on="2026-10-26", expect=1)


@pytest.mark.requirement("SUP-05")
def test_the_calendar_counts_and_says_what_is_provisional(yishu, as_json):
    assert yishu("calendar", "add", "2026-09-24", "15").stdout == "2026-10-22\n"
    assert yishu("calendar", "add", "2026-12-11", "15").stdout == "2027-01-04（暂定）\n"
    assert as_json("calendar", "show", on="2026-10-31")["missing"] is None
    assert as_json("calendar", "show", on="2026-11-01")["missing"] == 2027


def test_a_notice_is_loaded_once(yishu, tmp_path):
    days = ("01-01", "05-01", "10-01", "10-02", "10-03")
    rows = "".join(f"2027,2027-{md},holiday,节日,国办发明电〔2026〕9号\n" for md in days)
    file = tmp_path / "notice.csv"
    file.write_text(f"year,date,kind,name,notice\n{rows}", "gb18030")
    load = ("calendar", "load", "2027", str(file), "--as", "zhou.ping")

    assert "5 days in force" in yishu(*load).stdout
    assert "nothing changed" in yishu(*load).stdout
    file.write_text("year\n")
    assert "CLOCK_CALENDAR_FAULTY" in yishu(*load, expect=1).stderr


@pytest.mark.requirement("SUP-12")
def test_overdue_tasks_of_the_plan_are_listed(as_json):
    rows = as_json("clocks", "tasks", "--on", "2016-10-31", "--overdue")

    assert [row["task"] for row in rows] == ["s002_01", "s002_02", "s002_03", "s002_07", "s002_13"]


def test_a_change_of_function_runs_for_the_whole_department(as_json):
    ids = as_json(
        *("clocks", "report-change", "function_change", "--org", "market_regulation"),
        *("--on", "2026-10-19", "--as", "zhou.ping", "--reason", "机构改革"),
    )

    assert len(ids) == 3


@pytest.mark.requirement("COL-03")
def test_entries_that_never_came_are_stale_once_the_installation_runs(as_json, place):
    before = as_json("clocks", "freshness", on="2027-12-01")
    began = RunStarted("first", "taxation.taxpayer", RunKind.ENTRY, "release", at("2026-10-01"))
    engine = create_engine(make_url(place[0]).set(drivername="postgresql+psycopg"))
    Ledger(engine).record_run_started(began)
    engine.dispose()

    rows = as_json("clocks", "freshness", on="2027-12-01")

    assert "stale" not in {row["state"] for row in before}, "nobody could deliver to it yet"
    assert {row["state"] for row in rows} <= {"stale", "unlimited"}
    assert len(rows) > 15


@pytest.mark.requirement("SUP-12")
def test_a_step_of_a_task_is_recorded_by_who_may_and_shown(yishu, as_json):
    asked = ("clocks", "tasks", "record", "s002_01", "inspected", "--note", "已现场督查")
    refused = yishu(*asked, "--as", "li.an", expect=1)
    yishu(*asked, "--as", "wu.ke")
    listed = as_json("clocks", "tasks", on="2026-10-20")

    assert "FORBIDDEN" in refused.output.upper()
    (task,) = [one for one in listed if one["task"] == "s002_01"]
    assert task["escalation"] == "督促检查"
    unknown = ("clocks", "tasks", "record", "s002_99", "done", "--note", "x", "--as", "wu.ke")
    assert "clocks tasks" in yishu(*unknown, expect=1).output


@pytest.mark.requirement("SUP-01", "SUP-08")
def test_cases_of_the_library_are_supervised_listed_and_told_by_number(yishu, as_json, place):
    moments = pa.array([at("2026-09-24")] * 2, pa.timestamp("us", "UTC"))
    approval = "administrative_approval.approval_case"
    application = {
        "case_no": ["C1", "C0"], "_entry_id": [approval] * 2, "applied_at": moments,
        "accepted_at": moments, "implementation_code": ["I1", "I1"],
        "promised_on": pa.array([date(2026, 10, 9)] * 2, pa.date32()),
    }  # fmt: skip
    process = {
        "process_no": ["P1", "P2"], "case_no": ["C1", "C0"], "process_step": ["2", "4"],
        "handler_name": ["无名氏", "无名氏"], "started_at": moments, "ended_at": moments,
    }  # fmt: skip
    for subject, key, columns in (
        ("case_application", "case_no", application),
        ("case_process", "process_no", process),
    ):
        batch = pa.record_batch(columns)
        when = {"run_id": "r1", "committed_at": at("2026-09-25"), "read": batch.num_rows}
        place_of = place[1] / "library", f"subject/{subject}"
        publish_snapshot(*place_of, batch.schema, [batch], key=[key], **when)

    swept = as_json("clocks", "sweep", on="2026-10-12")
    assert (swept["cases"], swept["cases_supervised"]) == (2, 2)
    (late,) = as_json("clocks", "cases", "--late", on="2026-10-12")
    assert (late["object_id"], late["due"], late["state"]) == ("C1", "2026-10-09", "red")
    assert len(as_json("clocks", "cases", "--all", on="2026-10-12")) == 4
    course = as_json("clocks", "case", "C1", on="2026-10-12")
    assert [step["step"] for step in course["steps"]] == ["审核"]
    assert [card["colour"] for card in course["cards"]] == ["red"]
    assert course["orders"][0]["case_no"] == "C1"
    assert "无名氏" not in yishu("clocks", "case", "C1", on="2026-10-12").stdout
    assert "clocks cases --all" in yishu("clocks", "case", "C9", expect=1).output
