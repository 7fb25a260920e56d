"""Lineage leads from a department's column to what its consumer holds, whatever the channel."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from catalog.model import SourceSpec
from yishu.lineage import (
    ColumnRef,
    DatasetName,
    FileTransport,
    Moment,
    Published,
    RunState,
    facets,
    publish_event,
    pull_event,
    read_events,
    source_dataset,
)
from yishu.lineage.graph import graph_of
from yishu.sharing import delivering, onward

ENTRY = "market_regulation.enterprise_registration"
FIELDS = ["uscc", "legal_representative"]
CHANNELS = {
    "folder": {"mode": "file_download", "format": "csv_utf8", "destination": "hr_drop"},
    "database": {"mode": "batch_exchange", "format": "database", "destination": "hr_db/companies"},
}


@pytest.fixture(params=CHANNELS)
def delivered(request, office, house, postgres_server, tmp_path):
    """A grant that was delivered: its id, all events, and the consumer's data set."""
    grant_id, _ = office.opened(elements=FIELDS, **CHANNELS[request.param])
    drop = tmp_path / "drop"
    drop.mkdir()
    places = {"hr_drop": str(drop), "hr_db": postgres_server.ensure_database("lineage_consumer")}
    transport = FileTransport(tmp_path / "events.jsonl")
    entry, moment = house.catalog().entries[ENTRY], Moment("first", at=house.clock())
    source = DatasetName("postgres://10.1.2.3:5432", "market.public.enterprise")
    transport.emit(pull_event(RunState.COMPLETE, moment, entry, source, rows=4))
    transport.emit(publish_event(RunState.COMPLETE, moment, entry, published=Published(0, 4)))
    delivering.deliver(house, grant_id, places, transport)
    if request.param == "folder":
        (file,) = drop.glob("*.csv")
        there = DatasetName("file", str(file.with_name(f"{grant_id}-*.csv")))
    else:
        spec = SourceSpec(connection="hr_db", kind="postgresql", table="public.companies")
        there = source_dataset(spec, places["hr_db"])
    return grant_id, list(read_events(tmp_path / "events.jsonl")), there, source


def test_the_graph_leads_from_the_departments_column_to_the_consumers(delivered, release):
    grant_id, events, there, source = delivered
    item = release.entries[ENTRY].item("legal_representative")
    graph = graph_of(events)

    way = graph.path(
        ColumnRef(source, item.source_column), ColumnRef(there, "legal_representative")
    )

    assert [one.dataset.name for one in way] == [
        source.name, f"landing/{ENTRY}", f"unified/{ENTRY}", f"share/{grant_id}", there.name,
    ]  # fmt: skip


def test_every_facet_of_our_own_keeps_its_schema_and_says_the_grant(delivered):
    grant_id, events, _, _ = delivered
    found = []
    for event in events:
        told = [event["run"]["facets"], *(one["facets"] for one in event["outputs"])]
        for name, kind in facets.OWN.items():
            for one in told:
                if name in one:
                    Draft202012Validator(facets.json_schema(kind)).validate(one[name])
                    found.append((name, one[name]))

    grants = [one for name, one in found if name == "yishu_grant"]
    assert len(grants) == 2, "one on what the grant gives, one on what the consumer got"
    for one in grants:
        assert (one["grantId"], one["consumer"]) == (grant_id, "human_resources")
        assert one["masks"] == {"legal_representative": "name"}
    assert len(found) == 6


def test_a_facet_that_lacks_a_field_or_has_a_strange_one_breaks_its_schema():
    checker = Draft202012Validator(facets.json_schema(facets.YishuGrantFacet))
    whole = {
        "_producer": facets.PRODUCER,
        "_schemaURL": facets.YishuGrantFacet._get_schema(),
        "grantId": "g",
        "objectId": "o",
        "consumer": "c",
        "providers": ["p"],
        "purposeCode": "x",
        "mode": "api",
        "masks": {},
    }

    assert checker.is_valid(whole)
    assert not checker.is_valid({**whole, "providers": "p"})
    assert not checker.is_valid({**whole, "name": "李明"})
    assert not checker.is_valid({k: v for k, v in whole.items() if k != "consumer"})


@pytest.mark.parametrize("pattern", ["GT*.csv", "*.csv"])
def test_who_pulls_delivered_files_by_a_pattern_of_its_own_holds_shared_data(
    office, house, tmp_path, pattern
):
    grant_id, _ = office.opened(elements=FIELDS, **CHANNELS["folder"])
    (tmp_path / "drop").mkdir()
    events = tmp_path / "events.jsonl"
    delivering.deliver(house, grant_id, {"hr_drop": str(tmp_path / "drop")}, FileTransport(events))

    def upstream(name):
        return onward.upstream(read_events(events), str(Path(tmp_path / "drop", name)))

    assert f"share/{grant_id}" in upstream(pattern)
    assert upstream("other-*.csv") == frozenset()
