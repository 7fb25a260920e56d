"""What the subjects of the example city hold, how they link, and what lineage tells of them."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from example.guides import GROUPS
from yishu.library import subject_table
from yishu.library.demands import duplicate_demands
from yishu.library.errors import SubjectGateClosed
from yishu.library.links import check_links, dangling_rows
from yishu.library.place import newest_version
from yishu.library.read import read
from yishu.library.release import releases
from yishu.lineage import ColumnRef, DatasetName, read_events, source_dataset
from yishu.lineage.graph import graph_of
from yishu.pipeline.impact import column_named, impact, recorded_graph
from yishu.pipeline.one_source import source_differences
from yishu.pipeline.releases import release_library, run_release


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


@pytest.mark.requirement("SUB-20")
def test_a_person_is_one_subject_through_whatever_channel_a_case_came(library):
    """By app, at a window or through an agent: the same number is the same one row."""
    people = [row["resident_id_no"] for row in rows_of(library, "natural_person", "resident_id_no")]
    came = defaultdict(set)
    for row in rows_of(
        library, "case_application", "applicant_id_type", "applicant_id_no", "channel"
    ):
        if row["applicant_id_type"] == "111":
            came[row["applicant_id_no"]].add(row["channel"])

    assert len(set(people)) == len(people)
    known = {one for one, channels in came.items() if "window" in channels and len(channels) > 1}
    assert len(known) > 10
    assert len(known & set(people)) > 0.9 * len(known), "the others were set aside or never came"


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


@pytest.mark.requirement("SUB-04")
@pytest.mark.requirement("SUB-05")
@pytest.mark.requirement("SUB-15")
@pytest.mark.requirement("SUB-19")
def test_items_carry_what_indicators_and_themes_need(library):
    items = rows_of(
        library, "service_item", "item_type", "public_service_field", "service_object",
        "service_theme", "online_steps", "statutory_days", "promised_days", "visit_count",
        "online_depth", "case_type",
    )  # fmt: skip

    for row in items:
        assert (row["public_service_field"] is not None) == (row["item_type"] == "20")
        assert row["service_theme"].startswith("P" if row["service_object"] == "1" else "E")
        assert len(row["online_steps"]) == 11
        assert set(row["online_steps"]) <= {"0", "1"}
        assert None not in {row["visit_count"], row["case_type"], row["statutory_days"]}


@pytest.mark.requirement("SUB-16")
@pytest.mark.requirement("SUB-17")
@pytest.mark.requirement("SUB-22")
def test_tickets_windows_and_packages_are_registers_that_others_point_to(city, library):
    tickets = {row["ticket_kind"] for row in rows_of(library, "service_ticket", "ticket_kind")}
    themes = {row["package_theme"] for row in rows_of(library, "service_package", "package_theme")}
    cases = rows_of(library, "case_application", "channel", "window_id")

    assert tickets == set("12345")
    assert themes >= {"real_estate", "construction", "start_up", "certificates"}
    assert all((row["window_id"] is not None) == (row["channel"] == "window") for row in cases)
    for subject, link in (("case_application", "window"), ("service_rating", "window")):
        definition = city.release.subjects[subject]
        (found,) = [
            one for one in check_links(library, definition, city.release) if one.link == link
        ]
        assert found.linked > 10 * found.dangling, "only windows that were set aside are missing"


def strict_links(ctx, subject_id):
    """The same world, but no row of a subject may point to what is not there."""
    subject = ctx.release.subjects[subject_id]
    strict = [link.model_copy(update={"max_dangling_share": 0}) for link in subject.links]
    changed = subject.model_copy(update={"links": tuple(strict)})
    subjects = {**ctx.release.subjects, subject_id: changed}
    return replace(ctx, release=replace(ctx.release, subjects=subjects))


def test_subjects_that_move_together_are_released_together(published_city, subjects):
    ctx, _ = published_city
    together = ["case_application", "case_result", "service_rating"]

    release = run_release(together, "together", ctx)
    again = run_release(together, "together", ctx)

    assert again == release
    assert {subject_table(one) for one in together} <= set(release["versions"])
    for table, version in release["versions"].items():
        assert read(ctx.settings.library_dir, table, version=version).num_rows > 0


def test_the_whole_library_is_released_as_it_stands_and_once_only(published_city, subjects):
    ctx, _ = published_city
    library = ctx.settings.library_dir

    first = release_library("all-1", ctx)
    later = replace(ctx, clock=lambda: ctx.clock() + timedelta(days=1))
    unchanged = release_library("all-2", later)

    assert unchanged == first, "nothing moved, so there is nothing new to see"
    assert first["versions"] == {
        subject_table(one): newest_version(library, subject_table(one)) for one in subjects
    }


def test_the_whole_library_stays_as_it_was_while_one_link_leads_nowhere_too_often(
    published_city, subjects
):
    ctx, _ = published_city
    strict = strict_links(ctx, "service_rating")

    with pytest.raises(SubjectGateClosed, match="whose case is not in case_application"):
        release_library("all-strict", strict)

    assert all(one.run_id != "all-strict" for one in releases(ctx.settings.library_dir))


def test_dangling_links_beyond_the_allowed_share_stop_a_release(published_city, subjects):
    ctx, _ = published_city

    with pytest.raises(SubjectGateClosed, match="whose case is not in case_application"):
        run_release(["service_rating"], "strict", strict_links(ctx, "service_rating"))

    assert all(one.run_id != "strict" for one in releases(ctx.settings.library_dir))


@pytest.mark.requirement("COL-07")
def test_differing_copies_and_duplicate_demands_of_the_city_are_those_planted(
    city, published_city, subjects
):
    ctx, _ = published_city
    planted = {
        key
        for group in city.manifest.faults_of("taxation.taxpayer")
        if group.kind == "differing_copy"
        for key in group.keys
    }

    found = source_differences(ctx, "legal_entity", 1_000)

    assert (
        len(found) == city.manifest.subjects["legal_entity"].copies["taxation.taxpayer"].different
    )
    assert {one.key["uscc"] for one in found} <= planted
    assert all(one.copy_value == f"{one.source_value}（旧）" for one in found)
    assert {one.source_org for one in found} == {"market_regulation"}
    demands = duplicate_demands(ctx.settings.library_dir, ctx.release)
    assert {one.material for one in demands} == {"营业执照", "身份证明"}
