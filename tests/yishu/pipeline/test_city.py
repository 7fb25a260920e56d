"""The whole example city through the pipeline, against the manifest of its faults alone."""

import json
import logging
from collections import defaultdict
from decimal import Decimal

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from catalog.vocabulary import DataKind
from expectations.kinds import CheckKind
from yishu.library import build_subject, content_digest, subject_table, unified_table
from yishu.library.read import read
from yishu.pipeline import run_publish, run_pull, run_subject, run_validate
from yishu.pipeline.publish import publish_entry
from yishu.pipeline.store import run_folder


def run_entry(ctx, entry_id, run_id):
    """All three stages of one entry."""
    for stage in (run_pull, run_validate, run_publish):
        stage(entry_id, run_id, ctx)


def quarantine_of(ctx, entry_id):
    folder = run_folder(ctx.settings.var_dir, entry_id, "first")
    return pq.read_table(folder.quarantined)


def test_counts_are_those_of_the_manifest(city, published_city):
    """Read, quarantined and published rows of every entry are exactly the expected ones."""
    _, done = published_city

    found = {
        entry: (run["pull"]["rows"], run["validate"]["quarantined"], run["publish"]["rows"])
        for entry, run in done.items()
    }

    expected = {
        entry: (truth.read, truth.quarantined, truth.published)
        for entry, truth in city.manifest.entries.items()
    }
    assert expected == found
    assert len(found) == 27


def test_exactly_the_faulty_rows_are_quarantined_each_for_its_own_reason(city, published_city):
    """Each fault is found by the very check that it breaks, and no row fails any other."""
    ctx, _ = published_city
    for entry_id in city.release.entries:
        expected = defaultdict(set)
        for group in city.manifest.faults_of(entry_id):
            if group.expected == "quarantined":
                for row in group.rows:
                    expected[row].add((group.check, group.field))
        table = quarantine_of(ctx, entry_id).select(["_row", "_reasons"])
        found = {row["_row"]: reasons_of(row["_reasons"]) for row in table.to_pylist()}

        assert set(expected) == set(found), entry_id
        for row, reasons in expected.items():
            for kind, field in reasons:
                assert {known for known, _ in found[row]} == {kind}, (entry_id, row)
                assert any(field in fields for _, fields in found[row]), (entry_id, row)


def reasons_of(reasons):
    """The kinds of checks that a row failed, each with its columns."""
    kinds = set(CheckKind)
    return {
        (next(part for part in one["check_id"].split(".") if part in kinds), one["column"])
        for one in reasons
    }


def test_repaired_values_read_as_the_manifest_says(city, published_city):
    """A repairable spelling is published in standard form, at the row where it was written."""
    ctx, _ = published_city
    repaired = 0
    for entry_id in city.release.entries:
        groups = [g for g in city.manifest.faults_of(entry_id) if g.expected == "repaired"]
        table = read(ctx.settings.library_dir, unified_table(entry_id))
        by_row = {row["_landed_row"]: row for row in table.to_pylist()}
        for group in groups:
            for row, becomes in zip(group.rows, group.becomes, strict=True):
                value = by_row[row][group.field]
                is_number = isinstance(value, Decimal | int) and becomes is not None
                expected = Decimal(becomes) if is_number else becomes
                found = value if is_number or value is None else str(value)
                assert expected == found, (entry_id, group.kind)
                repaired += 1
    assert repaired > 100


@pytest.mark.requirement("COL-01")
def test_columns_outside_the_catalog_are_reported_and_not_stored(city, published_city):
    """A drifted extra column is named with its type, and is neither landed nor published."""
    ctx, done = published_city
    drifted = {g.entry: g.field for g in city.manifest.faults if g.kind == "extra_column"}
    assert len(drifted) >= 3
    refused = {(refusal.object_id, refusal.item) for refusal in ctx.ledger.refusals()}
    for entry_id, column in drifted.items():
        assert list(done[entry_id]["pull"]["new_columns"]) == [column]
        assert (entry_id, column) in refused
        landed = run_folder(ctx.settings.var_dir, entry_id, "first").data
        assert column not in pq.read_schema(landed).names
        assert column not in read(ctx.settings.library_dir, unified_table(entry_id)).column_names


@pytest.mark.requirement("SUB-01")
def test_the_six_families_exist_with_their_keys_and_expected_rows(city, subjects):
    """Applicant, material, process, result, licence and rating tables have the expected rows."""
    families = {city.release.subjects[subject].family for subject in city.release.subjects}

    found = {subject: built["rows"] for subject, built in subjects.items()}

    assert families >= set(DataKind) - {DataKind.SERVICE_ITEM}
    assert {name: truth.rows for name, truth in city.manifest.subjects.items()} == found


def test_each_subject_accounts_for_every_row_of_every_entry(city, subjects):
    """Rows in = contributed + not linked, as the manifest says, entry by entry."""
    for subject, truth in city.manifest.subjects.items():
        found = {
            given["entry_id"]: (given["rows_in"], given["contributed"], given["not_linked"])
            for given in subjects[subject]["contributions"]
        }
        expected = {
            entry: (given.rows_in, given.contributed, given.not_linked)
            for entry, given in truth.contributions.items()
        }
        assert expected == found, subject


