"""Facets as we fill them, each from the catalog or from plain facts.

Every facet names its producer itself: openlineage-python keeps a producer for the whole process,
which Airflow's provider sets to its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import attr
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.generated import (
    catalog_dataset,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    dataset_version_dataset,
    documentation_dataset,
    error_message_run,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    tags_dataset,
    test_run,
)
from openlineage.client.generated.base import BaseFacet, DatasetFacet, RunFacet

from catalog.model import CatalogEntry, CatalogView, DataItem, Subject
from yishu.lineage.facts import CheckOutcome, ColumnFlow, ColumnRef
from yishu.lineage.naming import DatasetName
from yishu.redact import error_text

PRODUCER = "urn:yishu:pipeline"
SOURCE_DEPARTMENT = "数源部门"
"""Type of ownership: the one body that collects, updates and answers for the data (S004 Art.15)."""

_SEVERITIES = {"fail": "error", "warn": "warn"}
_Facet = TypeVar("_Facet", bound=BaseFacet)


@attr.define
class YishuRunFacet(RunFacet):
    """Our own run facet ``yishu_run``: the ledger's run id, the catalog release, the counts."""

    runId: str  # noqa: N815 - OpenLineage's spelling
    objectId: str  # noqa: N815
    releaseId: str | None = attr.field(default=None)  # noqa: N815
    counts: dict[str, int] = attr.field(factory=dict)

    @staticmethod
    def _get_schema() -> str:
        return "urn:yishu:openlineage:facets:1-0-0:YishuRunFacet"


@attr.define
class YishuGrantFacet(DatasetFacet):
    """Our own data-set facet ``yishu_grant``: under which grant data go to whom, masked how."""

    grantId: str  # noqa: N815
    objectId: str  # noqa: N815
    consumer: str
    providers: list[str]
    purposeCode: str  # noqa: N815
    mode: str
    masks: dict[str, str] = attr.field(factory=dict)

    @staticmethod
    def _get_schema() -> str:
        return "urn:yishu:openlineage:facets:1-0-0:YishuGrantFacet"


OWN: Mapping[str, type[BaseFacet]] = MappingProxyType(
    {"yishu_run": YishuRunFacet, "yishu_grant": YishuGrantFacet}
)
"""The facets that are ours alone, by the name under which an event carries them."""


def json_schema(kind: type[BaseFacet]) -> dict[str, Any]:
    """The JSON schema of a facet of ours, for consumers that check what they are sent."""
    fields = [one for one in attr.fields(kind) if not one.name.startswith("_")]
    text = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": kind._get_schema(),
        "title": kind.__name__,
        "type": "object",
        "properties": {
            "_producer": text,
            "_schemaURL": {"const": kind._get_schema()},
            **{one.name: _SHAPES[one.type] for one in fields},
        },
        "required": ["_producer", "_schemaURL", *(one.name for one in fields if _is_needed(one))],
        "additionalProperties": False,
    }


def _is_needed(field: Any) -> bool:
    return field.default is attr.NOTHING


_SHAPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    str | None: {"type": ["string", "null"]},
    list[str]: {"type": "array", "items": {"type": "string"}},
    dict[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
    dict[str, int]: {"type": "object", "additionalProperties": {"type": "integer"}},
}


def facet(kind: type[_Facet], **values: Any) -> _Facet:
    """A facet of that kind which names us as its producer."""
    return kind(producer=PRODUCER, **values)


def schema(items: Iterable[DataItem]) -> schema_dataset.SchemaDatasetFacet:
    """The items as columns: field name, catalog type, Chinese name as description."""
    fields = [
        schema_dataset.SchemaDatasetFacetFields(
            name=item.field, type=item.type.value, description=item.name, ordinal_position=place
        )
        for place, item in enumerate(items, 1)
    ]
    return facet(schema_dataset.SchemaDatasetFacet, fields=fields)


def source_schema(items: Iterable[DataItem]) -> schema_dataset.SchemaDatasetFacet:
    """The columns that a pull reads, as the source calls them."""
    fields = [
        schema_dataset.SchemaDatasetFacetFields(
            name=item.source_column, description=item.name, ordinal_position=place
        )
        for place, item in enumerate(items, 1)
    ]
    return facet(schema_dataset.SchemaDatasetFacet, fields=fields)


def subject_schema(subject: Subject, catalog: CatalogView) -> schema_dataset.SchemaDatasetFacet:
    """The columns of a subject table, described by the data elements that they carry."""
    fields = []
    for place, column in enumerate(subject.columns, 1):
        element = catalog.elements[column.element]
        fields.append(
            schema_dataset.SchemaDatasetFacetFields(
                name=column.field,
                type=element.type.value,
                description=element.name,
                ordinal_position=place,
            )
        )
    return facet(schema_dataset.SchemaDatasetFacet, fields=fields)


def ownership(*entries: CatalogEntry) -> ownership_dataset.OwnershipDatasetFacet:
    """Every department that answers for an item of these entries."""
    orgs = dict.fromkeys(
        entry.responsible_org(field) for entry in entries for field in entry.fields
    )
    owners = [ownership_dataset.Owner(f"department:{org}", SOURCE_DEPARTMENT) for org in orgs]
    return facet(ownership_dataset.OwnershipDatasetFacet, owners=owners)


