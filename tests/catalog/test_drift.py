"""Drift: what the source really has against what the entry lists."""

import pytest

from catalog.drift import Column, Drift, Family, Retyped, compare, family_of, is_compatible
from catalog.vocabulary import DataType

AS_LISTED = [("uscc", "character varying(18)"), ("name", "text"), ("legal_representative", "text")]


@pytest.fixture
def entry(small_catalog):
    return small_catalog.entries["market_regulation.enterprise"]


def test_a_source_as_listed_has_no_drift(entry):
    assert not compare(entry, AS_LISTED)


def test_a_new_column_is_told_and_does_not_stop_the_pull(entry):
    drift = compare(entry, [*AS_LISTED, ("phone", "text")])
    assert drift == Drift(new_columns=(Column("phone", "text"),))
    assert drift
    assert not drift.blocks


def test_a_missing_column_stops_the_pull(entry):
    drift = compare(entry, AS_LISTED[1:])
    assert drift == Drift(missing_columns=("uscc",))
    assert drift.blocks


def test_a_code_that_became_a_number_stops_the_pull(entry):
    drift = compare(entry, [("uscc", "bigint"), *AS_LISTED[1:]])
    assert drift == Drift(retyped=(Retyped("uscc", "bigint", DataType.STRING),))
    assert drift.describe() == "column uscc of type bigint, which does not fit string"


def test_the_sources_own_column_names_count(catalog_of, data, enterprise):
    enterprise["items"][0]["column"] = "UNISCID"
    entry = catalog_of(data).entries["market_regulation.enterprise"]
    assert compare(entry, AS_LISTED) == Drift(
        new_columns=(Column("uscc", "character varying(18)"),), missing_columns=("UNISCID",)
    )


def test_files_have_no_types_to_drift(catalog_of, data, enterprise):
    enterprise["source"] = {"connection": "drop", "kind": "csv", "path": "x.csv"}
    entry = catalog_of(data).entries["market_regulation.enterprise"]
    assert not compare(entry, [("uscc", "?"), ("name", "?"), ("legal_representative", "?")])


FAMILIES = {
    "VARCHAR(18)": Family.TEXT,
    "character(1)": Family.TEXT,
    "TEXT": Family.TEXT,
    "large_string": Family.TEXT,
    "bigint": Family.INTEGER,
    "INTEGER": Family.INTEGER,
    "int unsigned": Family.INTEGER,
    "int64": Family.INTEGER,
    "NUMERIC(18, 2)": Family.NUMBER,
    "decimal128(18, 2)": Family.NUMBER,
    "double precision": Family.NUMBER,
    "float8": Family.NUMBER,
    "date": Family.DATE,
    "date32[day]": Family.DATE,
    "timestamp without time zone": Family.TIMESTAMP,
    "timestamp(6) with time zone": Family.TIMESTAMP,
    "timestamp[us, tz=UTC]": Family.TIMESTAMP,
    "DATETIME": Family.TIMESTAMP,
    "tinyint(1)": Family.BOOLEAN,
    "tinyint(4)": Family.INTEGER,
    "int(10) unsigned zerofill": Family.INTEGER,
    "year(4)": Family.INTEGER,
    "decimal(18,2) unsigned": Family.NUMBER,
    "set": Family.TEXT,
    "time(3)": Family.TIME,
    "time without time zone": Family.TIME,
    "boolean": Family.BOOLEAN,
    "bytea": Family.OTHER,
    "jsonb": Family.OTHER,
}


@pytest.mark.parametrize(("source_type", "family"), FAMILIES.items())
def test_type_names_of_many_databases(source_type, family):
    assert family_of(source_type) is family


@pytest.mark.parametrize("type_", DataType)
def test_every_type_is_read_from_text_and_none_from_the_unknown(type_):
    assert is_compatible("text", type_)
    assert not is_compatible("bytea", type_)


@pytest.mark.parametrize(
    ("source_type", "type_"),
    [
        ("integer", DataType.STRING),
        ("date", DataType.INTEGER),
        ("numeric(18,2)", DataType.DATE),
        ("boolean", DataType.MONEY),
    ],
)
def test_types_that_do_not_fit(source_type, type_):
    assert not is_compatible(source_type, type_)


def test_a_tiny_number_may_be_a_truth_value_or_a_number():
    assert is_compatible("tinyint(1)", DataType.BOOLEAN)
    assert is_compatible("TINYINT(1)", DataType.INTEGER)
    assert not is_compatible("boolean", DataType.INTEGER)


def test_columns_that_tell_changes_are_listed_too(catalog_of, data, enterprise):
    enterprise["source"] = {
        "connection": "db",
        "kind": "postgresql",
        "table": "a.b",
        "mode": "incremental",
        "watermark": {"column": "updated_at", "overlap": 60},
        "tombstone": {"column": "is_deleted", "values": ["1"]},
    }
    entry = catalog_of(data).entries["market_regulation.enterprise"]

    real = [*AS_LISTED, ("updated_at", "timestamp"), ("is_deleted", "smallint")]
    assert not compare(entry, real)
    assert compare(entry, AS_LISTED).missing_columns == ("updated_at", "is_deleted")
    drift = compare(entry, [*AS_LISTED, ("updated_at", "boolean"), ("is_deleted", "text")])
    assert drift.retyped == (Retyped("updated_at", "boolean", DataType.TIMESTAMP),)
