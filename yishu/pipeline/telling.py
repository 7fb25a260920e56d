"""Tell ledger and lineage that a stage began, ended, or failed and why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openlineage.client.event_v2 import RunEvent

from yishu.ledger.facts import RunFinished, RunKind, RunStarted, RunState, Stage
from yishu.lineage import Moment
from yishu.lineage import RunState as EventType
from yishu.pipeline.abandoned import under_way
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.errors import QualityGateClosed, VolumeSuspect


@dataclass
class Outcome:
    """What the stage fills in for its closing lineage event: ``rows``, ``published``, ..."""

    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StageRun:
    """One stage of one run, as it is told.

    Attributes:
        event: Builds the lineage event of a type at a moment, with the facts of its outcome.
        version: Version of the catalog entry; None for subjects.
    """

    object_id: str
    run_id: str
    kind: RunKind
    stage: Stage
    event: Callable[..., RunEvent]
    version: int | None = None


@contextmanager
def told(run: StageRun, ctx: PipelineContext) -> Iterator[Outcome]:
    """Tell the beginning, then the end or the failure of what happens inside."""
    began = ctx.clock()
    ctx.ledger.record_run_started(
        RunStarted(run.run_id, run.object_id, run.kind, ctx.release.id, began, run.version)
    )
    ctx.lineage.emit(run.event(EventType.START, _moment(run, ctx, began)))
    outcome = Outcome()
    try:
        with under_way(ctx.settings.var_dir, run.object_id, run.run_id):
            yield outcome
    except BaseException as error:
        # Airflow's time-outs and an operator's Ctrl-C are no Exception, and end a run all the same.
        _tell_failure(run, ctx, error)
        raise
    ctx.lineage.emit(run.event(EventType.COMPLETE, _moment(run, ctx, ctx.clock()), **outcome.facts))


def _tell_failure(run: StageRun, ctx: PipelineContext, error: BaseException) -> None:
    now = ctx.clock()
    blocked = isinstance(error, QualityGateClosed | VolumeSuspect)
    ctx.ledger.record_run_finished(
        RunFinished.by_error(
            error,
            run_id=run.run_id,
            object_id=run.object_id,
            stage=run.stage,
            at=now,
            state=RunState.BLOCKED if blocked else RunState.FAILED,
        )
    )
    ctx.lineage.emit(run.event(EventType.FAIL, _moment(run, ctx, now), error=error))


def _moment(run: StageRun, ctx: PipelineContext, at: datetime) -> Moment:
    return Moment(run.run_id, at, release_id=ctx.release.id)
