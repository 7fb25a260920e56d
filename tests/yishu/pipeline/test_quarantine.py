"""Quarantined rows reach the source department, age, and leave by correction or by decision."""

import csv
import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import openpyxl
import pyarrow.parquet as pq
import pytest

from catalog.roles import Role
from yishu.governance.errors import Forbidden
from yishu.ledger.journal import Actor
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.custody import release_row
from yishu.pipeline.errors import RejectFileRefused, ReleaseRefused, SampleRefused, StageMissing
from yishu.pipeline.reject_file import masked_rows, write_reject_file
from yishu.pipeline.sampling import draw_and_compare
from yishu.pipeline.sheets import write_csv, write_xlsx
from yishu.pipeline.store import run_folder
from yishu.pipeline.validate import REASONS, ROW

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ORGANISATION = "civil_affairs.social_organisation"
RESIDENT = "public_security.resident"
MONITOR = Actor("person-5", "qian.jun", Role.QUALITY_MONITOR, "big_data_bureau")
OFFICER = Actor("person-6", "zhao.yu", Role.DEPARTMENT_OFFICER, "civil_affairs")


def at(ctx, days):
    return replace(ctx, clock=lambda: NOW + timedelta(days=days))


def run(ctx, run_id, entry_id=ORGANISATION):
    for stage in (run_pull, run_validate, run_publish):
        done = stage(entry_id, run_id, ctx)
    return done


def rejected(ctx, entry_id, run_id, path):
    entry = ctx.release.entry(entry_id)
    return write_reject_file(entry, run_folder(ctx.settings.var_dir, entry_id, run_id), path)


@pytest.fixture
def source(city, tmp_path):
    """A copy of the civil affairs system; its URL, and a way to change it."""
    path = tmp_path / "civil.db"
    shutil.copy(city.urls["civil_affairs_db"].removeprefix("sqlite:///"), path)

    def change(statement, *parameters):
        with sqlite3.connect(path) as opened:
            opened.execute(statement, parameters)

    return {"civil_affairs_db": f"sqlite:///{path}"}, change


