"""Lineage on to the consumer: a delivery is a job that reads a table and writes for a grant."""

from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.generated import job_type_job, parent_run

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.lineage import (
    ColumnFlow,
    ColumnRef,
    DatasetName,
    Moment,
    facets,
    run_uuid,
    source_dataset,
)
from yishu.lineage.naming import NAMESPACE
from yishu.sharing.house import Ready


def granted(grant_id: str) -> DatasetName:
    """What a grant gives to its consumer."""
    return DatasetName(NAMESPACE, f"share/{grant_id}")


def pushed_table(connection_id: str, url: str, table: str) -> DatasetName:
    """A table of the consumer's database, named as a pull from there would name it."""
    is_postgresql = url.startswith("postgres")
    kind = SystemKind.POSTGRESQL if is_postgresql else SystemKind.SQL
    name = f"public.{table}" if is_postgresql else table
    return source_dataset(SourceSpec(connection=connection_id, kind=kind, table=name), url)


def delivery_event(ready: Ready, moment: Moment, rows: int) -> RunEvent:
    """A complete delivery: the table's version in, the grant's columns out, masks marked."""
    grant = ready.grant
    source = DatasetName(NAMESPACE, ready.object_.table)
    flows = [
        ColumnFlow(
            column,
            (ColumnRef(source, column),),
            "TRANSFORMATION" if column in grant.masks else "IDENTITY",
            grant.masks.get(column, ""),
            masking=column in grant.masks,
        )
        for column in grant.columns
    ]
    version = facets.version(ready.projection.version)
    output = facets.written_to(granted(grant.grant_id), columnLineage=facets.column_lineage(flows))
    output.outputFacets = {"outputStatistics": facets.written(rows)}
    job = f"share.{grant.grant_id}.deliver"
    told = facets.facet(
        facets.YishuRunFacet,
        runId=moment.run_id,
        objectId=grant.object_id,
        releaseId=moment.release_id,
        counts={"rows": rows},
    )
    whole = facets.facet(
        parent_run.ParentRunFacet,
        run=parent_run.Run(run_uuid(moment.run_id, f"share.{grant.grant_id}")),
        job=parent_run.Job(NAMESPACE, f"share.{grant.grant_id}"),
    )
    kind = facets.facet(
        job_type_job.JobTypeJobFacet, processingType="BATCH", integration="YISHU", jobType="DELIVER"
    )
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=moment.at.isoformat(timespec="milliseconds"),
        producer=facets.PRODUCER,
        run=Run(run_uuid(moment.run_id, job), facets={"yishu_run": told, "parent": whole}),
        job=Job(NAMESPACE, job, facets={"jobType": kind}),
        inputs=[facets.read_from(source, version=version)],
        outputs=[output],
    )


def onward_event(ready: Ready, moment: Moment, pushed: DatasetName) -> RunEvent:
    """The step from what a grant delivers to the consumer's table."""
    grant_id = ready.grant.grant_id
    job = f"share.{grant_id}.push"
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=moment.at.isoformat(timespec="milliseconds"),
        producer=facets.PRODUCER,
        run=Run(run_uuid(moment.run_id, job), facets={}),
        job=Job(NAMESPACE, job, facets={}),
        inputs=[facets.read_from(granted(grant_id))],
        outputs=[facets.written_to(pushed)],
    )
