"""A key leads to its row at any version, however the table's files came to be."""

import random
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from yishu.library import publish_snapshot
from yishu.library.errors import ColumnMissing, LibraryUnwritable
from yishu.library.index_file import FOLDER
from yishu.library.key_hash import hash_key, hash_keys
from yishu.library.key_index import data_files, index_files, open_key_index
from yishu.library.layout import ROWS_IN_GROUP
from yishu.library.maintenance import maintain
from yishu.library.place import Place
from yishu.library.read import by_key, read

ABC = {"A": "甲公司", "B": "乙公司", "C": "丙公司"}
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def index_paths(root, table):
    return sorted((Place(root, table).path / FOLDER).iterdir())


def publish_columns(root, table, key, **columns):
    rows = pa.RecordBatch.from_pydict(columns)
    facts = {"run_id": "r1", "committed_at": WHEN, "read": rows.num_rows}
    return publish_snapshot(root, table, rows.schema, [rows], key=key, **facts)


def test_a_key_is_found_and_a_strange_one_is_not(publish, root, table):
    publish("r1", ABC)

    index = open_key_index(root, table)

    assert index.row({"uscc": "B"}).equals(read(root, table, where={"uscc": "B"}))
    assert index.row({"uscc": "B"}, ["name"]).to_pylist() == [{"name": "乙公司"}]
    assert [index.holds({"uscc": one}) for one in ("A", "D", "a", "")] == [True] + [False] * 3


def test_rows_of_many_row_groups_are_found(root, table):
    count = 5 * ROWS_IN_GROUP + 3
    keys = [f"{number:0{4 + number % 3}d}" for number in range(count)]
    publish_columns(root, table, ["k"], k=keys, n=list(range(count)))
    index = open_key_index(root, table)

    picked = [0, count - 1, *np.random.default_rng(7).choice(count, 100, replace=False).tolist()]

    assert [index.row({"k": keys[one]})["n"].to_pylist() for one in picked] == [
        [one] for one in picked
    ]


def test_a_key_of_several_columns_is_compared_as_a_whole(root, table):
    day = date(2026, 1, 2)
    publish_columns(
        root, table, ["a", "b"], a=["x", "x", "xy"], b=[day, date(2026, 1, 4), day], n=[1, 2, 3]
    )
    index = open_key_index(root, table)

    assert index.row({"a": "x", "b": "2026-01-02"})["n"].to_pylist() == [1]
    assert index.row({"b": day, "a": "xy"})["n"].to_pylist() == [3]
    assert not index.holds({"a": "x", "b": "no date"})
    assert not index.holds({"a": "x", "b": "2026-01-03"})


@pytest.mark.parametrize("key", [{}, {"name": "甲公司"}, {"uscc": "A", "name": "甲公司"}])
def test_anything_but_the_whole_key_is_refused(publish, root, table, key):
    publish("r1", ABC)

    with pytest.raises(ColumnMissing, match="whole key"):
        open_key_index(root, table).row(key)


def test_versions_are_kept_apart_and_a_held_index_knows_when_it_is_old(publish, root, table):
    publish("r1", ABC)
    held = open_key_index(root, table)
    assert held.newest() is held

    publish("r2", {"A": "新甲公司", "B": "乙公司"})

    assert held.row({"uscc": "A"}, ["name"]).to_pylist() == [{"name": "甲公司"}]
    assert held.holds({"uscc": "C"})
    newest = held.newest()
    assert newest.row({"uscc": "A"}, ["name"]).to_pylist() == [{"name": "新甲公司"}]
    assert not newest.holds({"uscc": "C"})
    assert by_key(root, table, {"uscc": "C"}, version=0).num_rows == 1


@pytest.mark.parametrize("damage", [b"", b"YSKEYS1\0", b"\0" * 200])
def test_a_missing_or_damaged_index_gives_the_same_answer(publish, root, table, damage):
    publish("r1", ABC)
    (path,) = index_paths(root, table)
    path.write_bytes(damage) if damage else path.unlink()

    assert open_key_index(root, table).row({"uscc": "C"}, ["name"]).to_pylist() == [
        {"name": "丙公司"}
    ]
    place = Place(root, table)
    assert index_files(place, place.open(), ["uscc"]) == 1
    assert index_files(place, place.open(), ["uscc"]) == 0


