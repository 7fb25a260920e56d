"""The DAGs, built in memory from the current release: nothing is generated, nothing is typed.

A task process parses its DAG file again, so there only the asked DAG is built. Parsing reads the
release file and nothing else: no database, no connection, no heavy library.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetAll,
    AssetAny,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    Param,
    chain,
    get_parsing_context,
)
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from catalog.model import CatalogEntry, CatalogView, Subject
from catalog.vocabulary import LateDepartment, UpdateCycle
from yishu.orchestration import describe, naming, supervision, tasks
from yishu.orchestration.arrival import ArriveOperator

RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=2),
}
"""A source that is down is asked again after 1, 2 and 4 minutes. Errors that time cannot mend
fail at once (see ``tasks``)."""

MAINTENANCE_CRON = "30 3 * * *"
"""After the night's pulls (01:30), before office hours; Asia/Shanghai."""

RELEASE_CRON = "0 6 * * *"
"""After the night's pulls and the maintenance, before office hours; Asia/Shanghai."""

ALARMS_CRON = "5 * * * *"
"""Data may be overdue at any hour, since some are pulled every ten minutes."""


SUPERVISION_CRON = "0 8 * * *"
"""Before offices open, so that the day begins with what is due; Asia/Shanghai."""

HOURLY_CRON = "10 * * * *"

LATEST_SWEEP = timedelta(hours=1)
"""A sweep that has not ended by then is late itself."""


def entry_dags(catalog: CatalogView) -> Iterator[DAG]:
    """One DAG for each published entry, or only the asked one in a task process."""
    asked = get_parsing_context().dag_id
    if asked is None:
        for entry in catalog.entries.values():
            yield entry_dag(entry, catalog)
    elif naming.entry_of(asked) in catalog.entries:
        yield entry_dag(catalog.entries[asked], catalog)


def subject_dags(catalog: CatalogView) -> Iterator[DAG]:
    """One DAG for each subject that has a published source, or only the asked one."""
    asked = get_parsing_context().dag_id
    only = naming.subject_of(asked) if asked else None
    if asked and only is None:
        return
    for subject_id, sources in naming.contributors(catalog).items():
        if sources and only in (None, subject_id):
            yield subject_dag(catalog.subjects[subject_id], sources, catalog)


def entry_dag(entry: CatalogEntry, catalog: CatalogView) -> DAG:
    """Pull, validate and publish one entry by its update cycle.

    An entry with an arrival rule first waits for its next delivery.
    """
    with DAG(
        dag_id=naming.entry_dag_id(entry.id),
        dag_display_name=f"{entry.id} {entry.name}",
        description=entry.summary,
        doc_md=describe.entry_doc(entry, catalog),
        schedule=_timetable(entry.update_cycle),
        tags=naming.entry_tags(entry, catalog),
        default_args={
            "owner": entry.provider_org,
            "on_failure_callback": tasks.tell_failure,
            **RETRIES,
        },
        **_history(entry),
        **COMMON,
    ) as dag:
        chain(
            *_wait(entry),
            _task("pull", tasks.pull, naming.system_pool(entry), entry_id=entry.id),
            _task("validate", tasks.validate, naming.LIBRARY_POOL, entry_id=entry.id),
            _task(
                "publish",
                tasks.publish,
                naming.LIBRARY_POOL,
                outlets=[unified_asset(entry)],
                entry_id=entry.id,
            ),
        )
    return dag


def subject_dag(subject: Subject, sources: tuple[str, ...], catalog: CatalogView) -> DAG:
    """Build one subject table when its sources have been published."""
    with DAG(
        dag_id=naming.subject_dag_id(subject.id),
        dag_display_name=f"{naming.subject_dag_id(subject.id)} {subject.name}",
        description=subject.meaning,
        doc_md=describe.subject_doc(subject, sources, catalog),
        schedule=_arrival(subject, [catalog.entries[entry_id] for entry_id in sources]),
        tags=naming.subject_tags(subject),
        default_args={"owner": naming.LIBRARY_OWNER, **RETRIES},
        **COMMON,
    ) as dag:
        _task(
            "build",
            tasks.build_subject,
            naming.LIBRARY_POOL,
            outlets=[subject_asset(subject.id)],
            subject_id=subject.id,
        )
    return dag


def release_dag(catalog: CatalogView, doc_md: str) -> DAG:
    """Release the library once every subject has been built, and every morning at the latest."""
    built = [name for name, sources in naming.contributors(catalog).items() if sources]
    at_the_latest = CronTriggerTimetable(RELEASE_CRON, timezone=naming.TIME_ZONE)
    assets = AssetAll(*map(subject_asset, built))
    schedule = AssetOrTimeSchedule(timetable=at_the_latest, assets=assets)
    with DAG(
        dag_id=naming.RELEASE_DAG_ID,
        description="What all subjects have become, visible at the same moment",
        doc_md=doc_md,
        schedule=schedule if built else at_the_latest,
        tags={naming.Stage.SUBJECT.value},
        default_args={"owner": naming.LIBRARY_OWNER, **RETRIES},
        **COMMON,
    ) as dag:
        _task("release", tasks.release_library, naming.LIBRARY_POOL)
    return dag


def maintenance_dag(doc_md: str) -> DAG:
    """Compaction, vacuum and retention, every night."""
    with DAG(
        dag_id=naming.MAINTENANCE_DAG_ID,
        description="Compaction, vacuum, retention",
        doc_md=doc_md,
        schedule=CronTriggerTimetable(MAINTENANCE_CRON, timezone=naming.TIME_ZONE),
        tags={naming.Stage.MAINTENANCE.value},
        default_args={"owner": naming.LIBRARY_OWNER, **RETRIES},
        **COMMON,
    ) as dag:
        _task("maintain", tasks.maintain, naming.LIBRARY_POOL)
    return dag


