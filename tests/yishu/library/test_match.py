"""Later versions of large tables: what hashes tell is what the rows say, whatever the files."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from yishu.library import Changes, content_digest, publish_changes, publish_snapshot
from yishu.library.key_index import data_files, open_key_index
from yishu.library.place import Place
from yishu.library.read import read

SCHEMA = pa.schema(
    [
        ("k", pa.string()),
        ("part", pa.int64()),
        ("text", pa.string()),
        ("_run_id", pa.string()),
        ("_landed_row", pa.int64()),
    ]
)
TABLE = "unified/a.b"
ROWS = 40_000
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def small_files(monkeypatch):
    """Data files of a few thousand rows each."""
    monkeypatch.setattr("yishu.library.writing.FILE_BYTES", 40_000)


def batches(rows, run, size=5_000):
    """Rows are ``(key, part) -> text``."""
    listed = list(rows.items())
    for start in range(0, len(listed), size):
        some = listed[start : start + size]
        yield pa.RecordBatch.from_arrays(
            [
                pa.array([key for (key, _), _ in some]),
                pa.array([part for (_, part), _ in some]),
                pa.array([text for _, text in some], pa.string()),
                pa.array([run] * len(some)),
                pa.array(range(start, start + len(some))),
            ],
            schema=SCHEMA,
        )


def facts(run, read_rows):
    when = WHEN + timedelta(days=int(run.removeprefix("r")))
    return {"key": ["k", "part"], "run_id": run, "committed_at": when, "read": read_rows}


def snapshot(root, rows, run):
    return publish_snapshot(root, TABLE, SCHEMA, batches(rows, run), **facts(run, len(rows)))


def keys_file(path, keys):
    columns = {"k": [key for key, _ in keys], "part": [part for _, part in keys]}
    pq.write_table(
        pa.table(columns, schema=pa.schema([SCHEMA.field("k"), SCHEMA.field("part")])), path
    )
    return path


def register(count=ROWS):
    """Keys of unequal length, few texts, some of them missing."""
    texts = [None, *(f"值{number}" for number in range(8))]
    return {
        (f"键{number:0{3 + number % 4}d}", number % 2): texts[number % 9] for number in range(count)
    }


def changed(rows, chance, *, first=0):
    """Some rows otherwise, some gone, some new, in another order."""
    names = list(rows)
    chance.shuffle(names)
    after = {name: rows[name] for name in names[700:]}
    for name in names[700:2000]:
        after[name] = None if chance.random() < 0.3 else f"新{chance.randrange(9)}"
    return after | {(f"新{number}", 0): "新" for number in range(first, first + 500)}


def content(root, version=None):
    listed = read(root, TABLE, version=version, columns=["k", "part", "text"]).to_pydict()
    return dict(zip(zip(listed["k"], listed["part"], strict=True), listed["text"], strict=True))


def counts(commit):
    return commit.inserted, commit.updated, commit.unchanged, commit.deleted, commit.rows


def expected(before, after):
    both = [name for name in after if name in before]
    same = sum(before[name] == after[name] for name in both)
    return len(after) - len(both), len(both) - same, same, len(before) - len(both), len(after)


def require_true_index(root):
    """Every index file says of its data file what the rows say."""
    place = Place(root, TABLE)
    files = data_files(place, place.open(), ["k", "part"])
    for file in files:
        assert file.is_indexed()
        stored, true = file.indexed(), file._hashed()
        for name in ("keys", "others", "contents"):
            assert np.array_equal(getattr(stored.hashes, name), getattr(true.hashes, name))
        assert np.array_equal(stored.rows, true.rows)
    return files


@pytest.mark.usefixtures("small_files")
def test_snapshots_one_after_the_other(tmp_path):
    chance = random.Random(5)  # noqa: S311  a test's own chance
    rows = register()
    assert counts(snapshot(tmp_path, rows, "r1")) == (ROWS, 0, 0, 0, ROWS)
    assert len(require_true_index(tmp_path)) > 2
    for turn in (2, 3):
        after = changed(rows, chance, first=1000 * turn)
        assert counts(snapshot(tmp_path, after, f"r{turn}")) == expected(rows, after)
        rows = after
        assert content(tmp_path) == rows
        require_true_index(tmp_path)
    snapshot(tmp_path / "anew", rows, "r1")
    assert content_digest(tmp_path, TABLE) == content_digest(tmp_path / "anew", TABLE)


@pytest.mark.usefixtures("small_files")
def test_changes_with_keys_that_are_gone_or_no_longer_present(tmp_path):
    before = register()
    snapshot(tmp_path, before, "r1")
    names = list(before)
    some = {name: before[name] for name in names[:10]} | dict.fromkeys(names[500:900], "改")
    some |= {("新", number): "新" for number in range(7)}
    gone, present = names[5000:5100], names[:39_000]

    commit = publish_changes(
        tmp_path, TABLE, SCHEMA, batches(some, "r2"),
        Changes(
            keys_file(tmp_path / "gone", [*gone, ("无", 1)]),
            keys_file(tmp_path / "present", [*present, *some]), "r1",
        ),
        **facts("r2", len(some)),
    )  # fmt: skip

    after = {name: before[name] for name in present if name not in set(gone)} | some
    assert content(tmp_path) == after
    assert counts(commit) == (7, 400, 10, 1100, len(after))
    require_true_index(tmp_path)
    assert content(tmp_path, version=0) == before


@pytest.mark.usefixtures("small_files")
def test_only_files_of_which_a_row_changes_are_written_anew(tmp_path):
    rows = register()
    snapshot(tmp_path, rows, "r1")
    place = Place(tmp_path, TABLE)
    before = place.files(place.open())
    (name,) = read(tmp_path, TABLE, columns=["k", "part"], limit=1).to_pylist()

    snapshot(tmp_path, {**rows, (name["k"], name["part"]): "改"}, "r2")
    snapshot(tmp_path, {**rows, (name["k"], name["part"]): "改", ("新", 0): "新"}, "r3")

    one, two, three = (set(place.files(place.open(version))) for version in range(3))
    assert one == set(before)
    assert len(one - two) == 1
    assert two < three, "a new row is a new file"
    assert open_key_index(tmp_path, TABLE).row({"k": "新", "part": 0}).num_rows == 1


@pytest.mark.parametrize("bits", [0, 5])
def test_where_two_keys_have_one_hash_rows_are_compared(tmp_path, monkeypatch, bits):
    def poor(columns):
        return (pc.utf8_length(columns[0]).to_numpy() & bits).astype(np.uint64)

    for module in ("row_hash", "index_file", "key_index"):
        monkeypatch.setattr(f"yishu.library.{module}.hash_keys", poor)
    before = register(300)
    after = {name: before[name] for name in list(before)[20:]} | {("新", 0): "新"}
    snapshot(tmp_path, before, "r1")

    assert counts(snapshot(tmp_path, after, "r2")) == expected(before, after)
    assert content(tmp_path) == after
    assert open_key_index(tmp_path, TABLE).holds({"k": "新", "part": 0})


def test_a_key_that_somebody_else_doubled_is_single_after_the_next_snapshot(tmp_path):
    rows = register(300)
    snapshot(tmp_path, rows, "r1")
    path = str(Place(tmp_path, TABLE).path)
    write_deltalake(path, next(batches(register(5), "x")), mode="append")

    snapshot(tmp_path, rows, "r2")

    assert content(tmp_path) == rows
    assert read(tmp_path, TABLE).num_rows == 300
