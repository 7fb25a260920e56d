"""What an engineer or a monitor asks about quality, and what comes back."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from yishu.cli import app
from yishu.ledger import (
    CheckFacts,
    Ledger,
    RunKind,
    RunStarted,
    VerdictFacts,
    migrate,
)

TAXPAYER = "taxation.taxpayer"


def verdict(run_id, day, failed, check_id="uscc.format", entry_id=TAXPAYER):
    check = CheckFacts(
        check_id, "format", "conformity", "fail", ("uscc",), 100, failed, "统一社会信用代码应合规"
    )
    at = datetime(2026, 11, day, 1, 0, tzinfo=UTC)
    return VerdictFacts(run_id, entry_id, 100, failed, True, 0.2, at, (check,))


@pytest.fixture
def yishu(city, fresh_database, tmp_path, monkeypatch):
    """The command on a ledger with three validated runs of one entry."""
    migrate.upgrade(fresh_database)
    ledger = Ledger(create_engine(fresh_database))
    for day, failed in ((18, 1), (19, 4), (20, 2)):
        one = verdict(f"run-{day}", day, failed)
        ledger.record_run_started(
            RunStarted(one.run_id, TAXPAYER, RunKind.ENTRY, "release", one.decided_at)
        )
        ledger.record_verdict(one)
    (tmp_path / "releases").symlink_to(city.folder / "releases")
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_database)

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
