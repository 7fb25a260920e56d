"""Runs whose process is killed for good: found by their silence, ended on record, begun again."""

import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from yishu.ledger import RunState, Stage
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate
from yishu.pipeline.abandoned import abandoned_runs, end_abandoned_runs, under_way
from yishu.settings import Settings

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def ctx(tmp_path, fresh_ledger):
    """A world whose clock is real: locks and files live by the machine's time."""
    department = changing.Department(tmp_path / "department")
    department.write("A", "甲", changing.NOON)
    release = changing.release_of(changing.entry_of({}))
    settings = Settings(var_dir=tmp_path / "var")
    connections = {"db": department.connection}
    return PipelineContext(settings, release, fresh_ledger, connections, lambda: datetime.now(UTC))


def later(ctx, **more):
    at = datetime.now(UTC) + timedelta(**more)
    return replace(ctx, clock=lambda: at)


def _stay_in_a_stage(var_dir, ready):
    with under_way(var_dir, changing.ENTRY, "killed"):
        ready.set()
        time.sleep(600)


@pytest.fixture
def killed(ctx):
    """A run that pulled, and whose validation is under way in a process; that process."""
    run_pull(changing.ENTRY, "killed", ctx)
    ready = FORK.Event()
    process = FORK.Process(target=_stay_in_a_stage, args=(ctx.settings.var_dir, ready))
    process.start()
    assert ready.wait(30)
    yield process
    process.kill()
    process.join()


def test_a_run_whose_stage_is_under_way_is_not_abandoned_however_long_it_takes(ctx, killed):
    assert abandoned_runs(later(ctx, days=3)) == []


def test_a_killed_run_is_given_time_for_a_retry_and_then_ended(ctx, killed):
    os.kill(killed.pid, signal.SIGKILL)
    killed.join()

    assert abandoned_runs(later(ctx, hours=1)) == []
    ended = end_abandoned_runs(later(ctx, hours=7))

    assert [run.run_id for run in ended] == ["killed"]
    run = ctx.ledger.run("killed", changing.ENTRY)
    assert (run.state, run.stage) == (RunState.FAILED, Stage.VALIDATE)
    assert run.error_code == "RUN_ABANDONED"
    assert changing.ENTRY in run.error_message
    assert end_abandoned_runs(later(ctx, hours=7)) == []


def test_an_ended_run_goes_on_where_it_was_when_it_is_begun_again(ctx, killed):
    os.kill(killed.pid, signal.SIGKILL)
    killed.join()
    end_abandoned_runs(later(ctx, hours=7))

    for stage in (run_pull, run_validate, run_publish):
        stage(changing.ENTRY, "killed", ctx)

    assert ctx.ledger.run("killed", changing.ENTRY).state is RunState.SUCCEEDED
    assert list((ctx.settings.var_dir / "run" / "stages").iterdir()) == []


def test_a_run_that_ended_is_not_looked_at(ctx):
    for stage in (run_pull, run_validate, run_publish):
        stage(changing.ENTRY, "whole", ctx)

    assert abandoned_runs(later(ctx, days=30)) == []