def described(entry: CatalogEntry) -> dict[str, DatasetFacet]:
    """What the catalog says of an entry: text, sharing, opening, grade, catalog code."""
    said = {
        "resource_code": entry.resource_code,
        "entry_version": str(entry.version),
        "data_kind": entry.data_kind.value,
        "share_type": entry.share.type.value,
        "open_type": entry.open.type.value,
        "data_grade": entry.data_grade.value,
        "update_cycle": entry.update_cycle.value,
    }
    tags = [tags_dataset.TagsDatasetFacetFields(key, value, "YISHU") for key, value in said.items()]
    return {
        "documentation": facet(
            documentation_dataset.DocumentationDatasetFacet,
            description=f"{entry.name}：{entry.summary}",
            contentType="text/plain",
        ),
        "tags": facet(tags_dataset.TagsDatasetFacet, tags=tags),
    }


def version(number: int) -> dataset_version_dataset.DatasetVersionDatasetFacet:
    """The version of a library table."""
    return facet(dataset_version_dataset.DatasetVersionDatasetFacet, datasetVersion=str(number))


def stored_as_delta() -> catalog_dataset.CatalogDatasetFacet:
    """Where a table of the library is registered: it is its own Delta catalog."""
    return facet(catalog_dataset.CatalogDatasetFacet, framework="delta", type="delta", name="yishu")


def changed(
    how: lifecycle_state_change_dataset.LifecycleStateChange,
) -> lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet:
    """What happened to a data set as such: it was made, written anew, or its columns changed."""
    return facet(
        lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet, lifecycleStateChange=how
    )


def tests(outcomes: Iterable[CheckOutcome]) -> test_run.TestRunFacet:
    """The checks of a validation as tests of its run, for consumers that look there."""
    return facet(
        test_run.TestRunFacet,
        tests=[
            test_run.TestExecution(
                name=outcome.check_id,
                status="pass" if outcome.success else "fail",
                severity=_SEVERITIES[outcome.severity],
                type=outcome.kind,
                description=outcome.text,
                expected=f"at most {outcome.threshold or 0:g} of rows failing",
                actual=f"{outcome.failed} of {outcome.counted} failing",
            )
            for outcome in outcomes
        ],
    )


def column_lineage(
    flows: Iterable[ColumnFlow], joined_by: Sequence[ColumnRef] = ()
) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Columns by origin; ``joined_by`` are the keys on which whole rows depend."""
    fields = {
        flow.output: column_lineage_dataset.Fields(
            inputFields=[
                _input_field(ref, "DIRECT", flow.subtype, flow.description, masking=flow.masking)
                for ref in flow.inputs
            ]
        )
        for flow in flows
    }
    joined = [_input_field(ref, "INDIRECT", "JOIN", "", masking=False) for ref in joined_by]
    return facet(column_lineage_dataset.ColumnLineageDatasetFacet, fields=fields, dataset=joined)


def assertions(
    outcomes: Iterable[CheckOutcome],
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    """The checks of a validation; a check over several columns names the first and lists all."""
    return facet(
        data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
        assertions=[_assertion(outcome) for outcome in outcomes],
    )


def measured(rows: int) -> data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet:
    """How many rows a job read."""
    return facet(
        data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
        columnMetrics={},
        rowCount=rows,
    )


def written(
    rows: int, size: int | None = None
) -> output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet:
    """How many rows, and bytes where known, a job wrote."""
    return facet(
        output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
        rowCount=rows,
        size=size,
    )


def failure(error: BaseException) -> error_message_run.ErrorMessageRunFacet:
    """An error without values: no stack trace, since its lines may quote some."""
    kept = error_text(error)
    message = kept.message if kept.code in kept.message else f"{kept.code}: {kept.message}"
    return facet(
        error_message_run.ErrorMessageRunFacet, message=message, programmingLanguage="Python"
    )


def read_from(name: DatasetName, **facets: DatasetFacet) -> InputDataset:
    """An input data set with its facets."""
    return InputDataset(name.namespace, name.name, facets=dict(facets))


def written_to(name: DatasetName, **facets: DatasetFacet) -> OutputDataset:
    """An output data set with its facets."""
    return OutputDataset(name.namespace, name.name, facets=dict(facets))


def _input_field(
    ref: ColumnRef, kind: str, subtype: str, description: str, *, masking: bool
) -> column_lineage_dataset.InputField:
    done = column_lineage_dataset.Transformation(kind, subtype, description, masking)
    return column_lineage_dataset.InputField(
        ref.dataset.namespace, ref.dataset.name, ref.field, [done]
    )


def _assertion(outcome: CheckOutcome) -> data_quality_assertions_dataset.Assertion:
    return data_quality_assertions_dataset.Assertion(
        assertion=outcome.kind,
        success=outcome.success,
        column=outcome.columns[0] if outcome.columns else None,
        severity=_SEVERITIES[outcome.severity],
        name=outcome.check_id,
        description=outcome.text,
        expected=f"at most {outcome.threshold or 0:g} of rows failing",
        actual=f"{outcome.failed} of {outcome.counted} failing",
        params={
            "columns": list(outcome.columns),
            "counted": outcome.counted,
            "failed": outcome.failed,
        },
    )
