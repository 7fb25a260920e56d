"""Hashes are put in order as they would be one by one, and tell apart what differs."""

import gc
import weakref

import numpy as np
import pyarrow as pa
import pytest

from yishu.library.key_hash import hash_keys, other_hashes
from yishu.library.row_hash import RowHasher, ascending


@pytest.mark.parametrize("most", [1, 1 << 10, 1 << 17, 1 << 40, 1 << 63])
@pytest.mark.parametrize("count", [0, 1, 7, 200_000])
def test_the_order_is_that_of_the_hashes(count, most):
    keys = np.random.default_rng(3).integers(0, most, count, dtype=np.uint64)

    order = ascending(keys)

    assert np.array_equal(keys[order], np.sort(keys))
    assert np.array_equal(np.sort(order), np.arange(count))


def test_hashes_that_are_alike_in_their_upper_bits_alone_are_put_in_order():
    keys = np.arange(200_000, dtype=np.uint64) << np.uint64(40)
    keys[7::50_000] += np.uint64(1)
    keys[8::50_000] = keys[7::50_000] - np.uint64(1)

    order = ascending(keys)

    assert np.array_equal(keys[order], np.sort(keys))


@pytest.mark.parametrize("most", [1 << 10, 1 << 63])
def test_many_hashes_are_put_in_order_range_by_range(monkeypatch, most):
    keys = np.random.default_rng(3).integers(0, most, 200_000, dtype=np.uint64)
    at_once = ascending(keys)

    monkeypatch.setattr("yishu.library.row_hash._SORTED_BITS", 13)
    by_range = ascending(keys)

    assert np.array_equal(keys[by_range], keys[at_once])
    assert np.array_equal(np.sort(by_range), np.arange(200_000))


def test_the_order_takes_four_bytes_a_row_and_no_more_behind_it():
    """200 MB for 50 million rows; places of eight bytes would take as much again."""
    order = ascending(np.random.default_rng(3).integers(0, 1 << 63, 100_001, dtype=np.uint64))

    assert order.itemsize == 4
    assert order.base is None


def test_a_key_that_ends_elsewhere_is_another_one():
    """The first hash joins the values by a separator that a value may hold."""
    keys = [pa.array(["a\x1fb", "a"]), pa.array(["c", "b\x1fc"])]

    assert len(set(hash_keys(keys).tolist())) == 1
    assert len(set(other_hashes(keys).tolist())) == 2


def test_every_column_counts_but_those_of_the_run_and_each_in_its_place():
    rows = {"k": ["1"] * 5, "a": ["x", "y", "x", None, ""], "b": ["y", "x", "y", "y", "y"]}
    batch = pa.RecordBatch.from_pydict({**rows, "_run_id": list("12345")})
    hasher = RowHasher(["k"], batch.schema.names, rows=2)
    for row in range(5):
        hasher.see(batch.slice(row, 1))

    contents = hasher.hashes().contents.tolist()

    assert contents[0] == contents[2]
    assert len(set(contents)) == 4


def test_a_hasher_goes_at_once_and_does_not_wait_for_the_search_for_cycles():
    """It holds 20 bytes a row: a gigabyte for 50 million."""
    batch = pa.RecordBatch.from_pydict({"k": ["1"]})
    hasher = RowHasher(["k"], ["k"], rows=1)
    hasher.see(batch)
    hasher.hashes()
    left = weakref.ref(hasher)
    gc.disable()
    try:
        del hasher
        assert left() is None
    finally:
        gc.enable()
