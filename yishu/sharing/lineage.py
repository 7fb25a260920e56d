"""Lineage on to the consumer: a delivery is a job that reads a table and writes for a grant."""

from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.generated import job_type_job, parent_run
from openlineage.client.transport import Transport

from yishu.lineage import ColumnFlow, ColumnRef, DatasetName, Moment, facets, run_uuid
from yishu.lineage.naming import NAMESPACE
from yishu.sharing.house import Ready


def granted(grant_id: str) -> DatasetName:
    """What a grant gives to its consumer."""
    return DatasetName(NAMESPACE, f"share/{grant_id}")


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


def tell(transport: Transport | None, ready: Ready, moment: Moment, rows: int) -> None:
    """Tell a delivery, where anybody listens."""
    if transport is not None:
        transport.emit(delivery_event(ready, moment, rows))
