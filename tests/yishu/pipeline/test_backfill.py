"""History in counted batches that can be done again, and pulls by changes that are killed."""

import importlib.util
import multiprocessing
import runpy
import shutil
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from yishu.pipeline import PipelineContext
from yishu.pipeline.backfill import batch_of, bounds_between, run_backfill
from yishu.pipeline.errors import BoundsOutOfOrder
from yishu.pipeline.rows import Batch
from yishu.settings import Settings

HERE = Path(__file__).parent
_SPEC = importlib.util.spec_from_file_location("changing", HERE / "changing.py")
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

HOUR = timedelta(hours=1)
FILES = [
    *("data.parquet", "keys.parquet", "receipt.json", "rows.parquet"),
    *("verdict.json", "gone.parquet", "published.json"),
]
"""Every file that a pull by changes puts in place, in order."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["great_expectations", "yishu.pipeline.run"])


@pytest.fixture
def department(tmp_path):
    department = changing.Department(tmp_path / "department")
    for hours in range(1, 7):
        department.write(f"K{hours}", "甲", changing.NOON - hours * HOUR)
    return department


@pytest.fixture
def world_of(tmp_path, department, fresh_ledger):

    def make(source):
        release = changing.release_of(changing.entry_of(source))
        settings = Settings(var_dir=tmp_path / "var")
        return PipelineContext(
            settings, release, fresh_ledger, {"db": department.connection}, lambda: changing.NOON
        )

    return make


def bounds(*hours):
    return [(changing.NOON - number * HOUR).isoformat() for number in hours]


def counts(batches):
    return [(one["read"], one["inserted"], one["unchanged"], one["rows"]) for one in batches]


@pytest.mark.requirement("COL-09")
def test_history_is_loaded_in_batches_whose_counts_add_up(world_of, department):
    ctx = world_of(changing.INCREMENTAL)

    done = run_backfill(changing.ENTRY, "history", bounds(4, 2, 0), ctx)

    # Each batch after the first reads the overlap of an hour again: two stamps.
    assert counts(done) == [(2, 2, 0, 2), (4, 2, 2, 4), (4, 2, 2, 6)]
    assert [one["run_id"] for one in done] == [f"history.000{n}" for n in (1, 2, 3)]
    first = ctx.ledger.receipt("history.0001", changing.ENTRY)
    assert (first.mode, first.since, first.reached) == (
        "incremental",
        None,
        "2026-04-30T23:00:00+00:00",
    )


@pytest.mark.requirement("COL-09")
def test_a_back_fill_that_is_done_again_or_goes_on_loses_and_doubles_nothing(world_of):
    ctx = world_of(changing.INCREMENTAL)
    first = run_backfill(changing.ENTRY, "history", bounds(4, 2), ctx)

    again = run_backfill(changing.ENTRY, "history", bounds(4, 2, 0), ctx)

    assert again[:2] == first
    assert again[2]["rows"] == 6


BY_DAY = {"mode": "incremental", "watermark": {"column": "d", "type": "date", "overlap": 1}}


@pytest.mark.parametrize(
    ("source", "asked", "expected"),
    [
        (BY_DAY, ("2024-01-31", "2024-03-31", "month"), ["2024-02-29", "2024-03-31"]),
        (BY_DAY, ("2024-01-01", "2024-01-10", "week"), ["2024-01-08", "2024-01-10"]),
        (
            changing.INCREMENTAL,
            ("2024-01-01", "2026-01-01", "year"),
            ["2024-12-31T16:00:00+00:00", "2025-12-31T16:00:00+00:00"],
        ),
        (changing.LOG, ("0", "25", "10"), ["10", "20", "25"]),
    ],
)
def test_batches_are_cut_in_the_unit_of_the_stamp(source, asked, expected):
    assert bounds_between(changing.entry_of(source), *asked) == expected


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        (BY_DAY, ("2024-01-01", "2024-01-01", "day")),
        (BY_DAY, ("2024-01-01", "2025-01-01", "fortnight")),
        (BY_DAY, ("1", "9", "day")),
        (changing.LOG, ("0", "10", "0")),
        (changing.LOG, ("0", "10", "month")),
        (changing.LOG, ("0", "1000000", "1")),
        ({}, ("2024-01-01", "2025-01-01", "year")),
    ],
)
def test_a_range_that_no_batches_can_be_cut_from_is_refused(source, asked):
    with pytest.raises(BoundsOutOfOrder):
        bounds_between(changing.entry_of(source), *asked)


def test_a_scheduled_date_bounds_a_batch_by_stamps_and_no_numbers():
    moment, day = datetime(2024, 3, 1, 17, 30, tzinfo=UTC), timedelta(days=1)

    by_stamps = batch_of(changing.entry_of(changing.INCREMENTAL), moment, day)
    by_day = batch_of(changing.entry_of(BY_DAY), moment, day)

    assert by_stamps == Batch("2024-02-29T17:30:00+00:00", "2024-03-01T17:30:00+00:00")
    assert by_day == Batch("2024-03-01", "2024-03-02"), "the day in Beijing"
    with pytest.raises(BoundsOutOfOrder, match="numbers"):
        batch_of(changing.entry_of(changing.LOG), moment, day)


@pytest.mark.parametrize("wrong", [[], bounds(2, 4), ["yesterday"], ["7"]])
def test_bounds_that_do_not_follow_each_other_are_refused(world_of, wrong):
    with pytest.raises(BoundsOutOfOrder):
        run_backfill(changing.ENTRY, "history", wrong, world_of(changing.INCREMENTAL))


def test_an_entry_that_is_pulled_as_a_whole_has_no_batches(world_of):
    with pytest.raises(BoundsOutOfOrder, match="mode full"):
        run_backfill(changing.ENTRY, "history", bounds(2), world_of({}))


@pytest.mark.slow
def test_killed_at_each_step_a_pull_by_changes_comes_to_the_same(tmp_path, department):
    """Killed just before any file is in place, then done again: same content, same counts."""
    entry = changing.entry_of(changing.INCREMENTAL)
    start = changing.Bureau(tmp_path / "start", department, entry)
    start.run()
    department.delete("K1")
    department.write("K2", "乙", changing.NOON + HOUR)
    department.write("NEW", "丙", changing.NOON + HOUR)
    outcomes = {}
    for file in ["", *FILES]:
        bureau = changing.Bureau(tmp_path / f"before-{file}", department, entry)
        shutil.copytree(start.folder, bureau.folder)
        task = {
            "tests": str(HERE),
            "department": str(department.path),
            "bureau": str(bureau.folder),
            "now": (changing.NOON + 2 * HOUR).isoformat(),
            "run_id": "killed",
        }
        if file:
            assert _exit_code(task | {"kill_before": file}) == -signal.SIGKILL, file
        assert _exit_code(task) == 0, file
        leftovers = [path.name for path in bureau.folder.rglob("*.partial")]
        outcomes[file] = (bureau.table(), bureau.origin(), bureau.digest(), leftovers)

    assert outcomes[""][0] == department.rows()
    assert outcomes == dict.fromkeys(outcomes, outcomes[""])


def _exit_code(task):
    script = HERE / "killable_changes.py"
    process = FORKS.Process(target=runpy.run_path, args=(str(script), {"task": task}))
    process.start()
    process.join(120)
    return process.exitcode
