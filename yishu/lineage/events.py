"""OpenLineage events of each stage: pure functions from the catalog and plain facts.

A stage tells START, then COMPLETE or FAIL. Consumers differ in which event they read, so START and
COMPLETE carry inputs and outputs in full and only FAIL has no outputs, as nothing was written. A
run that is killed and started again tells again, under the same OpenLineage run id.

Checks are told by a job of their own that reads what was landed, under the input's facets: there
consumers look for them (a plain data-set facet is no longer shown).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.generated import job_type_job, nominal_time_run, parent_run
from openlineage.client.generated.base import DatasetFacet, RunFacet
from openlineage.client.generated.lifecycle_state_change_dataset import LifecycleStateChange

from catalog.model import CatalogEntry, CatalogView, Subject
from yishu.lineage import facets, naming
from yishu.lineage.facts import CheckOutcome, ColumnFlow, ColumnRef, Moment, Published, Stage
from yishu.lineage.naming import DatasetName

_STANDARD = "catalog spelling and type"
_DRIFTED = {"RUN_SCHEMA_DRIFT"}
"""Codes of errors that mean that a department changed its columns."""


def pull_event(
    state: RunState,
    moment: Moment,
    entry: CatalogEntry,
    source: DatasetName,
    *,
    rows: int | None = None,
    size: int | None = None,
    error: BaseException | None = None,
) -> RunEvent:
    """A pull: the department's catalogued columns into landing.

    Args:
        state: START, COMPLETE or FAIL.
        moment: Which run, and when.
        entry: What is pulled.
        source: From where; see `naming.source_dataset`.
        rows: Rows landed; None unless complete.
        size: Bytes landed; None unless complete.
        error: What failed; None unless failed.
    """
    target = naming.landing(entry.id)
    owner = facets.ownership(entry)
    flows = [
        ColumnFlow(item.field, (ColumnRef(source, item.source_column),)) for item in entry.items
    ]
    read = facets.read_from(source, schema=facets.source_schema(entry.items), ownership=owner)
    if getattr(error, "code", "") in _DRIFTED:
        read.facets = {
            **(read.facets or {}),
            "lifecycleStateChange": facets.changed(LifecycleStateChange.ALTER),
        }
    landed = facets.written_to(
        target,
        schema=facets.schema(entry.items),
        ownership=owner,
        columnLineage=facets.column_lineage(flows),
        **facets.described(entry),
    )
    if rows is not None:
        landed.outputFacets = {"outputStatistics": facets.written(rows, size)}
    counts = {} if rows is None else {"read": rows}
    return _event(
        state,
        moment,
        entry.id,
        Stage.PULL,
        inputs=[read],
        outputs=[landed],
        counts=counts,
        error=error,
    )


def validate_event(
    state: RunState,
    moment: Moment,
    entry: CatalogEntry,
    *,
    rows: int | None = None,
    quarantined: int | None = None,
    outcomes: Sequence[CheckOutcome] = (),
    error: BaseException | None = None,
) -> RunEvent:
    """A validation: landing read and judged, failing rows into quarantine.

    Args:
        state: START, COMPLETE or FAIL; a closed gate is a complete validation.
        moment: Which run, and when.
        entry: What is validated.
        rows: Rows judged; None unless complete.
        quarantined: Rows set aside; None unless complete.
        outcomes: The checks; empty unless complete.
        error: What failed; None unless failed.
    """
    owner = facets.ownership(entry)
    columns = facets.schema(entry.items)
    read = facets.read_from(naming.landing(entry.id), schema=columns, ownership=owner)
    aside = facets.written_to(naming.quarantine(entry.id), schema=columns, ownership=owner)
    counts = {}
    if rows is not None and quarantined is not None:
        read.inputFacets = {
            "dataQualityAssertions": facets.assertions(outcomes),
            "dataQualityMetrics": facets.measured(rows),
        }
        aside.outputFacets = {"outputStatistics": facets.written(quarantined)}
        counts = {"read": rows, "quarantined": quarantined}
    return _event(
        state,
        moment,
        entry.id,
        Stage.VALIDATE,
        inputs=[read],
        outputs=[aside],
        counts=counts,
        error=error,
        outcomes=outcomes,
    )


def publish_event(
    state: RunState,
    moment: Moment,
    entry: CatalogEntry,
    *,
    published: Published | None = None,
    error: BaseException | None = None,
) -> RunEvent:
    """A publication: standardised rows into the entry's table of the unified database.

    Args:
        state: START, COMPLETE or FAIL; a closed gate is a failed publication.
        moment: Which run, and when.
        entry: What is published.
        published: The commit; None unless complete.
        error: What failed; None unless failed.
    """
    origin = naming.landing(entry.id)
    owner = facets.ownership(entry)
    columns = facets.schema(entry.items)
    flows = [
        ColumnFlow(field, (ColumnRef(origin, field),), "TRANSFORMATION", _STANDARD)
        for field in entry.fields
    ]
    read = facets.read_from(origin, schema=columns, ownership=owner)
    table = facets.written_to(
        naming.unified(entry.id),
        schema=columns,
        ownership=owner,
        columnLineage=facets.column_lineage(flows),
        **facets.described(entry),
    )
    _add_commit(table, published)
    counts = published.counts if published else {}
    return _event(
        state,
        moment,
        entry.id,
        Stage.PUBLISH,
        inputs=[read],
        outputs=[table],
        counts=counts,
        error=error,
    )


def subject_event(
    state: RunState,
    moment: Moment,
    subject: Subject,
    catalog: CatalogView,
    versions: Mapping[str, int | None],
    *,
    published: Published | None = None,
    error: BaseException | None = None,
) -> RunEvent:
    """A subject's build: unified tables joined by key into a table of the subject library.

    Args:
        state: START, COMPLETE or FAIL.
        moment: Which run, and when.
        subject: What is built.
        catalog: Says which entries are the sources of the subject's elements.
        versions: Contributing entry -> version of its table that is read; None: unknown yet.
        published: The commit; None unless complete.
        error: What failed; None unless failed.
    """
    entries = [catalog.entries[entry_id] for entry_id in versions]
    inputs = [_contribution(entry, versions[entry.id]) for entry in entries]
    flows = [
        ColumnFlow(column.field, origins, description="from the element's source in its scope")
        for column in subject.columns
        if (origins := tuple(_origins(catalog, column.element, entries)))
    ]
    keys = [column.element for column in subject.columns if column.field in subject.key]
    joined_by = [
        ColumnRef(naming.unified(entry.id), item.field)
        for entry in entries
        for item in entry.items
        if item.element in keys
    ]
    table = facets.written_to(
        naming.subject_table(subject.id),
        schema=facets.subject_schema(subject, catalog),
        ownership=facets.ownership(*entries),
        columnLineage=facets.column_lineage(flows, joined_by),
    )
    _add_commit(table, published)
    counts = published.counts if published else {}
    return _event(
        state,
        moment,
        f"subject.{subject.id}",
        Stage.BUILD,
        inputs=inputs,
        outputs=[table],
        counts=counts,
        error=error,
    )


def _contribution(entry: CatalogEntry, version: int | None) -> InputDataset:
    held: dict[str, DatasetFacet] = {
        "schema": facets.schema(entry.items),
        "ownership": facets.ownership(entry),
    }
    if version is not None:
        held["version"] = facets.version(version)
    return facets.read_from(naming.unified(entry.id), **held)


def _origins(
    catalog: CatalogView, element_id: str, entries: Sequence[CatalogEntry]
) -> Iterable[ColumnRef]:
    sources = {source.entry for source in catalog.elements[element_id].sources}
    for entry in entries:
        for item in entry.items:
            if entry.id in sources and item.element == element_id:
                yield ColumnRef(naming.unified(entry.id), item.field)


def _add_commit(table: OutputDataset, published: Published | None) -> None:
    table.facets = {**(table.facets or {}), "catalog": facets.stored_as_delta()}
    if published is not None:
        how = LifecycleStateChange.OVERWRITE if published.version else LifecycleStateChange.CREATE
        table.facets |= {
            "version": facets.version(published.version),
            "lifecycleStateChange": facets.changed(how),
        }
        table.outputFacets = {"outputStatistics": facets.written(published.rows)}


def _event(
    state: RunState,
    moment: Moment,
    whole: str,
    stage: Stage,
    *,
    inputs: list[InputDataset],
    outputs: list[OutputDataset],
    counts: Mapping[str, int],
    error: BaseException | None,
    outcomes: Sequence[CheckOutcome] = (),
) -> RunEvent:
    job = f"{whole}.{stage}"
    told: dict[str, RunFacet] = {
        "parent": _parent(moment, whole),
        "yishu_run": facets.facet(
            facets.YishuRunFacet,
            runId=moment.run_id,
            objectId=whole,
            releaseId=moment.release_id,
            counts=dict(counts),
        ),
    }
    if moment.nominal_at is not None:
        told["nominalTime"] = facets.facet(
            nominal_time_run.NominalTimeRunFacet, nominalStartTime=_iso(moment.nominal_at)
        )
    if outcomes:
        told["test"] = facets.tests(outcomes)
    if error is not None:
        told["errorMessage"] = facets.failure(error)
    kind = facets.facet(
        job_type_job.JobTypeJobFacet,
        processingType="BATCH",
        integration="YISHU",
        jobType=stage.upper(),
    )
    return RunEvent(
        eventType=state,
        eventTime=_iso(moment.at),
        producer=facets.PRODUCER,
        run=Run(naming.run_uuid(moment.run_id, job), facets=told),
        job=Job(naming.NAMESPACE, job, facets={"jobType": kind}),
        inputs=inputs,
        outputs=[] if state is RunState.FAIL else outputs,
    )


def _parent(moment: Moment, whole: str) -> parent_run.ParentRunFacet:
    namespace, job = naming.NAMESPACE, whole
    run_uuid = naming.run_uuid(moment.run_id, whole)
    if moment.parent is not None:
        namespace, job = moment.parent.namespace, moment.parent.job
        run_uuid = moment.parent.run_uuid
    return facets.facet(
        parent_run.ParentRunFacet,
        run=parent_run.Run(run_uuid),
        job=parent_run.Job(namespace, job),
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
