"""What changed between two versions, row by row."""

from datetime import timedelta

import pytest

from yishu.library import publish_snapshot
from yishu.library.between import changes_between, changes_of
from yishu.library.errors import RowsDoNotFit, VersionMissing
from yishu.library.maintenance import maintain

ABC = {"A": "甲公司", "B": "乙公司", "C": "丙公司"}


def told(changes):
    rows = changes.read_all() if hasattr(changes, "read_all") else changes
    return sorted((row["_change_type"], row["uscc"], row["name"]) for row in rows.to_pylist())


UPDATED = [
    ("delete", "C", "丙公司"),
    ("insert", "D", "丁公司"),
    ("update_postimage", "A", "新甲公司"),
    ("update_preimage", "A", "甲公司"),
]


@pytest.fixture
def two_versions(publish):
    publish("r1", ABC)
    publish("r2", {"A": "新甲公司", "B": "乙公司", "D": "丁公司"})


@pytest.mark.usefixtures("two_versions")
def test_inserted_updated_and_deleted_rows_are_told_and_unchanged_ones_are_not(root, table):
    assert told(changes_between(root, table, 0, 1)) == UPDATED


@pytest.mark.usefixtures("two_versions")
def test_the_way_back_is_the_opposite(root, table):
    assert told(changes_between(root, table, 1, 0)) == [
        ("delete", "D", "丁公司"),
        ("insert", "C", "丙公司"),
        ("update_postimage", "A", "甲公司"),
        ("update_preimage", "A", "新甲公司"),
    ]
    assert told(changes_between(root, table, 1, 1)) == []


@pytest.mark.usefixtures("two_versions")
def test_keys_asked_one_by_one_tell_the_same(root, table):
    keys = [{"uscc": one} for one in "ABCDE"]

    assert told(changes_of(root, table, 0, 1, keys)) == UPDATED
    assert told(changes_of(root, table, 0, 1, [{"uscc": "B"}])) == []


@pytest.mark.usefixtures("two_versions")
def test_packing_files_anew_is_no_change(root, table):
    version = maintain(root, table, history_days=1095).version

    assert told(changes_between(root, table, 1, version)) == []


def test_an_added_column_counts_where_it_holds_a_value(publish, root, table, enterprises, moment):
    publish("r1", ABC)
    rows = [batch.drop_columns(["capital"]) for batch in enterprises("r2", ABC)]
    narrower = rows[0].schema
    publish_snapshot(
        root,
        table,
        narrower,
        rows,
        key=["uscc"],
        run_id="r3",
        read=3,
        committed_at=moment + timedelta(days=9),
    )

    assert told(changes_between(root, table, 0, 1)) == []
    assert told(changes_between(root, table, 1, 0)) == []


@pytest.mark.usefixtures("two_versions")
def test_versions_of_different_keys_cannot_be_followed(root, table, publish):
    version = publish("r3", ABC, key=["name"]).version

    with pytest.raises(RowsDoNotFit, match=r"key uscc.*name"):
        changes_between(root, table, 1, version)


@pytest.mark.usefixtures("two_versions")
def test_a_version_that_never_was_is_named(root, table):
    with pytest.raises(VersionMissing, match="version 9"):
        changes_between(root, table, 0, 9)
