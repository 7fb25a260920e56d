"""What goes wrong around tables: clocks, disks, keys, columns, gates; readers meanwhile."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from yishu.library import Step, commits, content_digest, publish_snapshot
from yishu.library.between import changes_between
from yishu.library.errors import LibraryUnwritable, SubjectGateClosed
from yishu.library.key_index import open_key_index
from yishu.library.maintenance import maintain
from yishu.library.place import Place
from yishu.library.read import batches, read, schema, tables, version_at
from yishu.library.release import publish_release, releases

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


class TestFullDisk:
    """A real disk that fills up at a step of the work, and is given room again."""

    @pytest.fixture
    def root(self, small_disk):
        return small_disk / "library"

    @pytest.fixture
    def fill(self, small_disk):
        """Leave no room at all; what to remove for room is returned."""
        ballast = small_disk / "ballast"

        def run():
            room = os.statvfs(small_disk)
            ballast.write_bytes(bytes(room.f_bavail * room.f_frsize))
            return ballast

        return run

    @pytest.mark.parametrize("step", [Step.LOCKED, Step.SPOOLED, Step.COMPARED, Step.COMMITTED])
    def test_a_later_version_is_there_whole_or_not_at_all(self, publish, root, fill, step):
        table = publish("r1", ABC).table

        with pytest.raises(LibraryUnwritable):
            publish("r2", {"A": "新甲公司"}, on_step=lambda at: at is step and fill())

        there = set(read(root, table)["name"].to_pylist())
        assert there == ({"新甲公司"} if step is Step.COMMITTED else set(ABC.values()))
        (root.parent / "ballast").unlink()
        assert publish("r2", {"A": "新甲公司"}).rows == 1
        assert [commit.version for commit in commits(root, table)] == [1, 0]

    @pytest.mark.parametrize("step", [Step.LOCKED, Step.STREAMED])
    def test_a_first_version_is_not_there_at_all(self, publish, root, fill, step):
        with pytest.raises(LibraryUnwritable):
            publish("r1", ABC, on_step=lambda at: at is step and fill())

        assert tables(root) == []
        (root.parent / "ballast").unlink()
        assert publish("r1", ABC).inserted == 3

    def test_neither_a_release_nor_maintenance_is_half_done(self, publish, root, moment, fill):
        table = publish("r1", ABC).table
        ballast = fill()

        with pytest.raises(LibraryUnwritable, match="release 1"):
            publish_release(root, {table: 0}, run_id="x", released_at=moment)
        with pytest.raises(LibraryUnwritable):
            maintain(root, table, history_days=7)

        assert list(releases(root)) == []
        assert read(root, table).num_rows == 3
        ballast.unlink()
        assert publish_release(root, {table: 0}, run_id="x", released_at=moment).number == 1
        assert maintain(root, table, history_days=7).version > 0


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


@pytest.mark.slow
def test_who_reads_while_others_publish_compact_and_vacuum_sees_one_whole_version(
    publish, enterprises, root, table
):
    """Runs of 20 rows, to which somebody adds 5: every look has either, and one run alone."""
    seen, is_done = set(), threading.Event()

    def look():
        while not is_done.is_set():
            rows = read(root, table)
            seen.add((rows.num_rows, *set(rows["name"].to_pylist())))

    publish("r1", {str(number): "r1" for number in range(20)})
    with ThreadPoolExecutor(1) as reader:
        looking = reader.submit(look)
        try:
            for run in ("r2", "r3", "r4", "r5", "r6"):
                publish(run, {str(number): run for number in range(20)})
                more = enterprises(run, {str(number): run for number in range(20, 25)})
                write_deltalake(str(Place(root, table).path), more, mode="append")
                assert maintain(root, table, history_days=1).merged_files == 2
        finally:
            is_done.set()
        looking.result()

    assert len(seen) > 1
    assert {(rows, len(runs)) for rows, *runs in seen} <= {(20, 1), (25, 1)}


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


def test_a_column_that_a_subject_gets_in_another_type_has_either_in_its_versions(make, tmp_path):
    def rules(kind):
        items = ["uscc=legal.uscc", f"capital=legal.capital:{kind}"]
        elements = [
            make.element("legal.uscc", "market.enterprise"),
            make.element("legal.capital", "market.enterprise", kind=kind),
        ]
        return make.catalog([make.entry("market.enterprise", *items)], elements)

    subject = make.subject("capitals", ["uscc"], uscc="legal.uscc", capital="legal.capital")
    city = make.City(tmp_path, rules("string"))
    city.publish("market.enterprise", "E1 100.00", "E2 200.00", "E3 不详")
    city.build(subject, run="s1")

    city.rules = rules("decimal")
    city.publish("market.enterprise", "E1 100.00", "E2 250.00", "E3 _", run="r2")
    commit = city.build(subject, run="s2").commit

    table = "subject/capitals"
    kinds = [schema(city.root, table, version).field("capital").type for version in (0, 1)]
    assert kinds == [pa.string(), pa.decimal128(18, 2)]
    assert (commit.version, commit.rows, commit.deleted) == (1, 3, 0)
    assert read(city.root, table, version=0)["capital"].to_pylist() == ["100.00", "200.00", "不详"]
    told = changes_between(city.root, table, 0, 1).read_all().to_pylist()
    assert {row["uscc"] for row in told} >= {"E2"}
    assert "E1" not in {row["uscc"] for row in told}, "the same amount, written otherwise"


def test_a_subject_whose_entries_do_not_link_is_not_published(city, make, three_sources):
    strict = make.legal_entity.model_copy(update={"max_not_linked_share": 0.4})
    city.build(strict, run="s1")
    city.publish("tax.taxpayer", "X1 _ A", "X2 _ B", "E1 _ C", run="tax-2")

    with pytest.raises(SubjectGateClosed, match=r"2 of 3 rows of tax\.taxpayer"):
        city.build(strict, run="s2")

    assert [commit.run_id for commit in commits(city.root, "subject/legal_entity")] == ["s1"]
