"""What a task process does: call the pipeline, with the world handed in.

Only here are credentials taken from Airflow, and only here does an error that time cannot mend
become Airflow's "do not retry". What goes back to Airflow is a small plain record. The pipeline is
imported when a task runs and never when a DAG is parsed, since it brings heavy libraries.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from catalog.errors import YishuError
from yishu.orchestration import metrics, naming, release

if TYPE_CHECKING:
    from yishu.pipeline import PipelineContext
    from yishu.pipeline.rows import Batch

logger = logging.getLogger(__name__)

Record = dict[str, Any]
"""A stage's result as plain JSON; it travels through XCom."""

_BY_TIME = "scheduled"
"""Airflow's type of a run that its timetable asked for, and not a publication or a person."""

_BY_ASSET = "asset_triggered"
"""Airflow's type of a run that followed from publications."""

_BACKFILL = "backfill"
"""Airflow's type of a run that fills in a past date of the timetable."""


def pull(
    entry_id: str, run_id: str, dag_run: Any = None, params: Mapping[str, Any] | None = None
) -> Record:
    """Bring an entry's catalogued columns from its department system into landing.

    In the system's closed hours the run is skipped and not failed: the next scheduled one pulls.
    A run of Airflow's own back-fill brings the part of the history that its date stands for, a run
    by hand what its parameters bound.
    """
    from yishu.pipeline import run_pull  # noqa: PLC0415
    from yishu.pipeline.errors import OutsideWindow  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        ctx = _context(connect_for=entry_id)
        try:
            batch = _batch(entry_id, dag_run, params, ctx)
            record = run_pull(entry_id, _own_run(run_id, dag_run), ctx, batch=batch)
        except OutsideWindow as error:
            raise AirflowSkipException(str(error)) from error
    metrics.tell_stage("pull", entry_id, record)
    return record


def _batch(
    entry_id: str, dag_run: Any, params: Mapping[str, Any] | None, ctx: "PipelineContext"
) -> "Batch":
    from yishu.pipeline.backfill import batch_of  # noqa: PLC0415
    from yishu.pipeline.rows import Batch  # noqa: PLC0415

    if _is_backfill(dag_run):
        entry = ctx.release.entry(entry_id)
        return batch_of(entry, dag_run.logical_date, entry.update_cycle.freshness)
    asked = params or {}
    return Batch(asked.get("since") or None, asked.get("until") or None)


def _is_backfill(dag_run: Any) -> bool:
    return dag_run is not None and dag_run.run_type == _BACKFILL


def _own_run(run_id: str, dag_run: Any) -> str:
    """The run's name in the pipeline.

    Airflow fills a date in that already ran under the name that it had; what that run landed and
    published is on record and stays, so the new one has a name of its own.
    """
    if not _is_backfill(dag_run):
        return run_id
    return f"{run_id}__backfill_{dag_run.start_date:%Y%m%dT%H%M%S}"


def _run_of_pull(run_id: str, dag_run: Any, ti: Any) -> str:
    """The name under which this run's pull went, whenever that was."""
    return str(ti.xcom_pull(task_ids="pull")["run_id"]) if _is_backfill(dag_run) else run_id


def validate(entry_id: str, run_id: str, dag_run: Any = None, ti: Any = None) -> Record:
    """Check an entry's landed rows and set the failing ones aside."""
    from yishu.pipeline import run_validate  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        record = run_validate(entry_id, _run_of_pull(run_id, dag_run, ti), _context())
    metrics.tell_stage("validate", entry_id, record)
    return record


def publish(
    entry_id: str,
    run_id: str,
    outlets: list[Any],
    outlet_events: Mapping[Any, Any],
    *,
    dag_run: Any = None,
    ti: Any = None,
) -> Record:
    """Publish an entry's validated rows as one version of its unified table."""
    from yishu.pipeline import run_publish  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        record = run_publish(entry_id, _run_of_pull(run_id, dag_run, ti), _context())
    metrics.tell_stage("publish", entry_id, record)
    _tell_followers(outlets, outlet_events, record)
    return record


def build_subject(
    subject_id: str,
    run_id: str,
    dag_run: Any,
    outlets: list[Any],
    outlet_events: Mapping[Any, Any],
) -> Record:
    """Build a subject table from the published entries.

    A run by time takes what is there, since it is the promise of "at the latest". When an entry
    that the subject needs is still to come, the run is skipped: that entry's own publication
    starts the next one, and a retry would only wait in its way.
    """
    from yishu.library.errors import SubjectNotReady  # noqa: PLC0415
    from yishu.pipeline import run_subject  # noqa: PLC0415

    try:
        with permanent_errors_fail_at_once():
            is_due = dag_run.run_type == _BY_TIME
            record = run_subject(subject_id, run_id, _context(), is_due=is_due)
    except SubjectNotReady as error:
        raise AirflowSkipException(str(error)) from error
    _tell_followers(outlets, outlet_events, record)
    return record


