"""Rules of the consumers that cannot run here, as tests on the events themselves.

Read from their sources: Marquez ``DatasetFacetsDao`` and its ``LineageEvent`` model, OpenMetadata's
``message_to_open_lineage_event``, DataHub's ``OpenLineageToDataHub``.
"""

import json
from datetime import datetime
from uuid import UUID

import pytest
from openlineage.client.serde import Serde

from catalog.errors import YishuError
from yishu.lineage import (
    CheckOutcome,
    DatasetName,
    Published,
    RunState,
    publish_event,
    pull_event,
    subject_event,
    validate_event,
)

SOURCE = DatasetName("postgres://10.1.2.3:5433", "market.public.enterprise")
DONE = RunState.COMPLETE
CHECK = CheckOutcome("shape", "format", ("uscc",), "fail", 100, 3, success=False, text="shape")

# The dataset facets that Marquez gives a type of their own; others are kept as they are.
MARQUEZ_DATASET_FACETS = {
    "documentation", "schema", "dataSource", "lifecycleStateChange", "version", "columnLineage",
    "ownership", "dataQualityMetrics", "dataQualityAssertions", "storage", "symlinks", "tags",
    "catalog",
}  # fmt: skip


@pytest.fixture
def events(enterprise, small_catalog, moment):
    """COMPLETE events of every stage, as a consumer gets them."""
    subject = small_catalog.subjects["legal_entity"]
    versions = {"market.enterprise": 7, "tax.taxpayer": 2}
    made = [
        pull_event(DONE, moment, enterprise, SOURCE, rows=100, size=4096),
        validate_event(DONE, moment, enterprise, rows=100, quarantined=4, outcomes=[CHECK]),
        publish_event(DONE, moment, enterprise, published=Published(0, 96)),
        subject_event(DONE, moment, subject, small_catalog, versions, published=Published(2, 90)),
    ]
    return [json.loads(Serde.to_json(event)) for event in made]


def datasets(events):
    return [one for event in events for one in (*event["inputs"], *event["outputs"])]


def test_marquez_takes_ids_times_and_names(events):
    for event in events:
        UUID(event["run"]["runId"])
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
        assert UUID(event["run"]["facets"]["parent"]["run"]["runId"])
        assert event["run"]["facets"]["nominalTime"]["nominalStartTime"]
        for one in (event["job"], *event["inputs"], *event["outputs"]):
            assert 0 < len(one["namespace"]) <= 255
            assert 0 < len(one["name"]) <= 255


def test_marquez_finds_checks_under_the_input_facets(events):
    for one in datasets(events):
        assert set(one.get("facets", {})) <= MARQUEZ_DATASET_FACETS
        assert "dataQualityAssertions" not in one.get("facets", {})
    (judged,) = events[1]["inputs"]
    assert judged["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"] is False


def test_open_metadata_reads_every_field_that_it_insists_on(events):
    """Only COMPLETE events with inputs and outputs count, and each has its parent job."""
    for event in events:
        assert event["eventType"] == "COMPLETE"
        assert event["inputs"]
        assert event["outputs"]
        assert event["run"]["facets"]["parent"]["job"].keys() >= {"name", "namespace"}
        for one in event["outputs"]:
            for origin in (one["facets"].get("columnLineage") or {"fields": {}})["fields"].values():
                for given in origin["inputFields"]:
                    assert given.keys() >= {"namespace", "name", "field"}


def test_open_metadata_finds_the_schema_of_every_data_set(events):
    for one in datasets(events):
        fields = one["facets"]["schema"]["fields"]
        assert fields
        assert all(field["name"] for field in fields)


def test_data_hub_finds_owners_as_kind_and_name_and_columns_that_the_schemas_have(events):
    by_name = {}
    for one in datasets(events):
        names = {field["name"] for field in one["facets"]["schema"]["fields"]}
        by_name.setdefault((one["namespace"], one["name"]), set()).update(names)
        for owner in one["facets"]["ownership"]["owners"]:
            kind, _, name = owner["name"].partition(":")
            assert (kind, bool(name)) == ("department", True)
    for event in events:
        for one in event["outputs"]:
            facet = one["facets"].get("columnLineage")
            for field, origin in (facet or {"fields": {}})["fields"].items():
                assert field in by_name[one["namespace"], one["name"]]
                for given in origin["inputFields"]:
                    known = by_name.get((given["namespace"], given["name"]))
                    assert known is None or given["field"] in known


def test_a_table_is_told_as_made_and_later_as_written_anew(enterprise, moment, events):
    again = publish_event(DONE, moment, enterprise, published=Published(3, 96))

    made, anew = events[2]["outputs"], json.loads(Serde.to_json(again))["outputs"]

    def change(outputs):
        return outputs[0]["facets"]["lifecycleStateChange"]["lifecycleStateChange"]

    assert (change(made), change(anew)) == ("CREATE", "OVERWRITE")
    assert made[0]["facets"]["catalog"]["framework"] == "delta"


def test_a_drifted_source_is_told_as_altered_and_another_failure_is_not(enterprise, moment):
    class Drift(YishuError):
        code = "RUN_SCHEMA_DRIFT"

    parts = {"found": "x", "expected": "y", "remedy": "z"}
    for error, expected in ((Drift("e", **parts), True), (YishuError("e", **parts), False)):
        event = pull_event(RunState.FAIL, moment, enterprise, SOURCE, error=error)
        (read,) = json.loads(Serde.to_json(event))["inputs"]
        assert ("lifecycleStateChange" in read["facets"]) is expected


def test_checks_are_told_as_tests_of_the_run_too(events):
    (test,) = events[1]["run"]["facets"]["test"]["tests"]

    assert (test["name"], test["status"], test["severity"]) == ("shape", "fail", "error")
