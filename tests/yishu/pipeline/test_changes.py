"""Pulls by changes: what a stamp can be, what a run keeps, how far it came, and what it refuses."""

import importlib.util
import json
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from yishu.library import commits, unified_table
from yishu.library.errors import ChangesOutOfDate
from yishu.pipeline.errors import EmptySource, SchemaDrift
from yishu.pipeline.position import lower_bound, published
from yishu.pipeline.store import run_folder
from yishu.pipeline.validate import load_verdict

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

HOUR = timedelta(hours=1)
TABLE = unified_table(changing.ENTRY)


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


@pytest.fixture
def by_log(bureau_of):
    return bureau_of(changing.LOG)


def failed_checks(bureau):
    folder = run_folder(bureau.folder, changing.ENTRY, f"r{bureau.runs}")
    verdict = load_verdict(folder, needed_by="test")
    return {result.check_id: result.failed for result in verdict.results if result.failed}


def test_a_pull_reads_from_the_overlap_before_the_last_published_stamp(department, by_stamps):
    for hours in range(5):
        department.write(f"K{hours}", "甲", by_stamps.now - hours * HOUR)
    by_stamps.run()

    by_stamps.now += HOUR
    department.write("NEW", "甲", by_stamps.now)
    receipt = by_stamps.pull()

    assert (receipt.rows, receipt.after, receipt.before) == (3, "r1", 5)
    assert receipt.since == "2026-05-01T03:00:00+00:00"
    assert receipt.reached == "2026-05-01T05:00:00+00:00"