def release_library(run_id: str, dag_run: Any) -> Record:
    """Let readers see the newest version of every subject together.

    Before any subject is published there is nothing to do. A run by publications that finds links
    still leading nowhere is skipped, since the rest is on its way; the daily one and one by hand
    fail, and say which links.
    """
    from yishu.library.errors import SubjectGateClosed, SubjectNotReady  # noqa: PLC0415
    from yishu.pipeline.releases import release_library as release_newest  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        try:
            return release_newest(run_id, _context())
        except SubjectNotReady as error:
            raise AirflowSkipException(str(error)) from error
        except SubjectGateClosed as error:
            if dag_run.run_type != _BY_ASSET:
                raise
            raise AirflowSkipException(str(error)) from error


def maintain() -> Record:
    """Compact, vacuum, purge what is past its retention, compare library and ledger, release.

    What was published past the scheduler fails nothing here: it is put on record and returned.
    """
    from yishu.orchestration.upkeep import write_release_of_today  # noqa: PLC0415
    from yishu.pipeline import run_maintenance  # noqa: PLC0415
    from yishu.pipeline.reconcile import record_side_channels  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        ctx = _context()
        done = run_maintenance(ctx)
        found = [asdict(one) for one in record_side_channels(ctx)]
        release = write_release_of_today(ctx)
    return {**done, "side_channels": found, "release": release}


def alarm() -> Record:
    """Tell of overdue data, end runs that were killed for good, tell ages, seal the journal."""
    from yishu.governance.freshness import delays  # noqa: PLC0415
    from yishu.orchestration.upkeep import seal_journal  # noqa: PLC0415
    from yishu.pipeline.abandoned import end_abandoned_runs  # noqa: PLC0415
    from yishu.pipeline.alarm import tell_failed, tell_overdue  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        ctx = _context()
        ended = [{"run_id": run.run_id, "of": run.object_id} for run in end_abandoned_runs(ctx)]
        for run in ended:
            tell_failed(run["of"], run["run_id"], ctx)
        overdue = [one.entry_id for one in tell_overdue(ctx)]
        deliveries, now = ctx.ledger.deliveries(), ctx.clock()
        with ctx.engine.connect() as connection:
            slow = delays(connection, ctx.release.entries)
        sealed = seal_journal(ctx)
    lags = {id_: (now - last.pulled_at).total_seconds() for id_, last in deliveries.items()}
    measured = {one.entry_id: one.delay.total_seconds() for one in slow if one.is_measured}
    metrics.tell_ages(lags, measured, len(overdue))
    return {"overdue": overdue, "abandoned": ended, "sealed": sealed}


def tell_failure(context: Mapping[str, Any]) -> None:
    """Called by Airflow when a task of an entry's run has failed for good: tell who has to know."""
    from yishu.pipeline.alarm import tell_failed  # noqa: PLC0415

    instance = context["ti"]
    entry_id = naming.entry_of(instance.dag_id)
    if entry_id is None:
        return
    run_id = _own_run(instance.run_id, context.get("dag_run"))
    metrics.tell_failure(instance.task_id, entry_id)
    tell_failed(entry_id, run_id, _context())


@contextmanager
def permanent_errors_fail_at_once() -> Iterator[None]:
    """Turn an error that a retry cannot mend into one that Airflow does not retry.

    Raises:
        AirflowFailException: a ``YishuError`` whose class does not say ``retryable``.
    """
    try:
        yield
    except YishuError as error:
        if error.retryable:
            logger.warning("Will be tried again: %s", error)
            raise
        raise AirflowFailException(str(error)) from error


def _context(*, connect_for: str | None = None) -> "PipelineContext":
    from yishu.embedded import ledger_url  # noqa: PLC0415
    from yishu.pipeline import PipelineContext  # noqa: PLC0415

    settings, current = release.settings_and_release()
    connections = {}
    # What is not in the catalog or has no connection is refused, and recorded, by the pipeline.
    if connect_for is not None and connect_for in current.entries:
        from yishu.orchestration.connections import connection_of  # noqa: PLC0415

        connection = connection_of(current.entry(connect_for).source)
        if connection is not None:
            connections[connection.id] = connection
    return PipelineContext(
        settings=settings,
        release=current,
        ledger_url=ledger_url(settings),
        connections=connections,
        clock=lambda: datetime.now(UTC),
    )


def _tell_followers(outlets: list[Any], outlet_events: Mapping[Any, Any], record: Record) -> None:
    # What a subject's run shows as its cause: which version of which table, by which run.
    told = ("version", "rows", "run_id")
    for asset in outlets:
        outlet_events[asset].extra.update({key: record[key] for key in told if key in record})
