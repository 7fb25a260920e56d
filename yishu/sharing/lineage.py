"""Lineage on to the consumer: a delivery is a job that reads a table and writes for a grant.

A second job leads on to where the delivery went: the consumer's table, or its folder of files. It
is named as a pull from there would name it, so that lineage goes on where another entry pulls it.
"""

from collections.abc import Iterable, Mapping

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
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
from yishu.sharing import files
from yishu.sharing.house import Ready
from yishu.sharing.vocabulary import ShareFormat


def granted(grant_id: str) -> DatasetName:
    """What a grant gives to its consumer."""
    return DatasetName(NAMESPACE, f"share/{grant_id}")


def pushed_table(connection_id: str, url: str, table: str) -> DatasetName:
    """A table of the consumer's database, named as a pull from there would name it."""
    is_postgresql = url.startswith("postgres")
    kind = SystemKind.POSTGRESQL if is_postgresql else SystemKind.SQL
    name = f"public.{table}" if is_postgresql else table
    return source_dataset(SourceSpec(connection=connection_id, kind=kind, table=name), url)


def pushed_files(connection_id: str, url: str, grant_id: str, kind: ShareFormat) -> DatasetName:
    """The files of a grant's deliveries in the consumer's folder or on its server."""
    series = f"{grant_id}-*.{files.SUFFIX[kind]}"
    spec = SourceSpec(connection=connection_id, kind=SystemKind.PARQUET, path=series)
    return source_dataset(spec, url)


def delivery_event(ready: Ready, moment: Moment, rows: int) -> RunEvent:
    """A complete delivery: the table's version in, the grant's columns out, masks marked."""
    grant = ready.grant
    source = DatasetName(NAMESPACE, ready.object_.table)
    output = _written(ready, granted(grant.grant_id), _flows(source, grant.columns, grant.masks))
    output.outputFacets = {"outputStatistics": facets.written(rows)}
    read = facets.read_from(source, version=facets.version(ready.projection.version))
    return _event(ready, moment, "deliver", read, output, rows=rows)


def onward_event(ready: Ready, moment: Moment, pushed: DatasetName) -> RunEvent:
    """The step from what a grant delivers to the consumer's table or files, column by column."""
    source = granted(ready.grant.grant_id)
    output = _written(ready, pushed, _flows(source, ready.grant.columns, {}))
    return _event(ready, moment, "push", facets.read_from(source), output)


def _flows(
    source: DatasetName, columns: Iterable[str], masks: Mapping[str, str]
) -> list[ColumnFlow]:
    return [
        ColumnFlow(
            column,
            (ColumnRef(source, column),),
            "TRANSFORMATION" if column in masks else "IDENTITY",
            masks.get(column, ""),
            masking=column in masks,
        )
        for column in columns
    ]


def _written(ready: Ready, name: DatasetName, flows: list[ColumnFlow]) -> OutputDataset:
    grant = ready.grant
    under = facets.facet(
        facets.YishuGrantFacet,
        grantId=grant.grant_id,
        objectId=grant.object_id,
        consumer=grant.consumer_org,
        providers=list(grant.provider_orgs),
        purposeCode=grant.purpose_code,
        mode=grant.mode,
        masks=dict(grant.masks),
    )
    lineage = facets.column_lineage(flows)
    return facets.written_to(name, columnLineage=lineage, yishu_grant=under)


def _event(
    ready: Ready,
    moment: Moment,
    step: str,
    read: InputDataset,
    output: OutputDataset,
    **counts: int,
) -> RunEvent:
    whole = f"share.{ready.grant.grant_id}"
    job = f"{whole}.{step}"
    told = facets.facet(
        facets.YishuRunFacet,
        runId=moment.run_id,
        objectId=ready.grant.object_id,
        releaseId=moment.release_id,
        counts=counts,
    )
    parent = facets.facet(
        parent_run.ParentRunFacet,
        run=parent_run.Run(run_uuid(moment.run_id, whole)),
        job=parent_run.Job(NAMESPACE, whole),
    )
    kind = facets.facet(
        job_type_job.JobTypeJobFacet,
        processingType="BATCH",
        integration="YISHU",
        jobType=step.upper(),
    )
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=moment.at.isoformat(timespec="milliseconds"),
        producer=facets.PRODUCER,
        run=Run(run_uuid(moment.run_id, job), facets={"yishu_run": told, "parent": parent}),
        job=Job(NAMESPACE, job, facets={"jobType": kind}),
        inputs=[read],
        outputs=[output],
    )