def alarms_dag(doc_md: str) -> DAG:
    """Overdue data and runs that were killed, every hour."""
    with DAG(
        dag_id=naming.ALARMS_DAG_ID,
        description="Overdue data, runs that were killed",
        doc_md=doc_md,
        schedule=CronTriggerTimetable(ALARMS_CRON, timezone=naming.TIME_ZONE),
        tags={naming.Stage.MAINTENANCE.value},
        default_args={"owner": naming.LIBRARY_OWNER, **RETRIES},
        **COMMON,
    ) as dag:
        _task("tell", tasks.alarm, naming.LIBRARY_POOL)
    return dag


def supervision_dags(doc_md: str) -> Iterator[DAG]:
    """The sweeps over all clocks; a sweep that is itself late is told."""
    daily, hourly = naming.SUPERVISION_DAG_IDS
    yield _supervision_dag(daily, SUPERVISION_CRON, doc_md, reminds=True)
    yield _supervision_dag(hourly, HOURLY_CRON, doc_md, reminds=False)


def _supervision_dag(dag_id: str, cron: str, doc_md: str, *, reminds: bool) -> DAG:
    late = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=LATEST_SWEEP,
        callback=SyncCallback(f"{supervision.__name__}.tell_late_sweep", {"dag_id": dag_id}),
    )
    with DAG(
        dag_id=dag_id,
        description="Clocks: cards, orders, reminders, notices",
        doc_md=doc_md,
        schedule=CronTriggerTimetable(cron, timezone=naming.TIME_ZONE),
        tags={naming.Stage.SUPERVISION.value},
        default_args={"owner": naming.LIBRARY_OWNER, **RETRIES},
        deadline=late,
        **COMMON,
    ) as dag:
        PythonOperator(
            task_id="sweep",
            python_callable=supervision.sweep,
            op_kwargs={"reminds": reminds},
            pool=naming.LIBRARY_POOL,
        )
        PythonOperator(
            task_id="deliver", python_callable=supervision.deliver, pool=naming.LIBRARY_POOL
        )
        chain(dag.get_task("sweep"), dag.get_task("deliver"))
    return dag


def unified_asset(entry: CatalogEntry) -> Asset:
    """The asset that an entry's publication updates; it carries the promise of freshness."""
    freshness = entry.update_cycle.freshness
    return Asset(
        name=f"unified/{entry.id}",
        uri=naming.unified_uri(entry.id),
        extra={
            "update_cycle": entry.update_cycle.value,
            "freshness_seconds": int(freshness.total_seconds()) if freshness else None,
        },
    )


def subject_asset(subject_id: str) -> Asset:
    """The asset that the building of a subject updates."""
    return Asset(name=f"subject/{subject_id}", uri=naming.subject_uri(subject_id))


COMMON: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "is_paused_upon_creation": False,
}
"""A pull brings the present state, so missed runs are not made up for, and two never overlap."""


def _history(entry: CatalogEntry) -> dict[str, Any]:
    """What a DAG lets a person do with the past: only changes can be pulled by dates.

    A full pull brings the present whatever the date, so Airflow refuses to back-fill one.
    """
    spec = entry.source
    if not (spec.watermark or spec.change_log):
        return {"allowed_run_types": ["scheduled", "manual", "operator_triggered"]}
    bound: dict[str, Any] = {"type": ["null", "string"]}
    return {
        "params": {
            "since": Param(None, title="起点 since", description=describe.SINCE, **bound),
            "until": Param(None, title="终点 until", description=describe.UNTIL, **bound),
        }
    }


def _timetable(cycle: UpdateCycle) -> CronTriggerTimetable | None:
    # A newly published entry is pulled at once and by its cycle from then on.
    if cycle.cron is None:
        return None
    return CronTriggerTimetable(cycle.cron, timezone=naming.TIME_ZONE, run_immediately=True)


def _arrival(
    subject: Subject, entries: list[CatalogEntry]
) -> AssetAny | AssetAll | AssetOrTimeSchedule:
    assets = [Asset(name=f"unified/{e.id}", uri=naming.unified_uri(e.id)) for e in entries]
    if subject.late_department is LateDepartment.PUBLISH_WITHOUT:
        return AssetAny(*assets)
    scheduled = [entry.update_cycle for entry in entries if entry.update_cycle.cron]
    if not scheduled:
        return AssetAll(*assets)
    # Without this, one department that never delivers would block the subject for good.
    slowest = max(scheduled, key=lambda cycle: cycle.freshness or timedelta())
    at_the_latest = CronTriggerTimetable(slowest.cron or "", timezone=naming.TIME_ZONE)
    return AssetOrTimeSchedule(timetable=at_the_latest, assets=AssetAll(*assets))


def _wait(entry: CatalogEntry) -> list[ArriveOperator]:
    if entry.source.arrival is None:
        return []
    pool = naming.system_pool(entry)
    return [ArriveOperator(task_id="arrive", entry_id=entry.id, pool=pool)]


def _task(
    task_id: str,
    call: Any,
    pool: str,
    *,
    outlets: list[Asset] | None = None,
    **arguments: str,
) -> PythonOperator:
    return PythonOperator(
        task_id=task_id,
        python_callable=call,
        op_kwargs=arguments,
        pool=pool,
        outlets=outlets or [],
    )
