"""What goes wrong around tables: clocks, disks, keys, columns, gates; readers meanwhile."""

import subprocess
import sys
from datetime import timedelta

import pyarrow as pa
import pytest

from yishu.library import commits, content_digest, publish_snapshot
from yishu.library.between import changes_between
from yishu.library.errors import SubjectGateClosed
from yishu.library.key_index import open_key_index
from yishu.library.maintenance import maintain
from yishu.library.read import batches, read, schema, version_at

ABC = {"A": "甲公司", "B": "乙公司", "C": "丙公司"}

FULL_DISK = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow as pa
from yishu.library import publish_snapshot
from yishu.library.errors import LibraryUnwritable

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
rows = pa.RecordBatch.from_pydict({"k": [f"{n * 7919 % 100003:09d}" for n in range(60_000)]})
try:
    publish_snapshot(
        Path(sys.argv[1]), "subject/x", rows.schema, [rows], key=["k"], run_id=sys.argv[2],
        committed_at=datetime(2026, 1, 1, tzinfo=UTC), read=rows.num_rows,
    )
except LibraryUnwritable as error:
    print(error.code)
"""


def test_a_disk_that_is_full_in_a_commit_leaves_the_version_before(root, moment):
    """The operating system itself refuses to write more than 30 kB into a file."""
    rows = pa.RecordBatch.from_pydict({"k": ["1"]})
    facts = {"run_id": "r1", "committed_at": moment, "read": 1}
    publish_snapshot(root, "subject/x", rows.schema, [rows], key=["k"], **facts)
    before = content_digest(root, "subject/x")

    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(root), "r2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.strip() == "LIB_UNWRITABLE", done.stderr[-300:]
    assert content_digest(root, "subject/x") == before
    assert [commit.version for commit in commits(root, "subject/x")] == [0]


def test_a_clock_that_was_set_back_keeps_versions_in_order(publish, root, table, moment):
    publish("r1", ABC)
    publish("r2", {"A": "甲公司"}, committed_at=moment - timedelta(days=30))

    assert [commit.version for commit in commits(root, table)] == [1, 0]
    assert version_at(root, table, moment) == 1, "the newest version is the newest"
    assert version_at(root, table, moment - timedelta(days=1)) == 1
    assert read(root, table)["uscc"].to_pylist() == ["A"]


def test_an_entry_that_changes_its_key_is_found_by_the_new_one_and_before_by_the_old(
    publish, root, table
):
    publish("r1", ABC)

    commit = publish("r2", ABC, key=["name"])

    assert (commit.inserted, commit.deleted) == (3, 3)
    assert open_key_index(root, table).row({"name": "甲公司"}, ["uscc"]).to_pylist() == [
        {"uscc": "A"}
    ]
    assert open_key_index(root, table, 0).holds({"uscc": "A"})


def test_a_reader_that_began_before_compaction_and_vacuum_reads_to_the_end(publish, root, table):
    for number in range(1, 5):
        publish(f"r{number}", {**ABC, "D": f"{number}公司"})
    reader = batches(root, table, version=2)

    maintain(root, table, history_days=1)
    publish("r5", {"A": "新公司"})

    assert sorted(reader.read_all()["name"].to_pylist()) == sorted([*ABC.values(), "3公司"])


def test_a_column_that_a_subject_gains_and_loses_is_in_its_versions(city, make, three_sources):
    wider, narrower = make.legal_entity, make.subject("legal_entity", ["uscc"], uscc="legal.uscc")
    city.build(narrower, run="s1")
    city.build(wider, run="s2")
    city.build(narrower, run="s3")

    table = "subject/legal_entity"
    widths = [{"name", "grade"} <= set(schema(city.root, table, one).names) for one in (0, 1, 2)]
    assert widths == [False, True, False]
    told = changes_between(city.root, table, 0, 1).read_all()
    assert {row["_change_type"] for row in told.to_pylist()} == {
        "update_preimage",
        "update_postimage",
    }
    assert {row["name"] for row in told.to_pylist()} == {None, "甲公司", "乙公司", "丙学会"}


def test_a_subject_whose_entries_do_not_link_is_not_published(city, make, three_sources):
    strict = make.legal_entity.model_copy(update={"max_not_linked_share": 0.4})
    city.build(strict, run="s1")
    city.publish("tax.taxpayer", "X1 _ A", "X2 _ B", "E1 _ C", run="tax-2")

    with pytest.raises(SubjectGateClosed, match=r"2 of 3 rows of tax\.taxpayer"):
        city.build(strict, run="s2")

    assert [commit.run_id for commit in commits(city.root, "subject/legal_entity")] == ["s1"]
