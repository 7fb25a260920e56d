"""The plan of an entry on the command line, its suite as a file, its Data Docs on request."""

import json
import re

import great_expectations as gx
import pytest
from typer.testing import CliRunner

import expectations.fields  # noqa: F401  what the command says to import
from yishu.cli import app

RESIDENT = "public_security.resident"
TAXPAYER = "taxation.taxpayer"
GUIDE = "administrative_approval.service_guide"


@pytest.fixture
def yishu(city, fresh_database, tmp_path, monkeypatch):
    """The command on the city's release and an empty ledger."""
    (tmp_path / "releases").symlink_to(city.folder / "releases")
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_database)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments, expect=0):
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == expect, result.output
        return result

    return run


def test_the_plan_says_what_is_checked_how_strictly_and_who_decided(yishu):
    found = json.loads(yishu("quality", "plan", RESIDENT, "--on", "2026-11-25", "--json").stdout)
    checks = {one["check_id"]: one for one in found["checks"]}
    assert checks["resident_id_no.format"]["severity"] == "fail"
    assert checks["resident_id_no.format"]["dimension"] == "conformity"
    own = checks["sex.sex_agrees.resident_id_no"]
    assert own["severity"] == "warn"
    assert own["decided"].startswith("市大数据管理局 数据质量处, 2020-01-01")
    assert "性别代码" in yishu("quality", "plan", RESIDENT).output


def test_before_a_decision_its_check_is_not_planned(yishu):
    found = json.loads(yishu("quality", "plan", RESIDENT, "--on", "2019-12-31", "--json").stdout)
    assert "sex.sex_agrees.resident_id_no" not in {one["check_id"] for one in found["checks"]}


def test_an_unknown_entry_is_named(yishu):
    assert "no.such" in yishu("quality", "plan", "no.such", expect=1).stderr


def test_a_written_suite_loads_in_plain_great_expectations(yishu, tmp_path):
    path = tmp_path / "taxpayer.suite.json"
    yishu("quality", "suite", TAXPAYER, "--out", str(path))
    stored = json.loads(path.read_text("utf-8"))
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite(**stored))
    planned = json.loads(yishu("quality", "plan", TAXPAYER, "--json").stdout)["checks"]
    assert [one.meta["check_id"] for one in suite.expectations] == [c["check_id"] for c in planned]


def test_data_docs_are_built_when_asked_for(yishu, tmp_path):
    site = tmp_path / "docs"
    page = yishu("quality", "docs", TAXPAYER, "--out", str(site)).output
    assert "index.html" in page
    pages = "".join(path.read_text("utf-8") for path in site.rglob("*.html"))
    assert re.search(r"must be a valid uscc", pages)


@pytest.mark.requirement("QUA-06", "QUA-11")
def test_published_guides_and_items_are_checked_on_the_command_line(
    published_city, city, yishu, tmp_path
):
    ctx, _ = published_city
    (tmp_path / "library").symlink_to(ctx.settings.library_dir)

    found = json.loads(yishu("quality", "guide", GUIDE, "--json").stdout)
    (counts,) = found["totals"].values()
    rows = city.manifest.entries[GUIDE].published
    assert sum(counts.values()) == rows * 14
    assert len({(one["item"], one["element"]) for one in found["findings"]}) == (
        counts["missing"] + counts["wrong"]
    )
    assert counts["missing"] > 0

    same = json.loads(yishu("quality", "levels", "--json").stdout)
    assert same["malformed"] == []
    assert same["pairs"] >= 0
