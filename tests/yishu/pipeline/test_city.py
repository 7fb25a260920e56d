"""The whole example city through the pipeline, against the manifest of its faults alone."""

import json
import logging
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from catalog.vocabulary import DataKind
from example.guides import GROUPS
from expectations.kinds import CheckKind
from yishu.library import content_digest, subject_table, unified_table
from yishu.library.links import check_links, dangling_rows
from yishu.library.read import read
from yishu.lineage import ColumnRef, DatasetName, read_events, source_dataset
from yishu.lineage.graph import graph_of
from yishu.pipeline import run_publish, run_pull, run_subject, run_validate
from yishu.pipeline.impact import column_named, impact, recorded_graph
from yishu.pipeline.store import run_folder

SUBJECTS = [
    "legal_entity",
    "natural_person",
    "e_licence",
    "service_item",
    "case_application",
    "case_material",
    "case_process",
    "case_result",
    "service_rating",
    "service_guide",
    "service_list",
    "service_package",
    "service_package_member",
    "service_window",
    "service_ticket",
    "case_payment",
    "case_delivery",
]


@pytest.fixture(scope="session")
def subjects(published_city):
    """Every subject built once from the published city."""
    ctx, _ = published_city
    return {subject: run_subject(subject, "first", ctx) for subject in SUBJECTS}


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
    families = {city.release.subjects[subject].family for subject in SUBJECTS}

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
    for table in [*map(unified_table, city.release.entries), *map(subject_table, SUBJECTS)]:
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


@pytest.fixture(scope="session")
def library(city, published_city, subjects):
    """Folder of the library once every subject is there, and a reader of its subjects."""
    ctx, _ = published_city
    return ctx.settings.library_dir


def rows_of(library, subject, *columns):
    return read(library, subject_table(subject), columns=list(columns)).to_pylist()


def test_links_lead_where_another_reader_finds_them(city, library):
    """Linked and dangling rows of every link are those of a join by hand."""
    checked = 0
    for subject in city.release.subjects.values():
        for found in check_links(library, subject, city.release):
            link = next(one for one in subject.links if one.name == found.link)
            (column,), by = link.columns, (link.when.by if link.when else link.columns[0])
            (key,) = link.to or city.release.subjects[link.subject].key
            there = {row[key] for row in rows_of(library, link.subject, key)}
            points = [
                row[column]
                for row in rows_of(library, subject.id, column, by)
                if row[column] is not None and (not link.when or row[by] in link.when.values)
            ]
            dangling = sum(value not in there for value in points)
            assert (found.linked, found.dangling) == (len(points) - dangling, dangling)
            checked += len(points) > 0
    assert checked >= 15


@pytest.mark.parametrize(
    ("subject", "link", "entry"),
    [
        ("service_rating", "case", "administrative_approval.online_rating"),
        ("service_rating", "case", "service_hall.hall_rating"),
        ("case_payment", "case", "administrative_approval.case_payment"),
        ("service_list", "item", "administrative_approval.service_list_member"),
        ("service_package_member", "package", "administrative_approval.service_package_member"),
    ],
)
def test_links_to_what_is_not_there_are_listed_by_key(city, library, subject, link, entry):
    """Every planted link to nothing is listed; the publication went on."""
    definition = city.release.subjects[subject]
    planted = {
        key
        for group in city.manifest.faults_of(entry)
        if group.kind == "dangling_link"
        for key in group.keys
    }

    listed = dangling_rows(library, definition, city.release, link, 10_000).to_pylist()

    assert planted
    assert planted <= {row[definition.key[0]] for row in listed}


@pytest.mark.requirement("SUB-02")
def test_items_have_three_levels_and_guides_hang_on_the_business_level(library):
    items = rows_of(library, "service_item", "basic_code", "parent_code", "item_level")
    levels = {row["basic_code"]: row["item_level"] for row in items}
    upper = {"1": None, "2": "1", "3": "2"}

    for row in items:
        assert (row["parent_code"] is None) == (row["item_level"] == "1")
        if row["parent_code"] in levels:
            assert levels[row["parent_code"]] == upper[row["item_level"]]

    by_code = {
        row["implementation_code"]: row["item_level"]
        for row in rows_of(library, "service_item", "implementation_code", "item_level")
    }
    for subject in ("service_guide", "case_application"):
        found = {
            by_code.get(row["implementation_code"])
            for row in rows_of(library, subject, "implementation_code")
        }
        assert found - {None} == {"3"}


@pytest.mark.requirement("SUB-07")
@pytest.mark.requirement("SUB-09")
def test_a_guide_has_the_fourteen_groups_and_the_elements_of_the_stages(city, library):
    columns = [column.field for column in city.release.subjects["service_guide"].columns]

    assert set(GROUPS) < set(columns)
    assert len(GROUPS) == 14
    guides = rows_of(library, "service_guide", *GROUPS)
    assert any(None in row.values() for row in guides), "an unwritten group stays visible"


