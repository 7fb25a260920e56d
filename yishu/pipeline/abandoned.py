"""Runs whose process was killed for good: found by their silence, and ended on record.

A process that is killed tells nobody. So every stage holds a lock as long as it runs, which the
system frees however the process ends. A run that the ledger calls running, with no stage under way
and without a sign of life for hours, is abandoned: a retry would have come by then.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from yishu.ledger.facts import RunFinished, RunKind, RunState, Stage
from yishu.ledger.rows import RunRow
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.delivery import RECEIPT
from yishu.pipeline.errors import RunAbandoned
from yishu.pipeline.pull import VERDICT
from yishu.pipeline.store import run_folder

SILENT_FOR = timedelta(hours=6)
"""Longer than any pause between two stages or two attempts: Airflow tries again within half an
hour, and a task waits for a slot of its pool hardly longer than the pulls before it take."""


@contextmanager
def under_way(var_dir: Path, object_id: str, run_id: str) -> Iterator[None]:
    """Around a stage: while it lasts, its run is not abandoned."""
    mark = _mark(var_dir, object_id, run_id)
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Shared: two processes that do the same stage are another guard's business.
        fcntl.flock(handle, fcntl.LOCK_SH)
        os.utime(handle)
        yield
    finally:
        mark.unlink(missing_ok=True)
        os.close(handle)


def abandoned_runs(ctx: PipelineContext) -> list[RunRow]:
    """Runs that are running on record, and that no process will ever finish, oldest first."""
    silent_since = ctx.clock() - SILENT_FOR
    return [
        run
        for run in ctx.ledger.running_runs()
        if _last_sign(run, ctx.settings.var_dir) < silent_since
        and not _is_held(_mark(ctx.settings.var_dir, run.object_id, run.run_id))
    ]


def end_abandoned_runs(ctx: PipelineContext) -> list[RunRow]:
    """Put on record that abandoned runs have failed; those runs.

    What they published stays, what they landed goes with its retention. Begun again under its name,
    such a run goes on where it was.
    """
    found = abandoned_runs(ctx)
    for run in found:
        error = RunAbandoned(
            run.object_id,
            found=f"run {run.run_id}, begun {run.started_at:%Y-%m-%d %H:%M} UTC, without a sign of "
            f"life for {SILENT_FOR.total_seconds() / 3600:.0f} hours",
            expected="a run that ends, well or not",
            remedy=f"see why its process was killed (memory, disk, reboot), then pull "
            f"{run.object_id} again; the library holds what was published before",
        )
        ctx.ledger.record_run_finished(
            RunFinished.by_error(
                error,
                run_id=run.run_id,
                object_id=run.object_id,
                stage=_stage(run, ctx.settings.var_dir),
                at=ctx.clock(),
                state=RunState.FAILED,
            )
        )
        _mark(ctx.settings.var_dir, run.object_id, run.run_id).unlink(missing_ok=True)
    return found


def _mark(var_dir: Path, object_id: str, run_id: str) -> Path:
    name = hashlib.sha256(f"{object_id}\n{run_id}".encode()).hexdigest()[:32]
    return var_dir / "run" / "stages" / f"{name}.lock"


def _is_held(mark: Path) -> bool:
    try:
        handle = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _last_sign(run: RunRow, var_dir: Path) -> datetime:
    """When a run last did something: began, entered a stage, or left a file."""
    paths = [_mark(var_dir, run.object_id, run.run_id)]
    if run.kind is RunKind.ENTRY:
        paths += run_folder(var_dir, run.object_id, run.run_id).landing.glob("*")
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return max([run.started_at, *(datetime.fromtimestamp(time, UTC) for time in times)])


def _stage(run: RunRow, var_dir: Path) -> Stage:
    """The stage that a run did not finish, by the records of those before it."""
    if run.kind is RunKind.SUBJECT:
        return Stage.SUBJECT
    folder = run_folder(var_dir, run.object_id, run.run_id)
    if folder.has(VERDICT):
        return Stage.PUBLISH
    return Stage.VALIDATE if folder.has(RECEIPT) else Stage.PULL