def test_what_was_reached_counts_only_once_it_is_published(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    by_stamps.run()
    by_stamps.now += 5 * HOUR
    department.write("B", "乙", by_stamps.now)
    by_stamps.pull()

    receipt = by_stamps.pull()

    assert receipt.since == "2026-05-01T03:00:00+00:00"
    by_stamps.publish()
    assert by_stamps.pull().since == "2026-05-01T08:00:00+00:00"


def test_a_run_published_after_a_newer_one_is_refused(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    by_stamps.run()
    department.write("A", "旧", by_stamps.now)
    by_stamps.pull()
    department.write("A", "新", by_stamps.now)
    by_stamps.run()

    with pytest.raises(ChangesOutOfDate):
        by_stamps.publish("r2")

    assert by_stamps.table() == {"A": "新"}


def test_rows_without_a_stamp_are_read_each_time_and_reported(department, by_stamps):
    department.write("A", "甲", None)
    department.write("B", "乙", "昨天")
    by_stamps.run()
    assert failed_checks(by_stamps) == {"changes.watermark.present": 2}

    department.write("A", "新甲", None)
    commit = by_stamps.run()

    assert (commit.read, commit.updated, commit.unchanged, commit.quarantined) == (2, 1, 1, 0)
    assert by_stamps.table() == {"A": "新甲", "B": "乙"}


def test_a_stamp_in_the_future_hides_nothing(department, by_stamps):
    department.write("A", "甲", by_stamps.now + timedelta(days=900))
    department.write("B", "乙", by_stamps.now - 2 * HOUR)

    receipt = by_stamps.pull()
    by_stamps.publish()

    assert receipt.reached == "2026-05-01T02:00:00+00:00"
    assert failed_checks(by_stamps) == {"changes.watermark.range": 1}
    department.write("C", "丙", by_stamps.now)
    by_stamps.run()
    assert by_stamps.table() == department.rows()


@pytest.mark.parametrize("skew", [timedelta(days=1), timedelta(days=-1)])
def test_a_department_clock_that_is_a_day_off_loses_nothing(department, by_stamps, skew):
    for round_ in range(4):
        by_stamps.now += HOUR
        department.write(f"K{round_}", "甲", by_stamps.now + skew)
        department.write("A", f"第{round_}次", by_stamps.now + skew)
        by_stamps.run()
        assert by_stamps.table() == department.rows()


def test_equal_stamps_are_all_read(department, by_stamps, bureau_of):
    stamps = {"column": "updated_at", "overlap": 0}
    by_stamps = bureau_of(changing.INCREMENTAL | {"watermark": stamps})
    department.write("A", "甲", by_stamps.now)
    by_stamps.run()
    department.write("B", "乙", by_stamps.now)

    commit = by_stamps.run()

    assert (commit.inserted, commit.unchanged) == (1, 1)


def test_a_row_that_moves_while_it_is_read_counts_once_with_its_last_state(department, by_stamps):
    """A reader by pages meets a row again after it was stamped anew: both states are landed."""
    department.write("A", "旧", by_stamps.now - HOUR)
    department.execute("insert into rows values ('A', '新', ?, '0')", changing.local(by_stamps.now))

    commit = by_stamps.run()

    assert (commit.read, commit.inserted, commit.superseded) == (2, 1, 1)
    assert by_stamps.table() == {"A": "新"}


def test_a_row_that_goes_between_the_rows_and_the_keys_is_gone(department, by_stamps, monkeypatch):
    department.write("A", "甲", by_stamps.now)
    department.write("B", "乙", by_stamps.now)
    by_stamps.run()
    changes = sys.modules["yishu.pipeline.changes"]
    land_keys = changes._land_keys

    def delete_first(*args):
        department.delete("B")
        return land_keys(*args)

    department.write("B", "新乙", by_stamps.now)
    monkeypatch.setattr(changes, "_land_keys", delete_first)
    commit = by_stamps.run()

    assert (commit.deleted, commit.superseded, commit.unchanged) == (1, 1, 1)
    assert by_stamps.table() == {"A": "甲"}


def test_a_quarantined_row_leaves_what_was_published(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    department.write("B", "乙", by_stamps.now)
    by_stamps.run()
    department.write("A", None, by_stamps.now)

    commit = by_stamps.run()

    assert (commit.read, commit.quarantined, commit.unchanged, commit.rows) == (2, 1, 1, 2)
    assert by_stamps.table() == {"A": "甲", "B": "乙"}


def test_one_bad_row_alone_does_not_close_the_gate_of_a_large_table(department, bureau_of):
    bureau = bureau_of(changing.INCREMENTAL, quality={"max_quarantined_share": 0.2})
    for number in range(10):
        department.write(f"K{number}", "甲", bureau.now - 10 * HOUR)
    department.write("LAST", "甲", bureau.now)
    bureau.run()
    department.write("LAST", None, bureau.now)

    assert bureau.run().quarantined == 1


def test_tombstones_delete_and_rows_that_come_back_are_there_again(department, bureau_of):
    source = changing.INCREMENTAL | {"tombstone": {"column": "is_deleted", "values": ["1"]}}
    bureau = bureau_of(source | {"reconcile_hours": None})
    department.write("A", "甲", bureau.now)
    department.write("B", "乙", bureau.now)
    bureau.run()
    department.execute("update rows set is_deleted = '1' where id = 'A'")

    commit = bureau.run()

    assert (commit.read, commit.unchanged, commit.removals, commit.deleted) == (1, 1, 1, 1)
    assert bureau.table() == {"B": "乙"}
    department.execute("update rows set is_deleted = '0' where id = 'A'")
    bureau.run()
    assert bureau.table() == {"A": "甲", "B": "乙"}


def test_a_full_pull_leaves_tombstones_out(department, bureau_of):
    bureau = bureau_of({"tombstone": {"column": "is_deleted", "values": ["1"]}})
    department.write("A", "甲", bureau.now)
    department.write("B", "乙", bureau.now)
    bureau.run()
    department.execute("update rows set is_deleted = '1' where id = 'A'")

    commit = bureau.run()

    assert (commit.read, commit.removals, commit.deleted) == (1, 1, 1)
    assert bureau.table() == {"B": "乙"}


def test_keys_are_compared_on_their_own_slower_cycle(department, bureau_of):
    bureau = bureau_of(changing.INCREMENTAL | {"reconcile_hours": 24})
    department.write("A", "甲", bureau.now)
    department.write("B", "乙", bureau.now)
    bureau.run()
    department.delete("A")

    bureau.now += 23 * HOUR
    assert (bureau.pull().keys, bureau.publish().deleted) == (None, 0)
    bureau.now += HOUR
    assert (bureau.pull().keys, bureau.publish().deleted) == (1, 1)
    bureau.now += HOUR
    assert bureau.pull().keys is None


def test_keys_that_no_stamp_told_of_make_the_pull_read_everything(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    by_stamps.run()
    department.write("OLD", "乙", by_stamps.now - 1000 * HOUR)

    receipt = by_stamps.pull()

    assert (receipt.since, receipt.rows, receipt.is_part) == (None, 2, False)
    by_stamps.publish()
    assert by_stamps.table() == department.rows()


def test_a_row_that_can_never_be_published_is_not_read_in_full_for_ever(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    department.write("BAD", None, by_stamps.now - 1000 * HOUR)
    ways = []
    for _ in range(4):
        ways.append(by_stamps.pull().is_part)
        by_stamps.publish()
        by_stamps.now += HOUR
    assert ways == [False, False, True, True]


def test_a_source_whose_keys_are_all_gone_is_refused(department, bureau_of):
    bureau = bureau_of(changing.INCREMENTAL, quality={"allow_empty": False})
    department.write("A", "甲", bureau.now)
    bureau.run()
    department.delete("A")

    with pytest.raises(EmptySource):
        bureau.pull()

    assert bureau.table() == {"A": "甲"}


def test_the_last_change_of_a_key_counts(department, by_log):
    department.log(1, "I", "A", "甲", by_log.now, 1)
    department.log(1, "U", "A", "新甲", by_log.now, 2)
    department.log(1, "I", "B", "乙", by_log.now, 3)
    department.log(1, "D", "B", None, by_log.now, 4)

    commit = by_log.run()

    assert (commit.read, commit.inserted, commit.superseded, commit.removals) == (3, 1, 2, 1)
    assert by_log.table() == {"A": "新甲"}


def test_a_batch_that_appears_late_does_not_undo_a_later_one(department, bureau_of):
    bureau = bureau_of(changing.LOG | {"change_log": {"sequence": "seq", "overlap": 5}})
    department.log(7, "I", "A", "第七批", bureau.now, 1)
    bureau.run()
    department.log(4, "I", "A", "第四批", bureau.now, 1)
    department.log(4, "I", "B", "第四批", bureau.now, 2)

    bureau.run()

    assert bureau.table() == {"A": "第七批", "B": "第四批"}


def test_changes_that_nobody_can_order_are_set_aside(department, bureau_of):
    bureau = bureau_of(changing.LOG | {"change_log": {}})
    department.log(1, "I", "A", "甲")
    department.log(1, "I", "B", "乙")
    bureau.run()
    department.log(2, "U", "A", "这个")
    department.log(2, "U", "A", "那个")
    department.log(2, "U", "B", "新乙")
    department.log(2, "U", "B", "新乙")

    commit = bureau.run()

    assert failed_checks(bureau) == {"changes.order.unique": 2}
    assert bureau.table() == {"A": "甲", "B": "新乙"}
    assert (commit.quarantined, commit.updated) == (2, 1)


def test_changes_without_batch_time_operation_or_key_are_set_aside(department, by_log):
    department.log(1, "I", "A", "甲", by_log.now, 1)
    department.log(None, "I", "B", "乙", by_log.now, 2)
    department.log(1, "X", "C", "丙", by_log.now, 3)
    department.log(1, "I", "D", "丁", "某时", 4)
    department.log(1, "I", None, "无", by_log.now, 5)
    department.log(1, "D", None, None, by_log.now, 6)
    department.log(1, "I", "E", "戊", by_log.now, None)

    commit = by_log.run()

    assert (commit.read, commit.inserted, commit.quarantined) == (7, 1, 6)
    assert failed_checks(by_log) == {
        "changes.batch.present": 1,
        "changes.operation.code_list": 1,
        "changes.time.present": 1,
        "changes.key.present": 1,
        "changes.sequence.present": 1,
        "id.present": 1,
        "id.unique": 1,
    }


def test_the_quarantine_keeps_the_columns_that_tell_changes(department, by_log):
    department.log("x", "I", "A", "甲", by_log.now, 1)
    by_log.run()
    folder = run_folder(by_log.folder, changing.ENTRY, "r1")
    [row] = pq.read_table(folder.quarantined).to_pylist()
    assert (row["id"], row["_batch"], row["_operation"], row["_row"]) == ("A", "x", "I", 0)


def test_a_missing_stamp_column_is_drift(department, by_stamps):
    department.execute("alter table rows drop column updated_at")
    with pytest.raises(SchemaDrift, match="updated_at"):
        by_stamps.pull()


def test_a_new_version_of_the_entry_begins_with_everything(department, by_stamps, bureau_of):
    department.write("A", "甲", by_stamps.now - 100 * HOUR)
    department.write("B", "乙", by_stamps.now)
    by_stamps.run()
    by_stamps.entry = changing.entry_of(changing.INCREMENTAL, version=2)

    receipt = by_stamps.pull()

    assert (receipt.since, receipt.rows) == (None, 2)
    by_stamps.publish()
    assert published(by_stamps.library, by_stamps.entry).position.entry_version == 2


def test_the_position_is_in_the_commit_of_its_rows(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    by_stamps.run()
    by_stamps.now += HOUR
    department.write("A", "甲", by_stamps.now)

    commit = by_stamps.run()

    assert (commit.unchanged, commit.version) == (1, 1)
    assert [one.run_id for one in commits(by_stamps.library, TABLE)] == ["r2", "r1"]
    position = published(by_stamps.library, by_stamps.entry).position
    assert json.loads(position.to_json())["reached"] == "2026-05-01T05:00:00+00:00"


def test_keys_are_not_kept_longer_than_they_are_needed(department, by_stamps):
    department.write("A", "甲", by_stamps.now)
    by_stamps.run()
    by_stamps.run()
    assert not list(by_stamps.folder.rglob("keys.parquet"))
    assert not list(by_stamps.folder.rglob("gone.parquet"))


LIMITS = {
    "moments": ("timestamp", 60, "2026-05-01T00:01:00+00:00", "2026-05-01T00:00:00+00:00"),
    "days": ("date", 2, "2026-05-03", "2026-05-01"),
    "numbers": ("integer", 5, "12", "7"),
}


@pytest.mark.parametrize(("kind", "overlap", "reached", "since"), LIMITS.values(), ids=LIMITS)
def test_the_overlap_is_counted_in_the_unit_of_the_stamp(kind, overlap, reached, since):
    stamps = {"column": "updated_at", "type": kind, "overlap": overlap}
    entry = changing.entry_of(changing.INCREMENTAL | {"watermark": stamps})
    found = lower_bound(entry.source, reached)
    assert (str(found) if kind == "integer" else found.isoformat()) == since
