"""Decisions and contacts: kept for good, told twice kept once, seen by processes in turn."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from yishu.ledger import (
    ContactFacts,
    ContactOutcome,
    DecisionFacts,
    DecisionKind,
    LedgerError,
    RunKind,
    RunNotStarted,
    RunStarted,
    TimeWithoutZone,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTRY = "taxation.taxpayer"


def decision(**more):
    facts = {
        "run_id": "r1",
        "object_id": ENTRY,
        "kind": DecisionKind.VOLUME,
        "reason": "两个区的数据已迁出",
        "decided_by": "wang",
        "decided_at": NOON,
        "facts": {"rows": 10, "before": 500},
    }
    return DecisionFacts(**{**facts, **more})


def contact(minutes, outcome, connection="drop"):
    at = NOON + timedelta(minutes=minutes)
    return ContactFacts(connection, at, f"r{minutes}", ENTRY, ContactOutcome(outcome))


@pytest.fixture
def stopped(empty_ledger):
    """A ledger in which run r1 of the entry has started."""
    empty_ledger.record_run_started(RunStarted("r1", ENTRY, RunKind.ENTRY, "x", NOON))
    return empty_ledger


class TestDecision:
    def test_is_read_back_for_its_run_alone(self, stopped):
        stopped.record_decision(decision())

        assert stopped.decision("r1", ENTRY, DecisionKind.VOLUME) == decision()
        assert stopped.decision("r2", ENTRY, DecisionKind.VOLUME) is None
        assert stopped.decision("r1", "other.entry", DecisionKind.VOLUME) is None

    def test_the_first_word_stands(self, stopped):
        stopped.record_decision(decision())
        stopped.record_decision(decision(reason="another one", decided_by="li"))

        assert stopped.decision("r1", ENTRY, DecisionKind.VOLUME).decided_by == "wang"

    def test_needs_a_reason_a_run_and_a_zone(self, stopped):
        with pytest.raises(LedgerError, match="without a reason"):
            stopped.record_decision(decision(reason="  "))
        with pytest.raises(RunNotStarted):
            stopped.record_decision(decision(run_id="r9"))
        with pytest.raises(TimeWithoutZone):
            stopped.record_decision(decision(decided_at=NOON.replace(tzinfo=None)))

    def test_keeps_no_identifier_that_a_reason_quotes(self, stopped):
        stopped.record_decision(decision(reason="because of 320213199001011234"))

        assert "320213199001011234" not in stopped.decision("r1", ENTRY, "volume").reason

    @pytest.mark.parametrize("change", ["update {} set run_id = 'x'", "delete from {}"])
    @pytest.mark.parametrize("table", ["ledger.decision", "ledger.contact"])
    def test_nothing_is_ever_changed_or_removed(self, stopped, engine, table, change):
        stopped.record_decision(decision())
        stopped.record_contact(contact(0, "reached"))

        with pytest.raises(DatabaseError, match="only ever added to"), engine.begin() as database:
            database.execute(text(change.format(table)))


class TestContacts:
    def test_those_since_the_last_answer_come_oldest_first(self, empty_ledger):
        told = [
            contact(0, "unreachable"),
            contact(1, "reached"),
            contact(2, "unreachable"),
            contact(3, "trial"),
            contact(3, "unreachable", connection="elsewhere"),
        ]
        for one in [*told, told[2]]:
            empty_ledger.record_contact(one)

        assert empty_ledger.knock("drop") == [told[2], told[3]]
        assert empty_ledger.knock("never_tried") == []

    def test_who_knocks_may_add_what_the_next_one_sees(self, empty_ledger):
        added = contact(5, "trial")

        assert empty_ledger.knock("drop", lambda seen: None if seen else added) == []
        assert empty_ledger.knock("drop", lambda seen: None if seen else added) == [added]
        assert empty_ledger.knock("drop") == [added]

    def test_the_last_answer_and_the_last_try_of_each_system_are_known(self, empty_ledger):
        for one in (contact(0, "reached"), contact(4, "unreachable"), contact(5, "trial")):
            empty_ledger.record_contact(one)

        last = empty_ledger.last_contacts()["drop"]

        assert (last.reached_at, last.tried_at) == (NOON, NOON + timedelta(minutes=4))
