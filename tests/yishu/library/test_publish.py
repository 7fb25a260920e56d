from collections.abc import Iterator
from dataclasses import asdict

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from yishu.library import commits, content_digest, publish_snapshot
from yishu.library.errors import CountsDoNotAddUp, KeyBroken, RowsDoNotFit, TableMissing
from yishu.library.place import Place
from yishu.library.read import read, schema, tables

ABC = {"A": "甲公司", "B": "乙公司", "C": "丙公司"}


def origin(root, table, version=None):
    rows = read(root, table, version=version).to_pylist()
    return {row["uscc"]: (row["name"], row["_run_id"], row["_landed_row"]) for row in rows}


@pytest.mark.requirement("SUB-21")
def test_a_first_publication_is_version_0_with_its_counts_and_its_origin(publish, root, table):
    commit = publish("r1", ABC, read=6, quarantined=2, superseded=1)

    assert asdict(commit) == {
        "table": table,
        "version": 0,
        "run_id": "r1",
        "entry_version": 4,
        "read": 6,
        "inserted": 3,
        "updated": 0,
        "unchanged": 0,
        "deleted": 0,
        "quarantined": 2,
        "superseded": 1,
        "rows": 3,
        "committed_at": "2026-01-01T02:00:00+00:00",
        "already_published": False,
        "removals": 0,
    }
    assert origin(root, table) == {
        "A": ("甲公司", "r1", 0),
        "B": ("乙公司", "r1", 1),
        "C": ("丙公司", "r1", 2),
    }
    assert tables(root) == [table]
    assert commits(root, table) == [commit]


def test_what_did_not_change_keeps_the_run_that_brought_it(publish, root, table):
    publish("r1", ABC)

    commit = publish("r2", {"D": "丁公司", "C": "丙公司", "B": "新乙公司"})

    counts = (commit.inserted, commit.updated, commit.unchanged, commit.deleted, commit.rows)
    assert counts == (1, 1, 1, 1, 3)
    assert commit.version == 1
    assert origin(root, table) == {
        "B": ("新乙公司", "r2", 2),
        "C": ("丙公司", "r1", 2),
        "D": ("丁公司", "r2", 0),
    }
    assert origin(root, table, version=0).keys() == ABC.keys()


def test_the_same_content_makes_no_new_version(publish, root, table):
    publish("r1", ABC)

    commit = publish("r2", dict(reversed(ABC.items())))

    assert (commit.version, commit.run_id, commit.unchanged) == (0, "r2", 3)
    assert DeltaTable(str(Place(root, table).path)).version() == 0


def test_a_value_that_becomes_null_is_an_update_and_one_that_stays_null_is_none(publish):
    publish("r1", {"A": "甲公司", "B": None})

    commit = publish("r2", {"A": None, "B": None})

    assert (commit.updated, commit.unchanged) == (1, 1)


def test_a_run_that_was_committed_is_not_committed_again(publish, root, table):
    first = publish("r1", ABC)
    publish("r2", {"A": "新甲公司"})

    again = publish("r1", {"X": "别的公司"})

    assert again.already_published
    assert asdict(again) == {**asdict(first), "already_published": True}
    assert origin(root, table) == {"A": ("新甲公司", "r2", 0)}


@pytest.mark.parametrize("read_count", [2, 4])
def test_rows_that_are_lost_or_doubled_stop_the_first_publication(publish, root, read_count):
    with pytest.raises(CountsDoNotAddUp, match=f"{read_count} rows read"):
        publish("r1", ABC, read=read_count)

    assert tables(root) == []
    assert publish("r1", ABC).version == 0


def test_rows_that_are_lost_stop_a_later_publication(publish, root, table):
    publish("r1", ABC)

    with pytest.raises(CountsDoNotAddUp):
        publish("r2", {"A": "甲公司"}, read=2)

    assert origin(root, table).keys() == ABC.keys()