def quarantined(ctx, run_id):
    folder = run_folder(ctx.settings.var_dir, ORGANISATION, run_id)
    return pq.read_table(folder.quarantined).to_pylist()


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_every_failing_row_has_every_reason_and_fix(published_city, tmp_path, ending):
    ctx, _ = published_city
    path = tmp_path / f"reject.{ending}"
    done = rejected(ctx, ORGANISATION, "first", path)

    if ending == "csv":
        table = list(csv.reader(path.open(encoding="utf-8-sig", newline="")))
    else:
        sheet = openpyxl.load_workbook(path, read_only=True).active
        table = [["" if cell is None else str(cell) for cell in row] for row in sheet.values]
    headings, rows = table[0], [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    kept = quarantined(ctx, "first")
    assert headings[:2] == ["序号", "批次内行号"]
    assert len(rows) == done.rows == len(kept) > 0
    assert [int(row["批次内行号"]) for row in rows] == [row[ROW] + 1 for row in kept]
    for row, source_row in zip(rows, kept, strict=True):
        assert row["改正办法"]
        for reason in source_row[REASONS]:
            assert reason["reason_zh"] in row["不合格原因"]
            assert reason["check_id"] in row["检查编号"]
    assert done.reasons == sum(len(row[REASONS]) for row in kept)


@pytest.mark.requirement("SEC-11")
def test_personal_values_are_masked_in_files_and_on_pages(published_city, tmp_path):
    ctx, _ = published_city
    path = tmp_path / "reject.csv"
    done = rejected(ctx, RESIDENT, "first", path)
    folder = run_folder(ctx.settings.var_dir, RESIDENT, "first")
    shown = path.read_text("utf-8-sig") + repr(
        masked_rows(ctx.release.entry(RESIDENT), folder, limit=done.rows)
    )

    entry = ctx.release.entry(RESIDENT)
    masked = [item.field for item in entry.items if item.mask != "none"]
    clear = {str(row[f]) for row in pq.read_table(folder.quarantined).to_pylist() for f in masked}
    planted = {value for value in clear if len(value) > 3}
    assert planted
    assert not [value for value in planted if value in shown]


def test_formulas_stay_text_in_both_forms(tmp_path):
    """A name that begins like a formula is shown and never computed."""
    rows = [(1, '=HYPERLINK("http://x")', "@SUM(1)"), (2, "+1", "-1"), (3, "\t=1", "正常")]
    write_csv(tmp_path / "a.csv", ["序号", "甲", "乙"], rows)
    write_xlsx(tmp_path / "a.xlsx", ["序号", "甲", "乙"], rows, name="数据")

    plain = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8-sig", newline="")))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert plain[1][1] == '\'=HYPERLINK("http://x")'
    for number in (1, 2, 3):
        texts = [cell for cell in plain[number][1:] if cell != "正常"]
        assert all(text.startswith("'") for text in texts)
        assert [cell.data_type for cell in sheet[number + 1][1:]] == ["s", "s"]


def test_a_full_sheet_goes_on_in_the_next_and_long_texts_fit(tmp_path):
    rows = ((number, "x" * 40_000) for number in range(1, 6))
    assert write_xlsx(tmp_path / "a.xlsx", ["序号", "文"], rows, name="数据", sheet_rows=3) == 5

    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["数据", "数据2", "数据3"]
    assert [book[name]["A2"].value for name in book.sheetnames] == [1, 3, 5]
    assert book["数据"]["B2"].value.endswith("…")


def test_another_form_is_refused_before_anything_is_written(published_city, tmp_path):
    ctx, _ = published_city
    with pytest.raises(RejectFileRefused):
        rejected(ctx, ORGANISATION, "first", tmp_path / "reject.doc")
    with pytest.raises(StageMissing):
        rejected(ctx, ORGANISATION, "no such run", tmp_path / "reject.csv")
    assert list(tmp_path.glob("reject*")) == []


def test_rows_age_until_they_are_corrected_or_gone(make_world, source):
    urls, change = source
    ctx = make_world(urls=urls)
    run(ctx, "r1")
    first = ctx.ledger.ageing()[0]
    assert (first.fresh, first.corrected, first.oldest_at) == (first.standing, 0, NOW)
    keyed = [row for row in quarantined(ctx, "r1") if row["uscc"]]
    change("delete from shzz_djxx where tyshxydm = ?", keyed[0]["uscc"])

    run(at(ctx, 3), "r2")
    second = ctx.ledger.ageing()[0]
    run_validate(ORGANISATION, "r2", at(ctx, 3))

    assert second.gone == 1
    assert second.oldest_at == NOW
    assert second.standing < first.standing
    assert ctx.ledger.ageing()[0] == second


def test_a_row_found_right_is_let_through_from_the_next_run_on(make_world, source):
    ctx = make_world(urls=source[0])
    done = run(ctx, "r1")
    row = next(
        row for row in quarantined(ctx, "r1")
        if row["uscc"] and {r["check_id"] for r in row[REASONS]} <= OVERRULABLE
    )  # fmt: skip
    checks = release_row(
        ORGANISATION, "r1", row[ROW] + 1, ctx, actor=MONITOR, reason="与登记档案一致", at=NOW
    )
    again = run(at(ctx, 1), "r2")

    assert checks == sorted({reason["check_id"] for reason in row[REASONS]})
    assert again["quarantined"] == done["quarantined"] - 1
    assert again["rows"] == done["rows"] + 1
    assert ctx.ledger.verdict(ORGANISATION, "r2").quarantined == done["quarantined"]
    aged = ctx.ledger.ageing()[0]
    assert (aged.released, aged.corrected, aged.gone) == (1, 0, 0)


OVERRULABLE = {"uscc.format", "status.code_list", "region_code.code_list"}


def test_nobody_lets_through_what_is_missing_or_is_not_theirs(make_world, source):
    ctx = make_world(urls=source[0])
    run(ctx, "r1")
    rows = quarantined(ctx, "r1")
    hopeless = next(row for row in rows if "uscc.unique" in str(row[REASONS]))
    good = max(row[ROW] for row in rows) + 100_000

    def release(row, actor=MONITOR, reason="看过"):
        return release_row(ORGANISATION, "r1", row, ctx, actor=actor, reason=reason, at=NOW)

    for row, reason in ((hopeless[ROW] + 1, "看过"), (good, "看过"), (hopeless[ROW] + 1, " ")):
        with pytest.raises(ReleaseRefused):
            release(row, reason=reason)
    with pytest.raises(Forbidden):
        release(hopeless[ROW] + 1, actor=OFFICER)


def test_a_sample_finds_what_changed_at_the_source(make_world, source):
    urls, change = source
    ctx = make_world(urls=urls)
    run(ctx, "r1")
    same = draw_and_compare(ORGANISATION, 20, 7, ctx, at=NOW)
    change("update shzz_djxx set shzzmc = shzzmc || '（改）'")
    changed = draw_and_compare(ORGANISATION, 20, 7, ctx, at=NOW)

    assert (same.drawn, same.equal, same.findings) == (20, 20, ())
    assert (changed.different, changed.missing) == (20, 0)
    assert {one.columns for one in changed.findings} == {("name",)}
    assert not list((ctx.settings.var_dir / "landing").rglob("sample-*"))
    change("delete from shzz_djxx where rowid in (select rowid from shzz_djxx limit -1 offset 1)")
    gone = draw_and_compare(ORGANISATION, 5, 7, ctx, at=NOW)
    assert gone.missing + gone.different == gone.drawn == 5
    with pytest.raises(SampleRefused):
        draw_and_compare(ORGANISATION, 0, 7, ctx, at=NOW)


def test_a_million_rows_need_no_more_memory_than_a_batch(tmp_path):
    """Rows are written as they come: nothing keeps them."""
    alive = []

    def rows():
        for number in range(20_000):
            row = Tracked((number, "文"))
            alive.append(row.counter())
            yield row

    write_csv(tmp_path / "a.csv", ["序号", "文"], rows())
    assert max(alive) <= 3


class Tracked(tuple):
    """A row that counts how many of its kind live."""

    living = 0

    def __new__(cls, values):
        Tracked.living += 1
        return super().__new__(cls, values)

    def __del__(self):
        Tracked.living -= 1

    def counter(self):
        return Tracked.living
