"""The library and its lineage on the command line: what is there, masked, released, traced."""

import json

import pytest
from typer.testing import CliRunner

from yishu.cli import app
from yishu.library import publish_snapshot, subject_table
from yishu.library.read import read

COMPANY = "unified/market_regulation.enterprise_registration"


@pytest.fixture(scope="module")
def world(city, published_city, subjects, tmp_path_factory):
    """An installation whose library and ledger are those of the published city."""
    ctx, _ = published_city
    folder = tmp_path_factory.mktemp("installed")
    (folder / "releases").symlink_to(city.folder / "releases")
    (folder / "library").symlink_to(ctx.settings.library_dir)
    return ctx, folder, set(subjects)


@pytest.fixture
def yishu(world, monkeypatch):
    ctx, folder, _ = world
    monkeypatch.setenv("YISHU_DATABASE_URL", ctx.ledger_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments, expect=0, var_dir=folder):
        monkeypatch.setenv("YISHU_VAR_DIR", str(var_dir))
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == expect, result.output
        return result

    return run


def told(result):
    return json.loads(result.stdout)


def test_every_subject_is_listed_with_its_rows(yishu, world):
    ctx, _, subjects = world

    listed = {one["table"]: one["rows"] for one in told(yishu("library", "list", "--json"))}

    assert {name for name in listed if name.startswith("subject/")} == set(
        map(subject_table, subjects)
    )
    for table in ("subject/legal_entity", COMPANY):
        assert listed[table] == read(ctx.settings.library_dir, table, columns=["uscc"]).num_rows


def test_rows_are_shown_masked_by_every_command_that_shows_some(yishu, world):
    ctx, _, _ = world
    clear = set(
        read(ctx.settings.library_dir, "subject/natural_person", columns=["resident_id_no"])
        .column(0)
        .to_pylist()
    )
    statement = 'select resident_id_no from "subject/natural_person"'

    shown = [
        *told(yishu("library", "query", "natural_person", "--limit", "50", "--json")),
        *told(yishu("library", "sql", statement, "--limit", "50", "--json")),
    ]

    assert len(shown) == 100
    assert not {one["resident_id_no"] for one in shown} & clear


def test_guides_that_ask_for_what_the_city_has_are_listed(yishu, city):
    demands = told(yishu("library", "demands", "--json"))

    assert {one["material"] for one in demands} == {"营业执照", "身份证明"}
    assert {one["entry"] for one in demands} <= set(city.release.entries)
    assert all(one["guide"] for one in demands)
    assert demands[0]["material"] in yishu("library", "demands").output


def test_copies_that_differ_are_listed_with_which_side_is_right(yishu, city):
    truth = city.manifest.subjects["legal_entity"].copies["taxation.taxpayer"]

    copies = told(yishu("library", "copies", "legal_entity", "--limit", "1000", "--json"))
    few = told(yishu("library", "copies", "legal_entity", "--limit", "1", "--json"))

    assert len(copies) == truth.different > 1
    assert few == copies[:1]
    assert {one["copy_of"] for one in copies} == {"taxation.taxpayer"}
    assert all(one["source_says"] != one["copy_says"] and one["right"] for one in copies)
    assert "legal_entity: differing copies" in yishu("library", "copies", "legal_entity").output


@pytest.mark.requirement("SUB-10")
def test_a_case_number_tells_where_the_case_stands_and_what_came_of_it(yishu, world):
    ctx, _, _ = world
    results = read(ctx.settings.library_dir, "subject/case_result").to_pylist()
    handled = read(ctx.settings.library_dir, "subject/case_process")["case_no"].to_pylist()
    known = read(ctx.settings.library_dir, "subject/case_application")["case_no"].to_pylist()
    result = next(one for one in results if one["case_no"] in {*handled} & {*known})
    number = result["case_no"]

    shown = told(yishu("services", "case", number, "--json"))

    assert len(shown["moves"]) == handled.count(number)
    assert not any(one["refused"] for one in shown["moves"])
    assert shown["decided_on"] == result["decided_on"].isoformat()
    assert shown["result"]
    assert shown["accepted_at"]
    assert shown["stage"] in yishu("services", "case", number).output
    assert "LIB_CASE_MISSING" in yishu("services", "case", "nobody", "--json", expect=1).output


