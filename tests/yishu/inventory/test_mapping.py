"""Each approval system has its mapping; codes that do not map are set aside and counted."""

from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from catalog.model import CatalogEntry
from yishu.inventory.mapping import last_verdicts, mapping
from yishu.library import unified_table
from yishu.library.read import read
from yishu.pipeline.landing import landed_files
from yishu.pipeline.store import run_folder
from yishu.pipeline.validate import REASONS

CASE, HR_CASE = "administrative_approval.approval_case", "human_resources.hr_case"
SYSTEMS = {"administrative_approval_db": CASE, "human_resources_db": HR_CASE}


@pytest.fixture
def ctx(published_city):
    return published_city[0]


def set_aside(ctx, entry_id):
    folder = run_folder(ctx.settings.var_dir, entry_id, "first")
    return pq.read_table(folder.quarantined).to_pylist()


@pytest.mark.requirement("EXC-06")
def test_two_systems_say_the_same_in_columns_of_their_own(ctx):
    found = mapping(ctx.release, {}, approval_only=True)

    channel = {
        one.system: (one.column, one.field, one.code_list)
        for one in found
        if one.element == "case_application.channel"
    }
    assert channel == {
        "administrative_approval_db": ("apply_channel", "channel", "service_channel"),
        "human_resources_db": ("sqqd", "channel", "service_channel"),
    }
    assert {one.unmapped for one in found} == {None}


@pytest.mark.requirement("EXC-06")
def test_a_list_that_an_item_has_from_its_element_counts_too(ctx):
    entry = ctx.release.entry(CASE)
    items = tuple(item.model_copy(update={"code_list": None}) for item in entry.items)
    plain = replace(ctx.release, entries={CASE: entry.model_copy(update={"items": items})})
    verdicts = last_verdicts(plain, ctx.ledger)

    found = {one.field: one for one in mapping(plain, verdicts)}

    assert found["channel"].code_list == "service_channel"
    assert found["channel"].unmapped > 0


@pytest.mark.requirement("EXC-06")
def test_every_column_of_an_approval_system_is_mapped_once(ctx):
    for system, entry_id in SYSTEMS.items():
        entry: CatalogEntry = ctx.release.entry(entry_id)
        found = [one for one in mapping(ctx.release, {}, system) if one.entry == entry_id]

        assert [one.column for one in found] == [item.source_column for item in entry.items]
        assert {one.place for one in found} == {entry.source.table}


@pytest.mark.requirement("EXC-06")
def test_rows_with_codes_that_do_not_map_are_in_quarantine_with_the_reason(ctx):
    found = mapping(ctx.release, last_verdicts(ctx.release, ctx.ledger), approval_only=True)
    counted = {(one.entry, f"{one.field}.code_list"): one.unmapped for one in found if one.unmapped}

    reasons = Counter(
        (entry_id, reason["check_id"])
        for entry_id in {one.entry for one in found}
        for row in set_aside(ctx, entry_id)
        for reason in row[REASONS]
        if reason["check_id"].endswith(".code_list")
    )
    assert counted == reasons
    assert {(CASE, "channel.code_list"), (HR_CASE, "channel.code_list")} <= set(counted)


@pytest.mark.requirement("COL-14")
@pytest.mark.parametrize("entry_id", [CASE, HR_CASE])
def test_what_terminals_record_is_one_more_channel_under_the_same_contract(ctx, entry_id):
    """What came from terminals is published or set aside for the reasons of any channel."""
    files = landed_files(run_folder(ctx.settings.var_dir, entry_id, "first"))
    came = [row for file in files for row in pq.read_table(file, columns=["channel"]).to_pylist()]
    table = read(ctx.settings.library_dir, unified_table(entry_id), columns=["channel"])
    published = Counter(table["channel"].to_pylist())
    aside = set_aside(ctx, entry_id)

    landed = Counter(row["channel"] for row in came)
    assert published["terminal"] > 0
    assert landed == published + Counter(row["channel"] for row in aside)
    checks = {row["channel"]: {reason["check_id"] for reason in row[REASONS]} for row in aside}
    assert checks["fax"] == {"channel.code_list"}
    assert "fax" not in published
