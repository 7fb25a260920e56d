"""What the tables of the example city hold, and how faults get in."""

from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from example.city import SUBJECTS, tables
from example.faults import FaultKind, plan_rows
from example.table import Table, Writer, check_faults
from example.world import City

CATALOG = Path(__file__).parents[2] / "catalog"
CITY = City(1_000, 20260101)
TABLES = {table.entry: table for table in tables(CITY)}
every_table = pytest.mark.parametrize("entry", sorted(TABLES))


def content(table: Table, *, faults: bool) -> tuple[pa.Table, Writer]:
    writer = Writer(table, CITY.dice, faults=faults)
    return pa.concat_tables(list(writer.chunks())), writer


@pytest.fixture(scope="module")
def clean() -> dict[str, pa.Table]:
    """Every table as it is without faults, with the field names of the catalog."""
    found = {}
    for entry, table in TABLES.items():
        rows, _ = content(table, faults=False)
        found[entry] = rows.rename_columns([column.field for column in table.columns])
    return found


def catalog_entry(entry: str) -> dict:
    return yaml.safe_load(
        (CATALOG / "entries" / f"{entry.replace('.', '/')}.yaml").read_text(encoding="utf-8")
    )


def values(rows: pa.Table, field: str) -> set:
    return set(rows.column(field).to_pylist())


@every_table
def test_a_table_has_exactly_the_columns_of_its_catalog_entry(entry):
    items = catalog_entry(entry)["items"]
    promised = {item["field"]: item.get("column", item["field"]) for item in items}
    assert {column.field: column.name for column in TABLES[entry].columns} == promised


@every_table
def test_a_table_lies_where_its_catalog_entry_says(entry):
    source, place = catalog_entry(entry)["source"], TABLES[entry].place
    assert source["connection"] == place.connection
    assert source.get("sheet", "") == place.sheet
    where = source.get("table") or source.get("path") or source["endpoint"]
    assert place.name.startswith(where.removeprefix("public.").removeprefix("/").split("*")[0])


def test_every_catalog_entry_has_a_table():
    listed = {f"{p.parent.name}.{p.stem}" for p in (CATALOG / "entries").glob("*/*.yaml")}
    assert listed == set(TABLES)


@every_table
def test_keys_are_unique_without_faults(entry, clean):
    key = TABLES[entry].key
    assert len(values(clean[entry], key)) == clean[entry].num_rows


@every_table
def test_only_text_columns_have_spelling_faults(entry):
    assert check_faults(TABLES[entry]) == []


@every_table
def test_each_fault_changes_its_field_in_its_rows_and_nothing_else(entry, clean):
    """A faulty table is the clean one, but for the listed fields of the listed rows."""
    table = TABLES[entry]
    faulty, writer = content(table, faults=True)
    fields = [column.field for column in table.columns]
    rows = faulty.select(range(len(fields))).rename_columns(fields).to_pylist()
    truth = clean[entry].to_pylist()
    changed = {}
    for group in writer.faulty:
        assert len(group.rows) >= 2
        assert not changed.keys() & set(group.rows)
        changed |= dict.fromkeys(group.rows, group.fault)
    for number, row in enumerate(rows[: len(truth)]):
        differing = {field for field in fields if row[field] != truth[number][field]}
        fault = changed.get(number)
        if fault is None or fault.kind is FaultKind.DUPLICATE_KEY:
            assert not differing
        else:
            assert differing <= {fault.field}


@every_table
def test_a_duplicate_is_listed_with_both_rows(entry):
    table = TABLES[entry]
    faulty, writer = content(table, faults=True)
    group = next(g for g in writer.faulty if g.fault.kind is FaultKind.DUPLICATE_KEY)
    name = next(column.name for column in table.columns if column.field == table.key)
    keys = faulty.column(name).to_pylist()
    assert [keys[row] for row in group.rows] == group.keys
    assert all(group.keys.count(key) == 2 for key in group.keys)
    assert sorted(row for row, key in enumerate(keys) if key in group.keys) == sorted(group.rows)


def test_holders_of_licences_exist(clean):
    companies = values(clean["market_regulation.enterprise_registration"], "uscc")
    people = values(clean["public_security.resident"], "resident_id_no")
    for entry in SUBJECTS["e_licence"]:
        known = people if entry == "human_resources.social_security_card" else companies
        assert values(clean[entry], "holder_id_no") <= known


def test_taxpayers_carry_the_registered_name(clean):
    registered = clean["market_regulation.enterprise_registration"]
    names = dict(zip(registered["uscc"].to_pylist(), registered["name"].to_pylist(), strict=True))
    taxpayers = clean["taxation.taxpayer"]
    for code, name in zip(
        taxpayers["uscc"].to_pylist(), taxpayers["taxpayer_name"].to_pylist(), strict=True
    ):
        assert names[code] == name


def test_cases_name_existing_items(clean):
    for items, cases in (
        ("administrative_approval.service_item", "administrative_approval.approval_case"),
        ("human_resources.hr_service_item", "human_resources.hr_case"),
    ):
        assert values(clean[cases], "implementation_code") <= values(
            clean[items], "implementation_code"
        )


def test_materials_steps_results_and_ratings_name_existing_cases(clean):
    approval = values(clean["administrative_approval.approval_case"], "case_no")
    for entry in ("case_material", "case_process", "case_result", "online_rating"):
        assert values(clean[f"administrative_approval.{entry}"], "case_no") <= approval
    labour = values(clean["human_resources.hr_case"], "case_no")
    assert values(clean["service_hall.hall_rating"], "case_no") <= labour


def test_materials_quote_existing_business_licences(clean):
    quoted = values(clean["administrative_approval.case_material"], "licence_identifier") - {None}
    known = values(clean["market_regulation.business_licence"], "licence_identifier")
    assert quoted
    assert quoted <= known


def test_identity_numbers_agree_with_birth_and_sex(clean):
    for row in clean["public_security.resident"].to_pylist():
        assert row["resident_id_no"][6:14] == row["born_on"]
        assert row["sex"] == ("1" if int(row["resident_id_no"][16]) % 2 else "2")


def test_about_one_row_in_a_hundred_of_a_large_table_is_faulty():
    plan = plan_rows(CITY.dice, 1_000_000, 11)
    assert 9_900 <= len(plan.rows) <= 10_000
    assert len(set(plan.rows.tolist())) == len(plan.rows)
    assert plan.rows.max() < 1_000_000


def test_a_table_too_small_for_its_faults_is_refused():
    with pytest.raises(ValueError, match="larger"):
        plan_rows(CITY.dice, 40, 11)
