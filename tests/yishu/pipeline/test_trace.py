"""A row of a subject is followed to the landed row behind each column, and to its receivers."""

import pyarrow.parquet as pq
import pytest

from yishu.library import subject_table
from yishu.library.read import read
from yishu.pipeline import run_subject
from yishu.pipeline.trace import trace_row

SOURCE, TAX = "market_regulation.enterprise_registration", "taxation.taxpayer"


@pytest.fixture(scope="module")
def traced(published_city):
    """The context, an enterprise that is a taxpayer too, and its trace."""
    ctx, _ = published_city
    run_subject("legal_entity", "first", ctx)
    rows = read(ctx.settings.library_dir, subject_table("legal_entity")).to_pylist()
    row = next(
        one
        for one in rows
        if one["_entry_id"] == SOURCE and one["_run_id__taxation__taxpayer"] is not None
    )
    return ctx, row, trace_row(ctx, "legal_entity", {"uscc": row["uscc"]})


@pytest.mark.requirement("QUA-04")
@pytest.mark.requirement("OWN-02")
def test_every_column_leads_to_the_landed_row_that_it_came_from(traced):
    ctx, row, found = traced
    columns = {one.column: one for one in found.columns}

    assert set(columns) == {column.field for column in ctx.release.subjects["legal_entity"].columns}
    for one in found.columns:
        landed = pq.read_table(ctx.settings.var_dir / one.landed_file)
        key = "uscc"
        assert landed[key][one.landed_row].as_py().upper().strip()[-6:] == row["uscc"][-6:]
    assert columns["name"].entry_id == SOURCE
    assert columns["tax_credit_grade"].entry_id == TAX
    assert columns["tax_credit_grade"].responsible_org == "taxation"
    assert all(one.run_id == "first" and one.pulled_at and one.place for one in found.columns)


def test_the_rules_of_standardisation_are_said_and_whether_they_changed_the_value(traced):
    _, _, found = traced
    columns = {one.column: one for one in found.columns}

    assert "letters become capitals" in columns["uscc"].rules
    assert columns["established_on"].rules[-1].startswith("dates")
    assert columns["name"].respelled is False


def test_earlier_values_are_told_masked(traced, monkeypatch):
    """A later version that changed two columns: the trace says what they were."""
    ctx, row, _ = traced
    index_row = {**row, "name": "新名称有限公司", "legal_representative": "新人"}
    from yishu.pipeline import trace  # noqa: PLC0415

    commit = type("Commit", (), {"version": 0, "committed_at": "2026-11-20T00:00:00+00:00"})
    monkeypatch.setattr(trace, "_versions_of", lambda *_: iter([(commit, row)]))
    index = type("Index", (), {"place": None, "version": 1})

    earlier = trace._earlier(ctx, index, "legal_entity", {"uscc": row["uscc"]}, index_row)

    (name,), (person,) = earlier["name"], earlier["legal_representative"]
    assert name.value == row["name"]
    assert person.value == row["legal_representative"][0] + "*" * (
        len(row["legal_representative"]) - 1
    )
    assert set(earlier) == {"name", "legal_representative"}


def test_a_row_that_is_not_there_has_no_story(traced):
    ctx, _, _ = traced

    assert trace_row(ctx, "legal_entity", {"uscc": "nobody"}).columns == ()


def test_nobody_has_received_a_row_that_was_never_shared(traced):
    _, _, found = traced

    assert found.received == ()
