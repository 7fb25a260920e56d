"""Clocks taken together stand as each of them stands alone, and are counted as many as they are."""

from datetime import date, timedelta

import pytest

from catalog.promise import ClockCause
from yishu.clocks import ClockEvent, EventKind
from yishu.governance.board import standing_now
from yishu.governance.promises import NewClock, open_clocks, record_event
from yishu.governance.running import Month, alike, placed

DAYS = 30


@pytest.fixture
def clocks(connection, officer, at):
    """Ninety clocks of two promises, and such to which everything happened that may."""
    news = [
        NewClock(
            ("catalog_update", "request_reply_conditional")[one % 2], "wuxi_2022", "entry",
            f"x.e{one:03}", ("taxation", "health")[one % 3 % 2], "drift",
            at("2026-09-01") + timedelta(days=one % DAYS), working_days=3 * (one % 7 == 0),
        )
        for one in range(90)
    ]  # fmt: skip
    ids = open_clocks(connection, news, officer)
    merged = [NewClock("catalog_update", "wuxi_2022", "entry", "x.e020", "taxation", "drift",
                       at("2026-08-20"))]  # fmt: skip
    open_clocks(connection, merged, officer)
    happened = [
        ClockEvent(EventKind.SUBMITTED, at("2026-10-01")),
        ClockEvent(EventKind.EXTENDED, at("2026-10-02"), ClockCause.SPECIAL_REASON, 5, "zhou.ping"),
        ClockEvent(
            EventKind.PAUSED, at("2026-10-02"), ClockCause.RETURNED_FOR_COMPLETION, 0, "zhou.ping"
        ),
        ClockEvent(EventKind.HELD, at("2026-10-03"), due_on=date(2026, 11, 11)),
        ClockEvent(EventKind.REASSIGNED, at("2026-10-03"), org="transport"),
        ClockEvent(EventKind.FULFILLED, at("2026-10-03")),
    ]
    for clock_id, event in zip(ids[23::2], happened, strict=False):
        record_event(connection, clock_id, event, officer)
    for clock_id, event in zip(ids[52::2], happened, strict=False):
        record_event(connection, clock_id, event, officer)
    return ids


def test_together_they_stand_as_each_alone(connection, rules, clocks, at):
    now = at("2026-10-12")
    alone = standing_now(connection, rules, now)
    groups = alike(connection, rules, now)

    assert sum(one.clocks for one in groups) == len(alone) == 88
    assert len(groups) < len(alone)
    found = placed(connection, groups, rules, now)
    assert [one.row.clock_id for one in found.listed] == [one.row.clock_id for one in alone]
    assert {one.status.state for one in alone} >= {"green", "yellow", "red", "paused"}
    counted = {}
    for one in groups:
        key = (one.holder_org, one.holder, one.status)
        counted[key] = counted.get(key, 0) + one.clocks
    assert counted == _counted(alone, rules)


def _counted(alone, rules):
    found = {}
    for one in alone:
        holder = rules.org_of(one.status.holder, one.row.holder_org)
        key = (one.row.holder_org, holder, one.status)
        found[key] = found.get(key, 0) + 1
    return found


def test_a_page_and_a_month_read_those_clocks_alone(connection, rules, clocks, at):
    now = at("2026-10-12")
    alone = standing_now(connection, rules, now)
    groups = alike(connection, rules, now)
    month = Month(date(2026, 10, 1), date(2026, 10, 31), 2)

    found = placed(connection, groups, rules, now, offset=20, limit=10, month=month)

    assert [one.row.clock_id for one in found.listed] == [one.row.clock_id for one in alone[20:30]]
    days = {}
    for one in alone:
        if month.first <= one.status.due_on <= month.last:
            days.setdefault(one.status.due_on, []).append(one.row.clock_id)
    assert [id_ for id_, _ in found.of_days] == [id_ for of in days.values() for id_ in of[:2]]
    assert all(group.status.due_on in days for _, group in found.of_days)


def test_a_promise_that_nobody_makes_any_more_is_left_out(connection, rules, officer, at):
    gone = NewClock("gone", "wuxi_2022", "entry", "x.e", "taxation", "drift", at("2026-10-01"))
    open_clocks(connection, [gone], officer)

    assert alike(connection, rules, at("2026-10-02")) == []
