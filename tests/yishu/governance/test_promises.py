"""Clocks open once, merge, take events in order, and cannot be edited."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from catalog.promise import ClockCause
from yishu.clocks import ClockEvent, ClockState, EventKind
from yishu.governance.errors import ClockEnded, ClockUnknown, PauseRefused
from yishu.governance.promises import (
    NewClock,
    clock_of,
    clock_rows,
    find_open,
    open_clock,
    open_clocks,
    record_event,
    standings,
)
from yishu.ledger.models import JournalRecord


def new_clock(at, day="2026-09-24", **changed):
    values = {
        "promise": "catalog_update",
        "profile": "wuxi_2022",
        "object_kind": "catalog_entry",
        "object_id": "taxation.taxpayer",
        "holder_org": "taxation",
        "cause": "drift",
        "received_at": at(day),
        **changed,
    }
    return NewClock(**values)


@pytest.mark.requirement("COL-05", "SUP-13")
def test_a_change_before_national_day_is_due_on_22_october(connection, rules, officer, at):
    clock_id = open_clock(connection, new_clock(at), officer)
    (found,) = standings([clock_of(connection, clock_id)], rules, at("2026-10-22"))

    assert found.status.due_on == date(2026, 10, 22)
    assert found.status.state is ClockState.YELLOW
    assert found.earlier_elsewhere == date(2026, 10, 15)
    (late,) = standings([clock_of(connection, clock_id)], rules, at("2026-10-23"))
    assert late.status.state is ClockState.RED


def test_opening_again_opens_nothing(connection, officer, at):
    first = open_clock(connection, new_clock(at), officer)
    again = open_clock(connection, new_clock(at), officer)

    assert first == again
    (row,) = clock_rows(connection)
    assert [event.kind for event in row.events] == [EventKind.OPENED]


def test_a_second_cause_of_the_same_kind_merges_and_moves_nothing(connection, officer, at):
    first = open_clock(connection, new_clock(at), officer)
    later = open_clock(connection, new_clock(at, "2026-09-28", note="one more column"), officer)
    earlier = open_clock(connection, new_clock(at, "2026-09-21"), officer)

    assert first == later == earlier
    (row,) = clock_rows(connection)
    assert [event.kind for event in row.events] == ["opened", "merged", "merged"]
    assert row.received_at == row.events[0].at == at("2026-09-24")


def test_another_cause_or_object_has_a_clock_of_its_own(connection, officer, at):
    ids = open_clocks(
        connection,
        [
            new_clock(at),
            new_clock(at, cause="law"),
            new_clock(at, object_id="taxation.other"),
            new_clock(at),
        ],
        officer,
    )

    assert len(set(ids)) == 3
    assert ids[0] == ids[3]


def test_a_closed_clock_stays_closed_when_it_is_opened_again(connection, officer, at):
    clock_id = open_clock(connection, new_clock(at), officer)
    record_event(connection, clock_id, ClockEvent(EventKind.FULFILLED, at("2026-09-28")), officer)

    assert open_clock(connection, new_clock(at), officer) == clock_id
    assert clock_of(connection, clock_id).closed_at == at("2026-09-28")
    assert find_open(connection, "catalog_update", "catalog_entry", "taxation.taxpayer") == []
    newer = open_clock(connection, new_clock(at, "2026-10-12"), officer)
    assert newer != clock_id


def test_an_ended_clock_takes_nothing_but_a_reopening(connection, officer, at):
    clock_id = open_clock(connection, new_clock(at), officer)
    closing = ClockEvent(EventKind.FULFILLED, at("2026-09-28"))
    record_event(connection, clock_id, closing, officer)
    record_event(connection, clock_id, closing, officer)
    submitted = ClockEvent(EventKind.SUBMITTED, at("2026-09-29"))
    with pytest.raises(ClockEnded):
        record_event(connection, clock_id, submitted, officer)
    record_event(connection, clock_id, ClockEvent(EventKind.REOPENED, at("2026-09-30")), officer)

    assert clock_of(connection, clock_id).closed_at is None


@pytest.mark.requirement("SUP-13")
@pytest.mark.parametrize("given", [{}, {"cause": ClockCause.DISPUTE_PENDING}])
def test_a_pause_without_cause_or_consent_is_refused(connection, officer, at, given):
    clock_id = open_clock(connection, new_clock(at), officer)
    paused = ClockEvent(EventKind.PAUSED, at("2026-09-28"), **given)
    with pytest.raises(PauseRefused):
        record_event(connection, clock_id, paused, officer)


def test_an_unknown_clock_is_refused(connection, officer, at):
    with pytest.raises(ClockUnknown):
        record_event(
            connection, "clk-no", ClockEvent(EventKind.SUBMITTED, at("2026-09-28")), officer
        )


@pytest.mark.requirement("SUP-08", "SUP-13")
@pytest.mark.parametrize(
    "edit",
    [
        "update ledger.clock set received_at = received_at + interval '1 month'",
        "update ledger.clock set promise = 'correction'",
        "delete from ledger.clock",
        "update ledger.clock_event set at = at + interval '1 month'",
        "delete from ledger.clock_event",
        "truncate ledger.clock_event",
    ],
)
def test_no_edit_of_the_record_is_possible(ledger_engine, officer, at, edit):
    with ledger_engine.begin() as connection:
        open_clock(connection, new_clock(at), officer)
    with ledger_engine.begin() as connection, pytest.raises(DBAPIError, match="only ever added to"):
        connection.execute(text(edit))


@pytest.mark.requirement("SUP-08")
def test_every_step_is_in_the_journal_with_its_actor(connection, officer, reviewer, at):
    clock_id = open_clock(connection, new_clock(at, note="column added"), officer)
    record_event(connection, clock_id, ClockEvent(EventKind.SUBMITTED, at("2026-09-25")), officer)
    record_event(connection, clock_id, ClockEvent(EventKind.FULFILLED, at("2026-09-28")), reviewer)
    asked = (
        select(JournalRecord.account, JournalRecord.after["event"].astext)
        .where(JournalRecord.object_id == clock_id)
        .order_by(JournalRecord.number)
    )

    assert connection.execute(asked).all() == [
        ("li.an", None),
        ("li.an", "submitted"),
        ("zhou.ping", "fulfilled"),
    ]


def test_rows_are_read_in_two_statements_however_many(ledger_engine, officer, at, statements):
    news = [new_clock(at, object_id=f"taxation.e{n}") for n in range(300)]
    with ledger_engine.begin() as connection:
        open_clocks(connection, news, officer)
        statements.clear()

        assert len(clock_rows(connection, is_open=True)) == 300
        assert len(statements) == 2


def test_those_that_ended_lately_are_given_beside_the_open_ones(connection, officer, at):
    for n in range(3):
        open_clock(connection, new_clock(at, object_id=f"taxation.e{n}"), officer)
    for n, day in ((0, "2026-09-28"), (1, "2026-10-09")):
        (id_,) = find_open(connection, "catalog_update", "catalog_entry", f"taxation.e{n}")
        record_event(connection, id_, ClockEvent(EventKind.FULFILLED, at(day)), officer)
    since = at("2026-10-09") - timedelta(hours=1)
    found = clock_rows(connection, is_open=True, closed_since=since)

    assert [row.object_id for row in found] == ["taxation.e1", "taxation.e2"]
