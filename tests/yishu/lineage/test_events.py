"""Events say what came from where, in the places where consumers look, without a value."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from uuid import UUID

import jsonschema
import pytest
from openlineage.client.serde import Serde

from catalog.errors import NotCataloged
from yishu.lineage import (
    CheckOutcome,
    ColumnFlow,
    ColumnRef,
    DatasetName,
    ParentRun,
    Published,
    RunState,
    facets,
    publish_event,
    pull_event,
    run_uuid,
    subject_event,
    validate_event,
)

SOURCE = DatasetName("postgres://10.1.2.3:5433", "market.public.enterprise")
OUTCOMES = (
    CheckOutcome("uscc_format", "format", ("uscc",), "fail", 100, 3, success=False, text="shape"),
    CheckOutcome(
        "name_known", "not_null", ("name",), "warn", 100, 1, success=True, text="known",
        threshold=0.05,
    ),
)  # fmt: skip
COMMIT = Published(7, 96, {"read": 100, "inserted": 96, "quarantined": 4})
RESIDENT = "11010519491231002X"

# The required parts of the specification 2-0-2 and of the facets' base.
FACET = {
    "type": "object",
    "required": ["_producer", "_schemaURL"],
    "properties": {"_producer": {"const": "urn:yishu:pipeline"}, "_schemaURL": {"minLength": 1}},
}
FACETS = {"type": "object", "additionalProperties": FACET}
DATASET = {
    "type": "object",
    "required": ["namespace", "name"],
    "properties": {
        "namespace": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        "facets": FACETS,
        "inputFacets": FACETS,
        "outputFacets": FACETS,
    },
    "additionalProperties": False,
}
EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "eventType", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "COMPLETE", "FAIL"]},
        "eventTime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        "producer": {"const": "urn:yishu:pipeline"},
        "schemaURL": {"pattern": r"^https://openlineage\.io/spec/2-0-2/OpenLineage\.json#"},
        "run": {"required": ["runId"], "properties": {"facets": FACETS}},
        "job": {"required": ["namespace", "name"], "properties": {"facets": FACETS}},
        "inputs": {"type": "array", "items": DATASET},
        "outputs": {"type": "array", "items": DATASET},
    },
    "additionalProperties": False,
}


def plain(event):
    """The event as a consumer gets it: through JSON."""
    return json.loads(Serde.to_json(event))


@pytest.fixture
def complete_events(enterprise, small_catalog, moment):
    """The COMPLETE events of an entry's run and of its subject's, as a consumer gets them."""
    done = RunState.COMPLETE
    versions = {"market.enterprise": 7, "tax.taxpayer": 2}
    subject = small_catalog.subjects["legal_entity"]
    events = {
        "pull": pull_event(done, moment, enterprise, SOURCE, rows=100, size=4096),
        "validate": validate_event(
            done, moment, enterprise, rows=100, quarantined=4, outcomes=OUTCOMES
        ),
        "publish": publish_event(done, moment, enterprise, published=COMMIT),
        "subject": subject_event(
            done, moment, subject, small_catalog, versions, published=Published(2, 90)
        ),
    }
    return {stage: plain(event) for stage, event in events.items()}


def test_every_event_has_the_parts_that_the_specification_requires(complete_events):
    assert complete_events.keys() == {"pull", "validate", "publish", "subject"}
    for event in complete_events.values():
        jsonschema.validate(event, EVENT)
        UUID(event["run"]["runId"])


def test_facets_are_of_the_versions_that_we_promise(complete_events):
    publish, validate = complete_events["publish"], complete_events["validate"]
    column_lineage = publish["outputs"][0]["facets"]["columnLineage"]
    assertions = validate["inputs"][0]["inputFacets"]["dataQualityAssertions"]
    assert "/1-2-0/ColumnLineageDatasetFacet.json" in column_lineage["_schemaURL"]
    assert "/1-1-0/DataQualityAssertionsDatasetFacet.json" in assertions["_schemaURL"]


def test_jobs_are_named_by_what_they_work_on_and_stage(complete_events):
    assert [event["job"]["name"] for event in complete_events.values()] == [
        "market.enterprise.pull",
        "market.enterprise.validate",
        "market.enterprise.publish",
        "subject.legal_entity.build",
    ]
    assert {event["job"]["namespace"] for event in complete_events.values()} == {"yishu"}


def test_a_consumer_rebuilds_the_flow_of_tables_from_the_events_alone(complete_events):
    edges = {
        (read["name"], written["name"])
        for event in complete_events.values()
        for read in event["inputs"]
        for written in event["outputs"]
    }
    assert edges == {
        ("market.public.enterprise", "landing/market.enterprise"),
        ("landing/market.enterprise", "quarantine/market.enterprise"),
        ("landing/market.enterprise", "unified/market.enterprise"),
        ("unified/market.enterprise", "subject/legal_entity"),
        ("unified/tax.taxpayer", "subject/legal_entity"),
    }


def test_a_consumer_follows_a_column_back_to_the_departments_own_column(complete_events):
    came_from = {}
    for event in complete_events.values():
        for written in event["outputs"]:
            lineage = written["facets"].get("columnLineage", {"fields": {}})
            for column, flow in lineage["fields"].items():
                came_from[written["name"], column] = [
                    (field["name"], field["field"]) for field in flow["inputFields"]
                ]
    at = [("subject/legal_entity", "legal_name")]
    path = [at]
    while at := [origin for place in at for origin in came_from.get(place, [])]:
        path.append(at)
    assert path[1:] == [
        [("unified/market.enterprise", "name")],
        [("landing/market.enterprise", "name")],
        [("market.public.enterprise", "entname")],
    ]


def test_a_second_hand_copy_is_no_origin_of_a_subjects_column(complete_events):
    lineage = complete_events["subject"]["outputs"][0]["facets"]["columnLineage"]
    origins = {
        column: [field["name"] for field in flow["inputFields"]]
        for column, flow in lineage["fields"].items()
    }
    assert origins == {
        "uscc": ["unified/market.enterprise"],
        "legal_name": ["unified/market.enterprise"],
        "tax_grade": ["unified/tax.taxpayer"],
    }
    joined = [(field["name"], field["field"]) for field in lineage["dataset"]]
    assert joined == [("unified/market.enterprise", "uscc"), ("unified/tax.taxpayer", "uscc")]


def test_masking_is_told_column_by_column():
    name = DatasetName("yishu", "unified/x")
    flows = [
        ColumnFlow("shown", (ColumnRef(name, "a"),)),
        ColumnFlow("hidden", (ColumnRef(name, "b"),), "TRANSFORMATION", masking=True),
    ]
    told = Serde.to_dict(facets.column_lineage(flows))["fields"]
    masking = {
        column: flow["inputFields"][0]["transformations"][0]["masking"]
        for column, flow in told.items()
    }
    assert masking == {"shown": False, "hidden": True}


def test_every_department_that_answers_for_an_item_is_an_owner(small_catalog, moment):
    event = plain(publish_event(RunState.COMPLETE, moment, small_catalog.entries["tax.taxpayer"]))
    assert event["outputs"][0]["facets"]["ownership"]["owners"] == [
        {"name": "department:tax", "type": "数源部门"},
        {"name": "department:provincial_tax", "type": "数源部门"},
    ]


def test_checks_are_told_under_the_input_that_was_judged(complete_events):
    read = complete_events["validate"]["inputs"][0]
    failed, passed = read["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert "dataQualityAssertions" not in read["facets"]
    assert (failed["assertion"], failed["column"], failed["name"]) == (
        "format",
        "uscc",
        "uscc_format",
    )
    assert (failed["success"], failed["severity"]) == (False, "error")
    assert failed["params"] == {"columns": ["uscc"], "counted": 100, "failed": 3}
    assert (passed["success"], passed["severity"]) == (True, "warn")
    assert passed["expected"] == "at most 0.05 of rows failing"
    assert read["inputFacets"]["dataQualityMetrics"]["rowCount"] == 100


def test_versions_and_rows_are_told_of_what_was_read_and_written(complete_events):
    table = complete_events["publish"]["outputs"][0]
    assert table["facets"]["version"]["datasetVersion"] == "7"
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 96
    read = {
        d["name"]: d["facets"]["version"]["datasetVersion"]
        for d in complete_events["subject"]["inputs"]
    }
    assert read == {"unified/market.enterprise": "7", "unified/tax.taxpayer": "2"}
    landed = complete_events["pull"]["outputs"][0]["outputFacets"]["outputStatistics"]
    assert (landed["rowCount"], landed["size"]) == (100, 4096)


def test_the_catalog_is_told_with_the_data(complete_events):
    told = complete_events["publish"]["outputs"][0]["facets"]
    assert told["schema"]["fields"][1] == {
        "name": "name", "type": "string", "description": "企业名称", "ordinal_position": 2,
        "fields": [],
    }  # fmt: skip
    assert told["documentation"]["description"] == "企业登记：测试"
    tags = {tag["key"]: tag["value"] for tag in told["tags"]["tags"]}
    assert tags["share_type"] == "conditional"
    assert tags["entry_version"] == "3"


def test_a_run_is_found_again_in_ledger_release_and_schedule(complete_events):
    run = complete_events["publish"]["run"]["facets"]
    assert run["yishu_run"]["runId"] == "scheduled__2026-11-20"
    assert run["yishu_run"]["releaseId"] == "2026-11-19-1"
    assert run["yishu_run"]["counts"] == {"read": 100, "inserted": 96, "quarantined": 4}
    assert run["nominalTime"]["nominalStartTime"] == "2026-11-20T01:30:00.000Z"


def test_stages_of_a_run_have_one_parent(complete_events):
    parents = [complete_events[stage]["run"]["facets"]["parent"] for stage in ("pull", "publish")]
    assert [parent["job"] for parent in parents] == [
        {"namespace": "yishu", "name": "market.enterprise", "facets": {}}
    ] * 2
    assert {parent["run"]["runId"] for parent in parents} == {
        run_uuid("scheduled__2026-11-20", "market.enterprise")
    }


def test_an_outer_run_may_be_the_parent(enterprise, moment):
    outer = ParentRun("airflow", "pull.market.enterprise", "0197f000-0000-7000-8000-000000000001")
    event = plain(pull_event(RunState.START, replace(moment, parent=outer), enterprise, SOURCE))
    parent = event["run"]["facets"]["parent"]
    assert (parent["job"]["namespace"], parent["run"]["runId"]) == ("airflow", outer.run_uuid)


def test_start_already_says_what_will_be_read_and_written(enterprise, moment):
    event = plain(pull_event(RunState.START, moment, enterprise, SOURCE))
    assert [d["name"] for d in event["inputs"]] == ["market.public.enterprise"]
    assert [d["name"] for d in event["outputs"]] == ["landing/market.enterprise"]
    assert event["outputs"][0]["outputFacets"] == {}


def test_a_failure_wrote_nothing_and_says_why_without_values(enterprise, moment):
    error = NotCataloged(
        "x", found=f"{RESIDENT} at postgresql://u:hush@h/d", expected="y", remedy="z"
    )
    event = pull_event(RunState.FAIL, moment, enterprise, SOURCE, error=error)
    told = plain(event)["run"]["facets"]["errorMessage"]
    assert plain(event)["outputs"] == []
    assert told["message"].startswith("[CAT_NOT_CATALOGED] x: found *** at postgresql://u:***@h/d")
    assert "stackTrace" not in told


def test_of_a_foreign_error_only_the_class_is_told(enterprise, moment):
    event = pull_event(RunState.FAIL, moment, enterprise, SOURCE, error=ValueError("王某某"))
    text = Serde.to_json(event, ensure_ascii=False)
    assert "ValueError" in text
    assert "王某某" not in text


def test_the_same_event_is_the_same_line(enterprise, moment):
    """Also when the clock of the machine is in another zone."""
    there = replace(moment, at=moment.at.astimezone(timezone(timedelta(hours=8))))
    one = Serde.to_json(pull_event(RunState.START, moment, enterprise, SOURCE))
    assert Serde.to_json(pull_event(RunState.START, there, enterprise, SOURCE)) == one
