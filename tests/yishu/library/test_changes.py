"""Changes merged into the version before: the result is that of a snapshot, in one commit."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from yishu.library import Changes, Commit, commits, content_digest, publish_changes
from yishu.library.errors import (
    ChangesOutOfDate,
    CountsDoNotAddUp,
    KeyBroken,
    RowsDoNotFit,
    TableMissing,
)
from yishu.library.read import read

ABC = {"A": "甲公司", "B": "乙公司", "C": "丙公司"}


@pytest.fixture
def keys(tmp_path) -> Callable:
    def write(name, values):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"uscc": pa.array(values, pa.string())}), path)
        return path

    return write


@pytest.fixture
def place(root, table, schema):
    return root, table, schema


@pytest.fixture
def merge(place, moment, enterprises, keys) -> Callable[..., Commit]:
    """Merge enterprises by run, keys that are gone, keys that are there at all."""

    def run(run_id, names, *, gone=(), present=None, after="r1", **more):
        changes = Changes(
            keys(f"gone-{run_id}", list(gone)) if gone else None,
            None if present is None else keys(f"present-{run_id}", list(present)),
            after,
        )
        facts = {"key": ["uscc"], "run_id": run_id, "committed_at": moment, "read": len(names)}
        rows = enterprises(run_id, names)
        return publish_changes(*place, rows, changes, **(facts | more))

    return run


def origin(root, table):
    return {
        row["uscc"]: (row["name"], row["_run_id"], row["_landed_row"])
        for row in read(root, table).to_pylist()
    }


def counts(commit):
    return (commit.inserted, commit.updated, commit.unchanged, commit.deleted, commit.rows)


def test_changes_are_merged_and_what_they_leave_alone_keeps_its_origin(publish, merge, root, table):
    publish("r1", ABC)

    commit = merge("r2", {"B": "新乙公司", "A": "甲公司", "D": "丁公司"}, gone="C", removals=1)

    assert counts(commit) == (1, 1, 1, 1, 3)
    assert (commit.version, commit.removals) == (1, 1)
    assert origin(root, table) == {
        "A": ("甲公司", "r1", 0),
        "B": ("新乙公司", "r2", 0),
        "D": ("丁公司", "r2", 2),
    }
    assert commits(root, table)[0] == commit


def test_the_content_is_that_of_a_snapshot_of_the_same_moment(publish, merge, root, table):
    publish("r1", ABC)
    merge("r2", {"B": "新乙公司"}, gone=["A"])
    merged = content_digest(root, table)

    publish("r3", {"C": "丙公司", "B": "新乙公司"})

    assert merged == content_digest(root, table)


def test_rows_whose_key_the_source_no_longer_has_are_deleted(publish, merge, root, table):
    publish("r1", ABC)

    commit = merge("r2", {"D": "丁公司"}, present="BD")

    assert counts(commit) == (1, 0, 0, 2, 2)
    assert origin(root, table).keys() == {"B", "D"}


def test_a_key_that_is_gone_and_was_never_there_changes_nothing(publish, merge):
    publish("r1", ABC)

    commit = merge("r2", {}, gone=["X"], removals=1)

    assert (counts(commit), commit.version) == ((0, 0, 0, 0, 3), 0)


def test_a_new_position_is_committed_without_a_changed_row(publish, merge, root, table):
    publish("r1", ABC, metadata={"position": "1"})
    before = content_digest(root, table)

    same = merge("r2", {"A": "甲公司"}, metadata={"position": "1"})
    moved = merge("r3", {"A": "甲公司"}, metadata={"position": "2"})

    assert (same.version, moved.version, moved.rows) == (0, 1, 3)
    assert [one.run_id for one in commits(root, table)] == ["r3", "r1"]
    assert content_digest(root, table) == before


def test_a_run_that_was_merged_is_not_merged_again(publish, merge, root, table):
    publish("r1", ABC)
    first = merge("r2", {"B": "新乙公司"})

    again = merge("r2", {"B": "别的公司"})

    assert again.already_published
    assert counts(again) == counts(first)
    assert origin(root, table)["B"][0] == "新乙公司"


def test_changes_that_follow_an_older_version_are_refused(publish, merge, root, table):
    publish("r1", ABC)
    merge("r3", {"B": "新乙公司"})

    with pytest.raises(ChangesOutOfDate, match="start a new run"):
        merge("r2", {"B": "旧乙公司"})

    assert origin(root, table)["B"][0] == "新乙公司"


def test_changes_need_a_version_before(merge):
    with pytest.raises(TableMissing):
        merge("r2", {"A": "甲公司"}, after=None)


def test_repeated_keys_and_lost_rows_are_refused(publish, merge, enterprises, root, table):
    publish("r1", ABC)
    with pytest.raises(CountsDoNotAddUp):
        merge("r2", {"B": "新乙公司"}, read=2)
    with pytest.raises(KeyBroken):
        merge("r2", {None: "无名公司"})
    assert origin(root, table).keys() == ABC.keys()


def test_changes_with_other_columns_are_refused(publish, root, table, schema, moment):
    publish("r1", ABC)
    more = schema.append(pa.field("phone", pa.string()))

    with pytest.raises(RowsDoNotFit, match="new version"):
        publish_changes(
            *(root, table, more, [], Changes(after="r1")),
            key=["uscc"],
            run_id="r2",
            committed_at=moment,
            read=0,
        )