@pytest.mark.parametrize("has_version", [False, True])
def test_empty_and_repeated_keys_are_refused_without_showing_them(
    *, publish, enterprises, root, table, moment, has_version
):
    if has_version:
        publish("r1", ABC)
    rows = [*enterprises("r2", {"SECRET": "甲"}), *enterprises("r2", {"SECRET": "乙", None: "丙"})]

    with pytest.raises(KeyBroken) as refused:
        publish_snapshot(
            root,
            table,
            rows[0].schema,
            rows,
            key=["uscc"],
            run_id="r2",
            committed_at=moment,
            read=3,
        )

    assert refused.value.found == "1 empty and 1 repeated keys"
    assert "SECRET" not in str(refused.value)
    assert tables(root) == ([table] if has_version else [])


@pytest.mark.parametrize("has_version", [False, True])
def test_an_error_of_the_rows_reaches_the_caller_and_leaves_no_trace(
    *, publish, enterprises, schema, root, table, moment, has_version
):
    if has_version:
        publish("r1", ABC)
    before = origin(root, table) if has_version else None

    def broken() -> Iterator[pa.RecordBatch]:
        yield from enterprises("r2", {"A": "甲公司"})
        raise KeyError("landing is gone")

    with pytest.raises(KeyError, match="landing is gone"):
        publish_snapshot(
            root, table, schema, broken(), key=["uscc"], run_id="r2", committed_at=moment, read=1
        )

    assert (origin(root, table) if has_version else None) == before
    assert publish("r3", {"A": "新甲公司"}).version == int(has_version)


def test_rows_of_another_shape_are_refused(schema, root, table, moment):
    rows = [pa.RecordBatch.from_pydict({"uscc": ["A"]})]

    with pytest.raises(RowsDoNotFit, match="uscc string"):
        publish_snapshot(
            root, table, schema, rows, key=["uscc"], run_id="r1", committed_at=moment, read=1
        )


def test_an_entry_that_gains_a_column_keeps_the_origin_of_rows_without_a_value_in_it(
    *, publish, enterprises, schema, root, table, moment
):
    publish("r1", {"A": "甲公司", "B": "乙公司"})
    wider = schema.insert(3, pa.field("phone", pa.string()))
    rows = pa.Table.from_batches(enterprises("r2", {"A": "甲公司", "B": "乙公司"}))
    rows = rows.add_column(3, "phone", [["0510", None]]).cast(wider).to_batches()

    commit = publish_snapshot(
        root, table, wider, rows, key=["uscc"], run_id="r2", committed_at=moment, read=2
    )

    assert (commit.version, commit.updated, commit.unchanged) == (1, 1, 1)
    assert origin(root, table) == {"A": ("甲公司", "r2", 0), "B": ("乙公司", "r1", 1)}
    assert "phone" not in schema.names
    assert "phone" in read(root, table).column_names


def test_another_key_makes_every_row_new(publish, root, table):
    publish("r1", ABC)

    commit = publish("r2", ABC, key=["uscc", "name"])

    assert (commit.version, commit.inserted, commit.deleted) == (1, 3, 3)


def test_an_empty_table_can_be_published_and_filled(publish, root, table):
    assert publish("r1", {}).rows == 0
    assert read(root, table).num_rows == 0
    assert publish("r2", ABC).inserted == 3
    assert publish("r3", {}).deleted == 3
    assert content_digest(root, table) == content_digest(root, table, 0)


def test_versions_stay_readable_for_three_years_unless_said_otherwise(publish, root, table):
    publish("r1", ABC)

    settings = DeltaTable(str(Place(root, table).path)).metadata().configuration

    assert settings["delta.logRetentionDuration"] == "interval 36500 days"
    assert settings["delta.deletedFileRetentionDuration"] == "interval 1095 days"


def test_types_and_provenance_survive_the_table(publish, root, table, schema):
    publish("r1", ABC)

    found = read(root, table).schema

    assert (found.names, found.types) == (schema.names, schema.types)


def test_nothing_of_a_publication_lies_about_afterwards(publish, root):
    publish("r1", ABC)
    publish("r2", {"A": "新甲公司"})

    assert not [path for path in (root / ".staging").rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["unified/x", "../x", "subject/x/y", "unified/a.b.c", "subject/X"])
def test_a_name_that_no_table_can_have_is_refused(root, name):
    with pytest.raises(TableMissing, match="list the tables"):
        schema(root, name)
