"""The report of a month says everything on one page, the same on paper, and nothing personal."""

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from yishu.clocks import WorkingDays
from yishu.clocks.table import read_table
from yishu.governance.clock_rules import clock_rules
from yishu.governance.freezing import Answer, answer_figure, freeze
from yishu.governance.objections import (
    NewObjection,
    ObjectionState,
    Origin,
    Publication,
    Step,
    correct,
    move,
    published,
    raise_objection,
)
from yishu.governance.period import Period
from yishu.governance.report import gather, render
from yishu.governance.scores import EQUAL, scores
from yishu.ledger import CheckFacts, Ledger, RunKind, RunStarted, VerdictFacts
from yishu.ledger.journal import Actor

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = shutil.which("chromium")
NOVEMBER = Period.parse("2026-11")
AT = datetime(2026, 12, 10, 2, tzinfo=UTC)
OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "transport")
SOURCE = Actor("person-2", "he.ping", Role.DEPARTMENT_OFFICER, "taxation")
AUTHORITY = Actor("person-4", "sun.li", Role.AUTHORITY_REVIEWER, "big_data_bureau")
MONITOR = Actor("person-5", "qian.jun", Role.QUALITY_MONITOR, "big_data_bureau")
RULE = Actor("rule:publication", "rule:publication", Role.RULE, "yishu")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return write_release(
        tmp_path_factory.mktemp("releases"), compile_release(loaded, date(2026, 11, 1))
    )


@pytest.fixture(scope="module")
def rules(catalog):
    calendar = WorkingDays(read_table(ROOT / "catalog" / "working_days"))
    names = {"authority": "big_data_bureau", "operator": "command_centre"}
    return clock_rules(catalog, calendar, profile="wuxi_2022", **names)


@pytest.fixture(scope="module")
def engine(copied, ledger_template, catalog):
    """Four months of runs of every entry; in November one department falls."""
    made = create_engine(copied(ledger_template))
    ledger = Ledger(made)
    for month in (8, 9, 10, 11):
        for entry in list(catalog.entries.values())[:-1]:
            at = datetime(2026, month, 12, 1, tzinfo=UTC)
            run_id = f"{month}-{entry.id}"
            wrong = 200 if month == 11 and entry.provider_org == "taxation" else 3
            ledger.record_run_started(RunStarted(run_id, entry.id, RunKind.ENTRY, "r", at))
            checks = tuple(
                CheckFacts(f"c.{d}", "format", d, "fail", ("c",), 1_000, wrong, f"{d}应合规")
                for d in ("conformity", "completeness", "accuracy")
            )
            ledger.record_verdict(
                VerdictFacts(run_id, entry.id, 1_000, wrong, True, 0.5, at, checks)
            )
    yield made
    made.dispose()


@pytest.fixture
def connection(engine, catalog, rules):
    """With a corrected, an open and an overdue objection and a department's answer."""
    with engine.connect() as opened:
        start = datetime(2026, 11, 3, 2, tzinfo=UTC)
        hour = timedelta(hours=1)
        new = NewObjection(Origin.DEPARTMENT, "taxation.taxpayer", "等级已变更", "tax_credit_grade")
        number = raise_objection(opened, new, catalog, OFFICER, start)
        move(opened, number, Step(ObjectionState.ACCEPTED), AUTHORITY, start + hour)
        move(opened, number, Step(ObjectionState.VERIFIED, "属实"), SOURCE, start + 2 * hour)
        correct(opened, number, "已改正", SOURCE, start + 3 * hour)
        done = Publication("taxation.taxpayer", "11-x", 9, start + 4 * hour)
        published(opened, done, RULE, start + 5 * hour)
        late = replace(new, column=None, summary="缺少 2026 年数据 <script>alert(1)</script>")
        other = raise_objection(opened, late, catalog, OFFICER, start)
        move(opened, other, Step(ObjectionState.ACCEPTED), AUTHORITY, start + hour)
        said = Answer("2026-11", "taxation", "total", "征管系统升级期间口径变化", AT, "he.ping")
        answer_figure(opened, said, SOURCE, rules)
        yield opened


@pytest.fixture
def report(connection, catalog, rules):
    return gather(connection, NOVEMBER, AT, catalog=catalog, weights=lambda _: EQUAL, rules=rules)


class Page(HTMLParser):
    """Texts and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.fetched, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.mark.requirement("QUA-02", "IND-19")
def test_the_page_says_all_that_a_monitor_asks(report):
    text = render(report)
    page = Page(text)

    for heading in (
        "全市概况", "近期走势", "部门 × 维度", "部门排名", "问题最多的规则", "未办结的异议",
        "超期的时限", "本月更正",
    ):  # fmt: skip
        assert heading in page.texts
    *others, last = report.departments
    assert {line.rank for line in others} == {1}
    assert (last.department_id, last.rank) == ("taxation", len(others) + 1)
    assert "总分：征管系统升级期间口径变化" in text
    assert "2,400/3,000" not in text
    assert "800/1,000" in text
    waiting = {one.row.state: one.days for one in report.objections}
    assert waiting == {ObjectionState.FED_BACK: 37, ObjectionState.FORWARDED: 37}
    assert [one.objection_id for one in report.corrected]
    assert [one.promise.name for one in report.overdue] == ["异议核实更正"]
    assert report.never_loaded


def test_a_fall_is_noted_and_the_trend_is_shown(report):
    assert [month for month, _ in report.trend][-1] == "2026-11"
    assert len([total for _, total in report.trend if total is not None]) == 4
    assert any("税务局" in note and "低于" in note for note in report.notes)
    assert not any("公安局" in note for note in report.notes)


@pytest.mark.requirement("SEC-11")
def test_the_page_needs_nothing_and_runs_nothing(report):
    page = Page(render(report))
    assert page.fetched == []
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert "缺少 2026 年数据 <script>alert(1)</script>" in page.texts


def test_a_frozen_month_prints_its_final_figures(connection, catalog, rules):
    over = scores(connection, NOVEMBER, AT, weights=EQUAL, limits={})
    digest = freeze(connection, over, (), MONITOR, at=AT + timedelta(days=5), rules=rules)
    again = gather(connection, NOVEMBER, AT, catalog=catalog, weights=lambda _: EQUAL, rules=rules)
    assert again.scores == over
    assert digest[:16] in render(again)


def test_a_month_without_a_run_is_said_and_no_error(connection, catalog, rules):
    empty = Period.parse("2026-02")
    found = gather(connection, empty, AT, catalog=catalog, weights=lambda _: EQUAL, rules=rules)
    assert found.total is None
    assert "本月没有部门的数据经过检查" in render(found)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser")
def test_it_prints_on_paper(report, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(render(report), "utf-8")
    target = tmp_path / "report.pdf"
    asked = ["--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={target}"]
    folder = f"--user-data-dir={tmp_path / 'browser'}"
    subprocess.run(
        [CHROMIUM, *asked, folder, page.as_uri()], check=True, capture_output=True, timeout=120
    )
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert 1 <= content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") <= 6
