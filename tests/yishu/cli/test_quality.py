"""What an engineer or a monitor asks about quality, and what comes back."""

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from catalog.roles import Role
from yishu.cli import app
from yishu.governance import accounts
from yishu.ledger import (
    CheckFacts,
    Ledger,
    RunKind,
    RunStarted,
    VerdictFacts,
)
from yishu.ledger.journal import Actor

TAXPAYER = "taxation.taxpayer"


def verdict(run_id, day, failed, check_id="uscc.format", entry_id=TAXPAYER):
    check = CheckFacts(
        check_id, "format", "conformity", "fail", ("uscc",), 100, failed, "统一社会信用代码应合规"
    )
    at = datetime(2026, 11, day, 1, 0, tzinfo=UTC)
    return VerdictFacts(run_id, entry_id, 100, failed, True, 0.2, at, (check,))


@pytest.fixture
def yishu(city, fresh_ledger, tmp_path, monkeypatch):
    """The command on a ledger with three validated runs of one entry."""
    ledger = Ledger(create_engine(fresh_ledger))
    for day, failed in ((18, 1), (19, 4), (20, 2)):
        one = verdict(f"run-{day}", day, failed)
        ledger.record_run_started(
            RunStarted(one.run_id, TAXPAYER, RunKind.ENTRY, "release", one.decided_at)
        )
        ledger.record_verdict(one)
    (tmp_path / "releases").symlink_to(city.folder / "releases")
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_ledger)

    def run(*arguments, expect=0):
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == expect, result.output
        return result

    return run


def test_an_entry_after_quality_is_shown(yishu):
    """`yishu quality ENTRY` needs no further word, with options before or after it."""
    plain = json.loads(yishu("quality", TAXPAYER, "--json").stdout)
    before = json.loads(yishu("quality", "--json", TAXPAYER).stdout)

    assert plain == before
    assert (plain["run_id"], plain["checks"][0]["failed"]) == ("run-20", 2)
    assert [one["failed"] for one in plain["trend"]] == [1, 4, 2]
    assert plain["trend"][1]["score"] == 0.96


def test_bars_and_trend_are_drawn_from_the_ledger(yishu):
    text = yishu("quality", TAXPAYER).output

    assert "规范性" in text
    assert "98/100" in text
    assert "█▁▅" in text


def test_two_runs_are_compared_check_by_check(yishu):
    found = json.loads(yishu("quality", "compare", "run-18", "run-19", "--json").stdout)

    assert [(one["check_id"], one["change"]) for one in found] == [("uscc.format", "worse")]
    assert (found[0]["failed_before"], found[0]["failed_after"]) == (1, 4)


def test_runs_of_nothing_in_common_are_not_compared(yishu):
    refused = yishu("quality", "compare", "run-18", "other", "--json", expect=1)
    assert json.loads(refused.stdout)["error"]["found"] == "no entry that both runs validated"


@pytest.fixture
def people(fresh_ledger):
    """Accounts of those who act on the command line."""
    engine = create_engine(fresh_ledger)
    roles = {
        "li.an": (Role.DEPARTMENT_OFFICER, "housing_construction"),
        "he.ping": (Role.DEPARTMENT_OFFICER, "market_regulation"),
        "sun.li": (Role.AUTHORITY_REVIEWER, "big_data_bureau"),
        "qian.jun": (Role.QUALITY_MONITOR, "big_data_bureau"),
    }
    with engine.begin() as connection:
        for account, (role, org) in roles.items():
            actor = Actor(f"person-{account}", account, role, org)
            accounts.add(connection, actor, account, valid_from=date(2020, 1, 1))


@pytest.mark.requirement("QUA-01", "SUP-08")
def test_an_objection_is_followed_on_the_command_line(yishu, people, tmp_path):
    """Raised, accepted, verified, rejected with evidence, closed; each step is on record."""
    told = yishu(
        "objection", "raise", TAXPAYER, "名称与执照不符", "--column", "taxpayer_name",
        "--scope", "registrar=9", "--as", "li.an", "--json",
    )  # fmt: skip
    raised = json.loads(told.stdout)
    number = raised["objection_id"]
    assert raised["source_org"] == "market_regulation"
    (tmp_path / "licence.pdf").write_bytes(b"%PDF-1.7")
    yishu("objection", "attach", number, str(tmp_path / "licence.pdf"), "--as", "li.an")
    yishu("objection", "step", number, "accepted", "--as", "sun.li")
    refused = yishu(
        "objection", "step", number, "verified", "--note", "属实", "--as", "li.an", "--json",
        expect=1,
    )  # fmt: skip
    assert json.loads(refused.stdout)["error"]["code"] == "GOV_FORBIDDEN"
    for state in ("verified", "rejected"):
        yishu("objection", "step", number, state, "--note", "与登记一致", "--as", "he.ping")
    yishu("objection", "step", number, "closed", "--as", "li.an")

    course = json.loads(yishu("objection", "show", number, "--json").stdout)
    assert [one["state"] for one in course["steps"]] == [
        "raised", "accepted", "forwarded", "verified", "rejected", "fed_back", "closed"
    ]  # fmt: skip
    assert course["evidence"][0]["name"] == "licence.pdf"
    assert len(json.loads(yishu("objection", "list", "--json").stdout)) == 1
    assert "核实" in yishu("objection", "show", number).output


@pytest.mark.requirement("IND-19", "QUA-02")
def test_scores_rates_and_report_of_a_month_that_has_runs(yishu, people, tmp_path):
    found = json.loads(yishu("quality", "scores", "2026-11", "--json").stdout)
    (entry,) = found["entries"]
    assert entry["dimensions"]["conformity"] == {"right": 293, "counted": 300, "waived": 0}
    assert "97.6667 (293/300)" in yishu("quality", "scores", "2026-11").output

    opened = yishu("quality", "rates", "2026Q4", "--department", "taxation", "--json")
    cases = json.loads(opened.stdout)
    assert [(one["rate"], one["object_id"], one["kept"]) for one in cases] == [
        ("quality", TAXPAYER, 293)
    ]
    path = tmp_path / "report.html"
    yishu("quality", "report", "--month", "2026-11", "--to", str(path))
    assert "97.6667" in path.read_text("utf-8")
    too_early = yishu("quality", "freeze", "2026-11", "--as", "li.an", "--json", expect=1)
    assert json.loads(too_early.stdout)["error"]["code"] == "GOV_FORBIDDEN"
    bad = yishu("quality", "report", "--month", "2026-13", "--json", expect=1)
    assert json.loads(bad.stdout)["error"]["code"] == "GOV_PERIOD_FAULTY"