@pytest.mark.requirement("SUB-11")
def test_no_item_is_in_no_meeting_and_in_one_meeting(library):
    members = rows_of(library, "service_list", "service_list", "implementation_code")
    lists = defaultdict(set)
    for row in members:
        lists[row["implementation_code"]].add(row["service_list"])
    visits = {
        row["implementation_code"]: row["visit_count"]
        for row in rows_of(library, "service_item", "implementation_code", "visit_count")
    }

    assert not [one for one in lists.values() if {"no_meeting", "one_meeting"} <= one]
    for item, found in lists.items():
        if "no_meeting" in found and item in visits:
            assert visits[item] == 0


@pytest.mark.requirement("COL-11")
@pytest.mark.requirement("EXC-12")
def test_ratings_of_all_channels_lie_in_one_table_with_their_channel_and_delay(library):
    ratings = rows_of(
        library, "service_rating", "rating_channel", "rated_at", "reported_at", "window_id"
    )

    assert {row["rating_channel"] for row in ratings} == {
        "hall",
        "pc",
        "mobile",
        "qr_code",
        "phone",
        "sms",
    }
    assert all(row["reported_at"] > row["rated_at"] for row in ratings)
    assert all(
        (row["window_id"] is not None) == (row["rating_channel"] == "hall") for row in ratings
    )


@pytest.mark.requirement("SUB-18")
@pytest.mark.requirement("SUB-13")
@pytest.mark.requirement("SEC-10")
@pytest.mark.requirement("SUB-20")
def test_payment_delivery_seal_licence_and_agent_are_columns_that_hold_values(library):
    for subject, column in (
        ("case_payment", "payment_status"),
        ("case_delivery", "delivery_status"),
        ("case_material", "seal_result"),
        ("case_application", "agent_id_no"),
        ("case_application", "channel"),
        ("case_application", "package_code"),
        ("e_licence", "status"),
        ("e_licence", "licence_identifier"),
        ("service_ticket", "ticket_kind"),
        ("service_item", "online_steps"),
        ("service_item", "public_service_field"),
        ("service_package", "package_theme"),
    ):
        held = {row[column] for row in rows_of(library, subject, column)} - {None}
        assert held, f"{subject}.{column}"


def declared_flow(city):
    """Every flow of a column, worked out from the catalog alone."""
    flow = set()
    for entry in city.release.entries.values():
        source = source_dataset(entry.source, city.urls[entry.source.connection])
        for item in entry.items:
            steps = [
                ColumnRef(source, item.source_column),
                ColumnRef(DatasetName("yishu", f"landing/{entry.id}"), item.field),
                ColumnRef(DatasetName("yishu", f"unified/{entry.id}"), item.field),
            ]
            flow |= set(pairwise(steps))
    for subject in city.release.subjects.values():
        for column in subject.columns:
            element = city.release.elements[column.element]
            target = ColumnRef(DatasetName("yishu", f"subject/{subject.id}"), column.field)
            for entry_id in {one.entry for one in element.sources}:
                fields = [
                    i.field for i in city.release.entries[entry_id].items if i.element == element.id
                ]
                flow |= {
                    (ColumnRef(DatasetName("yishu", f"unified/{entry_id}"), field), target)
                    for field in fields
                }
    return flow


@pytest.mark.requirement("SEC-03")
@pytest.mark.requirement("OWN-06")
def test_the_graph_of_the_events_is_the_declared_flow_column_by_column(
    city, published_city, subjects
):
    """From the ledger's events and from the file's alike; nothing more, nothing less."""
    ctx, _ = published_city
    with ctx.ledger.reading() as connection:
        kept = recorded_graph(connection)

    declared = declared_flow(city)

    assert kept.edges == declared
    assert graph_of(read_events(ctx.settings.lineage_file)).edges == declared
    assert len(declared) > 800


def test_a_change_of_a_departments_column_touches_its_subjects_and_no_others(
    city, published_city, subjects
):
    ctx, _ = published_city
    with ctx.ledger.reading() as connection:
        graph = recorded_graph(connection)
        column = column_named(graph, "landing/taxation.taxpayer#tax_credit_grade")
        found = impact(connection, graph, column)
        far = graph.path(
            column_named(graph, "yishu_market.public.e_baseinfo#entname"),
            column_named(graph, "subject/legal_entity#name"),
        )

    assert [(one.table, one.column) for one in found] == [
        ("unified/taxation.taxpayer", "tax_credit_grade"),
        ("subject/legal_entity", "tax_credit_grade"),
    ]
    assert [one.dataset.name.split("/")[0] for one in far[1:]] == ["landing", "unified", "subject"]
