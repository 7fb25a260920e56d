"""Kills, readers and rivals during a publication, each with real processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from yishu.library import Step, commits, content_digest
from yishu.library.errors import LibraryConflict
from yishu.library.place import Place
from yishu.library.read import batches, read

TABLE = "unified/market_regulation.enterprise"

# A publication of many rows: argv = root, run, first row, row count, step to die at ("" = none).
PUBLISHER = f"""
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow as pa
from yishu.library import publish_snapshot

root, run, first, count, deadly = sys.argv[1:]
first, count = int(first), int(count)
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("_provider_org", pa.string()),
    ("_entry_id", pa.string()), ("_run_id", pa.string()), ("_landed_row", pa.int64())])

def rows():
    for start in range(first, first + count, 1000):
        ids = pa.array(range(start, min(start + 1000, first + count)))
        words = [[word] * len(ids) for word in ("名称" + str(first), "m", "m.e", run)]
        yield pa.RecordBatch.from_arrays([ids, *map(pa.array, words), ids], schema=SCHEMA)
    if deadly == "rows":
        os.kill(os.getpid(), signal.SIGKILL)

def at(step):
    if step == deadly:
        os.kill(os.getpid(), signal.SIGKILL)

print("ready", flush=True)
commit = publish_snapshot(Path(root), "{TABLE}", SCHEMA, rows(), key=["id"], run_id=run,
    committed_at=datetime(2026, 1, 1, tzinfo=UTC), read=count, on_step=at, wait=60)
print(commit.inserted, commit.updated, commit.unchanged, commit.deleted, commit.rows)
"""


def start(root, run, first, count, deadly=""):
    words = [sys.executable, "-c", PUBLISHER, str(root), run, str(first), str(count), deadly]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)


def publish(root, run, first=0, count=5000):
    process = start(root, run, first, count)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return [int(number) for number in out.split()[1:]]


@pytest.fixture
def undisturbed(tmp_path: Path) -> tuple[str, str]:
    """Digests of a library after its first and its second run, nobody killed."""
    root = tmp_path / "undisturbed"
    publish(root, "r1", 0)
    first = content_digest(root, TABLE)
    publish(root, "r2", 2000)
    return first, content_digest(root, TABLE)


@pytest.mark.slow
def test_a_kill_at_any_step_leaves_a_whole_version_and_the_same_run_comes_to_the_same(
    tmp_path, undisturbed
):
    first, second = undisturbed
    for deadly in ("rows", *Step):
        root = tmp_path / f"killed at {deadly}"
        killed = start(root, "r1", 0, 5000, deadly)
        assert killed.wait(timeout=120) == (
            0 if deadly in (Step.SPOOLED, Step.COMPARED) else -signal.SIGKILL
        )
        assert publish(root, "r1", 0) == [5000, 0, 0, 0, 5000]
        assert content_digest(root, TABLE) == first

        assert start(root, "r2", 2000, 5000, deadly).wait(timeout=120) == -signal.SIGKILL
        assert content_digest(root, TABLE) in (first, second)
        assert publish(root, "r2", 2000) == [2000, 3000, 0, 2000, 5000]
        assert content_digest(root, TABLE) == second
        assert len(commits(root, TABLE)) == 2


@pytest.mark.slow
def test_kills_at_arbitrary_moments_never_show_half_a_version(tmp_path, undisturbed):
    first, second = undisturbed
    root = tmp_path / "killed"
    publish(root, "r1", 0)
    for moment in range(8):
        victim = start(root, "r2", 2000, 5000)
        victim.stdout.readline()
        time.sleep(0.015 * moment)
        victim.kill()
        victim.communicate()
        assert content_digest(root, TABLE) in (first, second)

    assert publish(root, "r2", 2000) == [2000, 3000, 0, 2000, 5000]
    assert content_digest(root, TABLE) == second
    assert len(commits(root, TABLE)) == 2


@pytest.mark.slow
def test_two_publishers_at_once_lose_no_commit(tmp_path):
    root = tmp_path / "library"
    rivals = [start(root, f"r{number}", 1000 * number, 3000) for number in range(3)]
    for rival in rivals:
        _, errors = rival.communicate(timeout=120)
        assert rival.returncode == 0, errors

    published = commits(root, TABLE)

    assert sorted(commit.run_id for commit in published) == ["r0", "r1", "r2"]
    assert [commit.version for commit in published] == [2, 1, 0]
    assert {commit.rows for commit in published} == {3000}
    assert set(read(root, TABLE, columns=["_run_id"])["_run_id"].to_pylist()) == {
        published[0].run_id
    }


def test_a_reader_sees_one_version_from_beginning_to_end(publish, root, table):
    publish("r1", {str(number): "旧" for number in range(50)})

    reader = batches(root, table, columns=["name"])
    publish("r2", {str(number): "新" for number in range(50)})

    assert set(reader.read_all()["name"].to_pylist()) == {"旧"}
    assert set(read(root, table)["name"].to_pylist()) == {"新"}


def test_a_second_writer_waits_and_then_says_so(publish, root, table):
    publish("r1", {"A": "甲"})

    with Place(root, table).locked(wait=0), pytest.raises(LibraryConflict) as refused:
        publish("r2", {"A": "乙"}, wait=0.1)

    assert refused.value.retryable
    assert publish("r2", {"A": "乙"}).version == 1


def test_a_commit_by_somebody_who_ignores_the_lock_is_not_overwritten(
    publish, enterprises, root, table
):
    publish("r1", {"A": "甲"})
    intruder = pa.Table.from_batches(enterprises("intruder", {"B": "乙"}))

    def intrude(step: Step) -> None:
        if step is Step.COMPARED:
            write_deltalake(str(Place(root, table).path), intruder, mode="append")

    with pytest.raises(LibraryConflict):
        publish("r2", {"A": "新甲"}, on_step=intrude)

    assert sorted(read(root, table)["uscc"].to_pylist()) == ["A", "B"]
    assert publish("r2", {"A": "新甲"}).deleted == 1


INTRUDER = """
import sys, pyarrow as pa
from deltalake import write_deltalake
write_deltalake(sys.argv[1], pa.table({"uscc": ["B"]}))
"""


def test_an_intruder_before_the_first_commit_is_not_overwritten(publish, enterprises, root, table):
    path = str(Place(root, table).path)

    def intrude(step: Step) -> None:
        if step is Step.STREAMED:
            # Another process: Delta cannot be called from within its own writing.
            subprocess.run([sys.executable, "-c", INTRUDER, path], check=True, timeout=60)

    with pytest.raises(LibraryConflict):
        publish("r1", {"A": "甲"}, on_step=intrude)

    assert read(root, table)["uscc"].to_pylist() == ["B"]