ANOTHER = 10
"""Added to the number of a row: the same key, another content."""


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([[0, 1, 2, 3]], id="together"),
        pytest.param([[], [0, 2], [1, 3]], id="in parts"),
        pytest.param([[0, 1, 2]], id="one is missing"),
        pytest.param([[0, 1 + ANOTHER, 1, 2, 3]], id="one twice"),
        pytest.param([[0, 1, 2, 3], [3 + ANOTHER]], id="one in two parts"),
    ],
)
def test_an_index_from_known_hashes_is_that_of_the_rows(publish, root, table, parts):
    publish("r1", {**ABC, "D": "丁公司"})
    place = Place(root, table)
    (path,) = index_paths(root, table)
    of_rows = path.read_bytes()
    (file,) = data_files(place, place.open(), ["uscc"])
    hashes = file.indexed().hashes
    numbers = [np.array(part, int) for part in parts]
    known = [hashes.taken(some % ANOTHER) for some in numbers]
    for part, some in zip(known, numbers, strict=True):
        part.contents[some >= ANOTHER] += np.uint64(1)
    path.unlink()

    file.store(known)

    assert path.read_bytes() == of_rows


def test_a_run_published_again_writes_the_index_that_a_killed_one_lacked(publish, root, table):
    publish("r1", ABC)
    (path,) = index_paths(root, table)
    path.unlink()

    assert publish("r1", ABC).already_published
    assert index_paths(root, table) == [path]


def test_a_full_disk_while_indexing_leaves_the_version_and_can_be_retried(
    publish, root, table, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("yishu.library.index_file.write_private", full)
        with pytest.raises(LibraryUnwritable, match="key index"):
            publish("r1", ABC)

    assert by_key(root, table, {"uscc": "A"}).num_rows == 1
    assert publish("r1", ABC).already_published
    assert len(index_paths(root, table)) == 1


def test_maintenance_indexes_packed_files_and_drops_what_points_nowhere(publish, root, table):
    publish("r1", ABC)
    publish("r2", {**ABC, "D": "丁公司"})

    maintain(root, table, history_days=0)

    files = {path.name.rsplit(".", 2)[0] for path in index_paths(root, table)}
    place = Place(root, table)
    assert files == {path.name for path in map(type(place.path), place.files(place.open()))}
    assert open_key_index(root, table).holds({"uscc": "D"})


def test_the_hash_on_disk_never_changes():
    texts = pa.array(["", "91320213MA1ABCDE0X", "无锡"])
    numbers = pa.array([1, None, -1])

    assert [f"{one:016x}" for one in hash_keys([texts])] == [
        "5c76a454c81bdd84",
        "d27e489dbfcad4f9",
        "f662f96893ab5eac",
    ]
    assert [f"{one:016x}" for one in hash_keys([texts, numbers])] == [
        "a27db53bc1196c97",
        "6cb5af46fbc5882a",
        "961ea6f340c120ce",
    ]


def test_hashes_do_not_depend_on_how_rows_are_cut():
    texts = pa.array([f"键{number}" * (number % 4) for number in range(50)])

    whole = hash_keys([texts])

    assert [hash_keys([texts.slice(one, 1)])[0] for one in range(50)] == whole.tolist()


def test_one_key_has_the_number_that_it_has_among_many():
    chance = random.Random(8)  # noqa: S311  a test's own chance
    for _ in range(500):
        texts = ["".join(chance.choices("09aZ测é\x1f ", k=chance.randrange(30))) for _ in range(2)]
        (number,) = hash_keys([pa.array([one]) for one in texts])
        assert hash_key(texts) == number
    assert hash_key([""]) == hash_keys([pa.array([None], pa.string())])[0]