def test_second_hand_copies_that_differ_are_counted(city, subjects):
    """Copies of another entry's values are compared with their source, never used."""
    truth = city.manifest.subjects["legal_entity"].copies["taxation.taxpayer"]

    differing = sum(found["different"] for found in subjects["legal_entity"]["copies"])

    assert truth.different == differing > 0


@pytest.mark.requirement("OWN-02")
def test_every_row_names_its_department_entry_and_run(city, published_city, subjects):
    """Each published row resolves to one department, which answers for it."""
    ctx, _ = published_city
    for table in [
        *map(unified_table, city.release.entries),
        *map(subject_table, city.release.subjects),
    ]:
        rows = read(ctx.settings.library_dir, table, columns=["_provider_org", "_entry_id"])
        pairs = {(row["_provider_org"], row["_entry_id"]) for row in rows.to_pylist()}
        assert pairs
        for department, entry_id in pairs:
            assert city.release.entry(entry_id).provider_org == department
        runs = read(ctx.settings.library_dir, table, columns=["_run_id"]).column(0)
        assert pc.unique(runs).to_pylist() == ["first"]


@pytest.mark.requirement("SUB-21")
def test_subjects_rebuild_from_the_unified_layer_to_the_same_content(published_city, subjects):
    """Building a subject again from the unified database gives the same content digest."""
    ctx, _ = published_city
    root = ctx.settings.library_dir
    before = {subject: content_digest(root, subject_table(subject)) for subject in subjects}

    again = {subject: run_subject(subject, "second", ctx) for subject in subjects}

    after = {subject: content_digest(root, subject_table(subject)) for subject in subjects}
    assert before == after
    assert all(built["unchanged"] == built["rows"] for built in again.values())


def test_the_library_rebuilds_from_landing_to_the_same_content(
    city, published_city, subjects, tmp_path
):
    """An empty library, filled from what has landed, holds what the old one holds."""
    ctx, _ = published_city
    for entry in city.release.entries.values():
        folder = run_folder(ctx.settings.var_dir, entry.id, "first")
        publish_entry(entry, folder, tmp_path, committed_at=ctx.clock())
    for subject in subjects:
        one = city.release.subjects[subject]
        build_subject(tmp_path, one, city.release, run_id="first", committed_at=ctx.clock())

    for table in [*map(unified_table, city.release.entries), *map(subject_table, subjects)]:
        assert content_digest(tmp_path, table) == content_digest(ctx.settings.library_dir, table)


@pytest.mark.requirement("SUB-21")
def test_lineage_leads_from_department_systems_to_subjects(city, published_city, subjects):
    """The events alone lead from every subject back to the source of each contributing entry."""
    ctx, _ = published_city
    made_from = defaultdict(set)
    for line in ctx.settings.lineage_file.read_text("utf-8").splitlines():
        event = json.loads(line)
        if event["eventType"] == "COMPLETE":
            inputs = {(one["namespace"], one["name"]) for one in event["inputs"]}
            for output in event["outputs"]:
                made_from[output["name"]] |= inputs

    for subject, truth in city.manifest.subjects.items():
        unified = {name for _, name in made_from[subject_table(subject)]}
        assert set(map(unified_table, truth.contributions)) <= unified, subject
        for table in unified:
            landing = {name for _, name in made_from[table]}
            assert all(made_from[name] for name in landing), table


@pytest.mark.requirement("SUB-14")
def test_no_personal_value_leaves_the_data(city, published_city, subjects, caplog):
    """Identity numbers and addresses are in no log, lineage event, verdict or ledger row."""
    ctx, _ = published_city
    caplog.set_level(logging.DEBUG)
    run_entry(ctx, "public_security.resident", "logged")
    run_subject("natural_person", "logged", ctx)
    rows = read(
        ctx.settings.library_dir,
        unified_table("public_security.resident"),
        columns=["resident_id_no", "address"],
    ).to_pylist()
    written = [ctx.settings.lineage_file.read_text("utf-8")]
    # The library's own log keeps each file's smallest and largest values: it is part of the data.
    records = (ctx.settings.var_dir / "landing").rglob("*.json")
    written += [path.read_text("utf-8") for path in records]
    written += [repr(ctx.ledger.summary()), repr(ctx.ledger.last_runs(500))]
    text = "\n".join([*written, caplog.text])

    assert "validated" in caplog.text

    assert len(rows) > 900
    assert not [row["resident_id_no"] for row in rows if row["resident_id_no"] in text]
    assert not [row["address"] for row in rows if row["address"] and row["address"] in text]


def test_landing_and_quarantine_are_readable_by_their_owner_alone(published_city):
    """Files that hold rows of departments have mode 0600 in folders of mode 0700."""
    ctx, _ = published_city
    files = [
        path
        for layer in ("landing", "quarantine")
        for path in (ctx.settings.var_dir / layer).rglob("*.parquet")
    ]

    assert len(files) >= 38
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.parent.stat().st_mode & 0o077 for path in files} == {0}
