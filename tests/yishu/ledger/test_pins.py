"""Pinned versions, and lineage events in the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from yishu.ledger.lineage import record_events, recorded_events
from yishu.ledger.pins import Holder, Pin, pin, pinned_versions, unpin

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "subject/legal_entity"


@pytest.mark.usefixtures("empty_ledger")
def test_a_version_is_held_until_its_last_holder_lets_go(engine):
    with engine.begin() as connection:
        for version, kind, holder in (
            (3, Holder.GRANT, "g1"),
            (3, Holder.REPORT, "2026Q1"),
            (5, Holder.GRANT, "g1"),
        ):
            pin(connection, Pin(TABLE, version, kind, holder, WHEN))
        assert pinned_versions(connection) == {TABLE: [3, 5]}

        assert unpin(connection, Holder.GRANT, ["g1"], WHEN + timedelta(days=1)) == 2
        assert unpin(connection, Holder.GRANT, ["g1"], WHEN + timedelta(days=1)) == 0

        assert pinned_versions(connection) == {TABLE: [3]}


@pytest.mark.usefixtures("empty_ledger")
def test_holding_again_changes_nothing_and_renews_what_had_ended(engine):
    one = Pin(TABLE, 3, Holder.GRANT, ["g1"], WHEN)
    with engine.begin() as connection:
        pin(connection, one)
        pin(connection, one)
        unpin(connection, Holder.GRANT, ["g1"], WHEN)
        pin(connection, one)

        assert pinned_versions(connection) == {TABLE: [3]}


def event(number):
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-01-01T00:00:0{number}.000Z",
        "job": {"namespace": "yishu", "name": "taxation.taxpayer.pull"},
        "run": {"runId": "00000000-0000-0000-0000-000000000000"},
    }


@pytest.mark.usefixtures("empty_ledger")
def test_an_event_is_kept_once_in_the_order_of_arrival(engine):
    with engine.begin() as connection:
        assert record_events(connection, [event(2), event(1)]) == 2
        assert record_events(connection, [event(1), event(3)]) == 1
        assert record_events(connection, []) == 0

        assert list(recorded_events(connection)) == [event(2), event(1), event(3)]