def test_rows_that_changed_between_two_versions_are_shown_masked(yishu, world, tmp_path):
    """A version of residents in which one has another name and one is gone."""
    ctx, installed, _ = world
    root, table = tmp_path / "library", "subject/natural_person"
    rows = read(ctx.settings.library_dir, table).sort_by("resident_id_no").slice(0, 5)
    renamed = ["欧阳一", *rows["name"].to_pylist()[1:]]
    column = rows.schema.names.index("name")
    later = rows.set_column(column, rows.schema.field(column), [renamed]).slice(0, 4)
    for number, version in enumerate((rows, later)):
        publish_snapshot(
            root, table, rows.schema, version.to_batches(), key=["resident_id_no"],
            run_id=f"r{number}", committed_at=ctx.clock(), read=len(version),
        )  # fmt: skip

    (tmp_path / "releases").symlink_to(installed / "releases")
    changed = told(
        yishu("library", "changes", "natural_person", "0", "1", "--json", var_dir=tmp_path)
    )

    assert sorted(one["_change_type"] for one in changed) == [
        "delete",
        "update_postimage",
        "update_preimage",
    ]
    shown = json.dumps(changed, ensure_ascii=False)
    assert "欧阳一" not in shown
    assert not [number for number in rows["resident_id_no"].to_pylist() if number in shown]
    few = yishu(
        "library", "changes", "natural_person", "0", "1", "--limit", "1", "--json", var_dir=tmp_path
    )
    assert len(told(few)) == 1
    refused = yishu("library", "changes", "natural_person", "0", "9", expect=1, var_dir=tmp_path)
    assert "version 9" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("library", "schema", "subject/nobody"), "subject/nobody"),
        (("library", "sql", 'delete from "subject/legal_entity"'), "LIB_"),
        (("library", "links", "nobody"), "nobody"),
        (("library", "release", "nobody"), "nobody"),
        (("library", "as-of", COMPANY, "2001-01-01"), COMPANY),
        (("lineage", "upstream", "subject/legal_entity#no_such"), "no_such"),
        (("lineage", "impact", "nowhere#x"), "nowhere"),
    ],
)
def test_what_is_not_there_is_named_with_a_remedy(yishu, arguments, named):
    refused = yishu(*arguments, expect=1)

    assert named in refused.stderr
    assert "Traceback" not in refused.output


def test_subjects_are_released_together_and_the_same_run_once(yishu):
    asked = ("library", "release", "case_application", "case_result", "--run-id", "by-hand")

    first, again = told(yishu(*asked, "--json")), told(yishu(*asked, "--json"))

    assert first == again
    assert set(first["versions"]) >= {"subject/case_application", "subject/case_result"}
    statement = 'select count(*) as n from "subject/case_result"'
    (row,) = told(yishu("library", "sql", statement, "--release", "--json"))
    assert row["n"] > 0


def test_origin_and_reach_of_a_column_are_two_ways_of_one_path(yishu):
    source, target = f"{COMPANY}#name", "subject/legal_entity#name"

    way = told(yishu("lineage", "path", source, target, "--json"))
    upstream = told(yishu("lineage", "upstream", target, "--json"))
    downstream = told(yishu("lineage", "downstream", source, "--json"))

    assert [(one["data_set"], one["column"]) for one in (way[0], way[-1])] == [
        tuple(source.split("#")),
        tuple(target.split("#")),
    ]
    assert (COMPANY, "name") in {(one["data_set"], one["column"]) for one in upstream}
    assert ("subject/legal_entity", "name") in {
        (one["data_set"], one["column"]) for one in downstream
    }
    yishu("lineage", "path", target, source, expect=1)


def test_impact_names_the_published_columns_that_a_change_touches(yishu):
    touched = told(yishu("lineage", "impact", f"{COMPANY}#name", "--json"))

    assert {
        "table": COMPANY,
        "column": "name",
        "steps": 0,
        "grants": "",
        "consumers": "",
    } in touched
    assert "subject/legal_entity" in {one["table"] for one in touched}


def test_nothing_waits_to_be_told_again(yishu):
    (ledger,) = told(yishu("lineage", "replay", "--json"))

    assert (ledger["to"], ledger["waiting"]) == ("ledger", 0)
