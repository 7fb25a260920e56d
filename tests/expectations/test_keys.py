"""Hashes of very many keys: which come again, and how many different ones there are."""

import numpy as np
import pyarrow as pa
import pytest

from expectations import masks
from expectations.keys import KeySuspects
from expectations.kinds import CheckKind
from expectations.plan import plan
from expectations.spans import ColumnView


@pytest.mark.parametrize("sorted_bits", [9, 14, 23])
def test_repeated_hashes_are_found_whatever_range_is_sorted_at_once(monkeypatch, sorted_bits):
    monkeypatch.setattr("expectations.masks._SORTED_BITS", sorted_bits)
    hashes = np.random.default_rng(5).integers(0, 1 << 64, 20_000, dtype=np.uint64)
    again = np.arange(0, 4_000, 7)
    hashes[again + 15_000] = hashes[again]

    places = masks.repeats(hashes)

    assert places.tolist() == [*again.tolist(), *(again + 15_000).tolist()]


@pytest.mark.parametrize("alone", [0, 40])
def test_keys_that_were_given_are_counted_once_each(make_entry, catalog, alone):
    keys = ["甲", None, "乙", "甲", None, None, "丙", *map(str, range(alone))]
    (check,) = (one for one in plan(make_entry(), catalog) if one.kind is CheckKind.UNIQUE)
    suspects = KeySuspects(check, len(keys))

    for start in range(0, len(keys), 3):
        values = pa.chunked_array([pa.array(keys[start : start + 3], pa.string())])
        suspects.add(start, dict.fromkeys(check.columns, ColumnView(values)))

    assert suspects.distinct() == 3 + alone
