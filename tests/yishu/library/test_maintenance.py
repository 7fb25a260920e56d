import os
import time

import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from yishu.library import commits, content_digest, maintain, strays
from yishu.library.errors import TableMissing, VersionMissing
from yishu.library.place import Place
from yishu.library.read import read, version_at


@pytest.fixture
def three_versions(publish):
    for day in (1, 2, 3):
        publish(f"r{day}", {"A": f"第{day}版"})


@pytest.mark.usefixtures("three_versions")
def test_within_their_retention_all_versions_stay(root, table):
    assert maintain(root, table, history_days=1095).removed_files == 0
    assert [read(root, table, version=n)["name"].to_pylist() for n in range(3)] == [
        ["第1版"],
        ["第2版"],
        ["第3版"],
    ]


@pytest.mark.usefixtures("three_versions")
def test_past_their_retention_only_protected_versions_and_the_newest_stay(root, table, moment):
    before = content_digest(root, table)

    upkeep = maintain(root, table, history_days=0, protected=[0])

    assert upkeep.removed_files == 1
    assert content_digest(root, table) == before
    assert read(root, table, version=0)["name"].to_pylist() == ["第1版"]
    with pytest.raises(VersionMissing, match="still kept"):
        read(root, table, version=1)
    assert version_at(root, table, moment) == 0
    assert len(commits(root, table)) == 3


def test_compaction_changes_files_and_not_the_content(publish, enterprises, root, table):
    publish("r1", {"A": "甲"})
    path = str(Place(root, table).path)
    for name in "BCD":
        write_deltalake(path, enterprises("r1", {name: name}), mode="append")
    before = content_digest(root, table)

    upkeep = maintain(root, table, history_days=1095)

    assert upkeep.merged_files == 4
    assert len(DeltaTable(path).get_add_actions()) == 1
    assert content_digest(root, table) == before


@pytest.mark.usefixtures("three_versions")
def test_a_publication_after_maintenance_compares_with_the_right_version(publish, root, table):
    maintain(root, table, history_days=0)

    assert publish("r4", {"A": "第3版"}).unchanged == 1
    assert publish("r5", {"A": "第5版"}).updated == 1


@pytest.mark.usefixtures("three_versions")
def test_leftovers_of_a_killed_writer_go_after_the_retention(root, table):
    leftover = Place(root, table).path / "part-00000-leftover.parquet"
    leftover.write_bytes(b"half a file")
    an_hour_ago = time.time() - 3600
    os.utime(leftover, (an_hour_ago, an_hour_ago))

    maintain(root, table, history_days=1)
    assert leftover.exists()

    maintain(root, table, history_days=0)
    assert not leftover.exists()


@pytest.mark.usefixtures("three_versions")
def test_a_new_retention_is_written_into_the_table(root, table):
    maintain(root, table, history_days=2000)

    settings = DeltaTable(str(Place(root, table).path)).metadata().configuration
    assert settings["delta.deletedFileRetentionDuration"] == "interval 2000 days"


def test_a_table_that_is_not_there_cannot_be_maintained(root, table):
    with pytest.raises(TableMissing):
        maintain(root, table, history_days=1)


def test_a_commit_that_calls_itself_maintenance_and_changes_data_is_a_stray(
    publish, enterprises, root, table
):
    """The mark of maintenance alone hides nothing; compaction and vacuum are no strays."""
    publish("r1", {"A": "甲"})
    path = str(Place(root, table).path)
    told = CommitProperties(custom_metadata={"kind": "maintenance"})
    write_deltalake(path, enterprises("x", {"B": "乙"}), mode="append", commit_properties=told)
    maintain(root, table, history_days=0)

    assert DeltaTable(path).version() > 1
    assert strays(root, table) == [1]
