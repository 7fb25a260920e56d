"""Whatever a department does to its table: after each pull the library holds a full snapshot."""

import importlib.util
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

OVERLAP = timedelta(seconds=changing.INCREMENTAL["watermark"]["overlap"])


class Stamp(StrEnum):
    """How the department stamps a row that it writes."""

    NOW = "now"
    EQUAL = "as the row written before it"
    LATE = "late, inside the overlap"
    NULL = "not at all"
    FUTURE = "in two years"
    OLD = "with its old stamp, as a row restored from a backup"


@dataclass(frozen=True)
class Write:
    """Insert a row or update it."""

    key: str
    name: str
    stamp: Stamp = Stamp.NOW


@dataclass(frozen=True)
class Delete:
    """Delete a row, if it is there."""

    key: str


KEYS = st.sampled_from("ABCD")
CHANGE = st.one_of(
    st.builds(
        Write,
        KEYS,
        st.sampled_from(["甲", "乙", "丙"]),
        st.sampled_from(Stamp),
    ),
    st.builds(Delete, KEYS),
)
HISTORY = st.lists(st.lists(CHANGE, max_size=5), min_size=2, max_size=4)
"""Changes between one pull and the next."""

QUICK = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

RESTORED = [
    [Write("A", "甲"), Write("B", "乙")],
    [Delete("A")],
    [Write("A", "丙", Stamp.OLD)],
    [Write("C", "甲", Stamp.EQUAL), Write("B", "丙", Stamp.LATE)],
]
HIDDEN = [
    [Write("A", "甲", Stamp.FUTURE), Write("B", "乙", Stamp.NULL)],
    [Write("C", "丙"), Write("B", "甲", Stamp.NULL)],
    [Write("A", "乙"), Delete("B")],
]


class Changer:
    """Carries changes out, in the table and in the log."""

    def __init__(self, department, bureau):
        self.department = department
        self.bureau = bureau
        self.last = bureau.now
        self.sequence = 0
        self.published = set()

    def do(self, batch, change):
        there = self.department.rows()
        self.sequence += 1
        at = self.bureau.now
        if isinstance(change, Delete):
            if change.key in there:
                self.department.delete(change.key)
                self.department.log(batch, "D", change.key, None, at, self.sequence)
            return
        is_new = change.key not in there and change.key not in self.published
        stamp = self._stamp(change.stamp, is_new=is_new)
        self.department.write(change.key, change.name, stamp)
        operation = "U" if change.key in there else "I"
        self.department.log(batch, operation, change.key, change.name, at, self.sequence)

    def _stamp(self, stamp, *, is_new):
        match stamp:
            case Stamp.NULL:
                return None
            case Stamp.FUTURE:
                return self.bureau.now + timedelta(days=730)
            case Stamp.OLD if is_new:
                return self.bureau.now - timedelta(days=100)
            case Stamp.LATE:
                return self.bureau.now - OVERLAP + timedelta(seconds=1)
            case Stamp.EQUAL:
                return self.last
        self.last = self.bureau.now - timedelta(minutes=1)
        return self.last


def played(department, bureau, history):
    """Play a history; after each part there is a pull. The parts after which the library differs.

    From the department, or from what a full pull would bring.
    """
    different = []
    changer = Changer(department, bureau)
    for batch, changes in enumerate(history, 1):
        bureau.now += timedelta(minutes=30)
        for change in changes:
            changer.do(batch, change)
        bureau.run()
        is_same = bureau.digest() == bureau.digest_of_a_full_pull()
        if bureau.table() != department.rows() or not is_same:
            different.append(batch)
        changer.published = set(bureau.table())
    return different


@pytest.mark.parametrize("source", [changing.INCREMENTAL, changing.LOG], ids=["stamps", "log"])
@given(history=HISTORY)
@example(history=RESTORED)
@example(history=HIDDEN)
@QUICK
def test_after_every_pull_sqlite_and_library_are_the_same(source, history):
    with tempfile.TemporaryDirectory() as folder:
        department = changing.Department(Path(folder) / "department")
        bureau = changing.Bureau(Path(folder) / "bureau", department, changing.entry_of(source))
        assert played(department, bureau, history) == []


@pytest.mark.parametrize("source", [changing.INCREMENTAL, changing.LOG], ids=["stamps", "log"])
@given(history=HISTORY)
@example(history=RESTORED)
@example(history=HIDDEN)
@settings(QUICK, max_examples=2)
def test_after_every_pull_postgresql_and_library_are_the_same(fresh_database, source, history):
    with tempfile.TemporaryDirectory() as folder:
        department = changing.PostgresqlDepartment(fresh_database)
        entry = changing.entry_of(source | {"kind": "postgresql"})
        bureau = changing.Bureau(Path(folder), department, entry)
        assert played(department, bureau, history) == []


@given(history=HISTORY, twice=st.lists(st.booleans(), min_size=4, max_size=4))
@settings(QUICK, max_examples=4)
def test_a_run_that_is_done_again_changes_nothing(history, twice):
    with tempfile.TemporaryDirectory() as folder:
        department = changing.Department(Path(folder) / "department")
        entry = changing.entry_of(changing.INCREMENTAL)
        bureau = changing.Bureau(Path(folder) / "bureau", department, entry)
        changer = Changer(department, bureau)
        for batch, changes in enumerate(history, 1):
            bureau.now += timedelta(minutes=30)
            for change in changes:
                changer.do(batch, change)
            first = bureau.run()
            digest = bureau.digest()
            if twice[batch - 1]:
                receipt = bureau.pull_again()
                again = bureau.publish()
                assert receipt.run_id == first.run_id
                assert again.already_published
                counts = (again.version, again.inserted, again.updated, again.unchanged)
                assert counts == (first.version, first.inserted, first.updated, first.unchanged)
            assert bureau.digest() == digest
            changer.published = set(bureau.table())
        assert bureau.table() == department.rows()
