"""Parts of an entry's history: read in order, read again, never passed over, never undone."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from yishu.pipeline.errors import BackfillMisplaced
from yishu.pipeline.rows import Batch

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

HOUR = timedelta(hours=1)


@pytest.fixture
def department(tmp_path):
    return changing.Department(tmp_path / "department")


@pytest.fixture
def bureau_of(tmp_path, department):
    def make(source, **more):
        entry = changing.entry_of(source, **more)
        return changing.Bureau(tmp_path / "bureau", department, entry)

    return make


@pytest.fixture
def by_stamps(bureau_of):
    return bureau_of(changing.INCREMENTAL)


def test_history_comes_in_batches_that_add_up_to_a_full_pull(department, by_stamps):
    for hours in range(1, 9):
        department.write(f"K{hours}", "甲", by_stamps.now - hours * HOUR)
    department.write("N", "无", None)
    inserted = []
    for hours in (6, 3, 0):
        until = (by_stamps.now - hours * HOUR).isoformat()
        inserted.append(by_stamps.run(batch=Batch(until=until)).inserted)

    assert inserted == [3, 3, 3]
    assert by_stamps.digest() == by_stamps.digest_of_a_full_pull()
    by_stamps.run()
    assert by_stamps.digest() == by_stamps.digest_of_a_full_pull()


def test_a_part_of_the_past_is_read_again_and_corrected(department, by_stamps):
    """Rows that a department corrected without a new stamp; later ones stay as they are."""
    for hours in range(1, 9):
        department.write(f"K{hours}", "甲", by_stamps.now - hours * HOUR)
    by_stamps.run()
    for key, hours in (("K7", 7), ("K5", 5), ("K2", 2)):
        department.write(key, "乙", by_stamps.now - hours * HOUR)
    past = [(by_stamps.now - hours * HOUR).isoformat() for hours in (8, 4)]

    commit = by_stamps.run(batch=Batch(*past))

    assert (commit.read, commit.updated, commit.unchanged, commit.deleted) == (4, 2, 2, 0)
    assert [by_stamps.table()[key] for key in ("K7", "K5", "K2")] == ["乙", "乙", "甲"]
    assert by_stamps.run().read == 2, "the overlap before the last stamp, as ever"


def test_a_batch_that_begins_too_late_passes_nothing_over(department, by_stamps):
    for hours in range(1, 9):
        department.write(f"K{hours}", "甲", by_stamps.now - hours * HOUR)
    by_stamps.run(batch=Batch(until=(by_stamps.now - 6 * HOUR).isoformat()))

    by_stamps.run(batch=Batch(*[(by_stamps.now - hours * HOUR).isoformat() for hours in (3, 0)]))

    assert by_stamps.table() == department.rows()


def test_a_log_read_to_an_earlier_batch_undoes_nothing(department, bureau_of):
    bureau = bureau_of(changing.LOG | {"change_log": {"sequence": "seq", "overlap": 5}})
    for batch, name in enumerate(["甲", "乙", "丙"], 1):
        department.log(batch, "U", "A", name, bureau.now, 1)
    names = []
    for until in ("2", "4", "2"):
        bureau.run(batch=Batch(until=until))
        names.append(bureau.table()["A"])

    assert names == ["甲", "丙", "丙"]


def test_history_is_not_filled_in_below_a_table_of_another_kind(department, bureau_of):
    bureau = bureau_of({})
    department.write("A", "甲", bureau.now)
    bureau.run()
    bureau.entry = changing.entry_of(changing.INCREMENTAL, version=2)

    with pytest.raises(BackfillMisplaced, match="without a bound"):
        bureau.pull(batch=Batch(until=bureau.now.isoformat()))
