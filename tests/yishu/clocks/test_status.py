"""Status: what moves a last day and what does not, whose turn it is, and the edges of days."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.promise import ClockCause, Party, Promise
from yishu.clocks import (
    BEIJING,
    ClockEvent,
    ClockState,
    EventKind,
    earlier_elsewhere,
    legs,
    others_of,
    promise_of,
    status,
    statuses,
)
from yishu.clocks.errors import PromiseUnknown

ROOT = Path(__file__).resolve().parents[3]
UPDATE = Promise(name="目录更新", working_days=15, warning_lead_days=3, basis="S004 第十四条")
REPLY = Promise(
    name="答复",
    working_days=10,
    extension_working_days=10,
    extension_causes=(ClockCause.SPECIAL_REASON,),
    extension_consent=Party.DATA_AUTHORITY,
    pause_causes=(ClockCause.RETURNED_FOR_COMPLETION,),
    basis="x",
)


def at(day: str, clock: str = "10:00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BEIJING)


def event(kind: EventKind, day: str, **kwargs) -> ClockEvent:
    return ClockEvent(kind, at(day), **kwargs)


def opened(day: str) -> ClockEvent:
    return event(EventKind.OPENED, day)


def paused(day: str) -> ClockEvent:
    return event(EventKind.PAUSED, day, cause=ClockCause.RETURNED_FOR_COMPLETION)


@pytest.fixture(scope="module")
def profiles():
    catalog, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return catalog.profiles


@pytest.mark.requirement("COL-05")
def test_a_change_before_national_day_is_due_after_fifteen_working_days(calendar, profiles):
    promise = promise_of(profiles, "wuxi_2022", "catalog_update")
    clock = [opened("2026-09-24")]

    assert status(promise, clock, calendar, at("2026-09-24")).due_on == date(2026, 10, 22)
    assert status(promise, clock, calendar, at("2026-10-22", "23:59:59")).state is ClockState.YELLOW
    assert status(promise, clock, calendar, at("2026-10-23", "00:00:00")).state is ClockState.RED


@pytest.mark.parametrize(
    ("now", "state", "remaining"),
    [
        ("2026-10-16", ClockState.GREEN, 4),
        ("2026-10-17", ClockState.GREEN, 4),
        ("2026-10-19", ClockState.YELLOW, 3),
        ("2026-10-22", ClockState.YELLOW, 0),
        ("2026-10-23", ClockState.RED, -1),
    ],
)
@pytest.mark.requirement("SUP-02", "SUP-04")
def test_colours_follow_the_lead(calendar, now, state, remaining):
    found = status(UPDATE, [opened("2026-09-24")], calendar, at(now))

    assert (found.state, found.remaining) == (state, remaining)


@pytest.mark.parametrize(("now", "state"), [("2026-10-13", "green"), ("2026-10-14", "yellow")])
def test_yellow_may_begin_at_a_share_of_the_time(calendar, now, state):
    promise = UPDATE.model_copy(update={"working_days": 10, "warning_percent": 90})

    assert status(promise, [opened("2026-09-24")], calendar, at(now)).state == state


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (at("2026-10-01"), "2026-10-08"),
        (at("2026-09-20"), "2026-09-21"),
        (at("2026-12-31"), "2027-01-04"),
        # 23:59:59 in Beijing, as a server in UTC sees it: still the 24th.
        (datetime(2026, 9, 24, 15, 59, 59, tzinfo=UTC), "2026-09-28"),
        (datetime(2026, 9, 24, 16, 0, 0, tzinfo=UTC), "2026-09-28"),
        (datetime(2026, 9, 23, 16, 0, 0, tzinfo=UTC), "2026-09-28"),
        (datetime(2026, 9, 23, 15, 59, 59, tzinfo=UTC), "2026-09-24"),
    ],
)
def test_the_day_of_receipt_is_the_day_in_beijing_and_not_counted(calendar, received, due):
    promise = UPDATE.model_copy(update={"working_days": 1})
    found = status(promise, [ClockEvent(EventKind.OPENED, received)], calendar, received)

    assert found.due_on == date.fromisoformat(due)


def test_a_clock_in_the_window_of_the_missing_notice_runs_and_says_so(calendar):
    found = status(UPDATE, [opened("2026-12-11")], calendar, at("2026-12-11"))

    assert (found.due_on, found.is_provisional) == (date(2027, 1, 4), True)


@pytest.mark.requirement("SUP-13")
def test_no_edit_moves_a_due_date(calendar):
    clock = [opened("2026-09-24")]
    due = status(UPDATE, clock, calendar, at("2026-09-25")).due_on
    others = [
        event(kind, "2026-09-29", note="edited", org="health")
        for kind in EventKind
        if kind not in (EventKind.OPENED, EventKind.EXTENDED, EventKind.PAUSED, EventKind.HELD)
    ]
    for other in others:
        assert status(UPDATE, [*clock, other], calendar, at("2026-09-30")).due_on == due


@pytest.mark.requirement("SUP-13")
def test_a_pause_counts_for_a_listed_cause_only(calendar):
    clock = [opened("2026-11-02"), paused("2026-11-04"), event(EventKind.RESUMED, "2026-11-11")]

    assert status(REPLY, clock, calendar, at("2026-11-12")).due_on == date(2026, 11, 23)
    assert status(UPDATE, clock, calendar, at("2026-11-12")).due_on == date(2026, 11, 23)
    unlisted = REPLY.model_copy(update={"pause_causes": ()})
    assert status(unlisted, clock, calendar, at("2026-11-12")).due_on == date(2026, 11, 16)


def test_while_it_is_paused_the_last_day_moves_on_and_is_provisional(calendar):
    clock = [opened("2026-11-02"), paused("2026-11-04")]
    found = status(REPLY, clock, calendar, at("2026-11-11"))

    assert (found.state, found.due_on) == (ClockState.PAUSED, date(2026, 11, 23))
    assert found.is_provisional


def test_a_pause_never_ended_ends_by_itself(calendar):
    clock = [opened("2026-03-02"), paused("2026-03-04")]
    limit = REPLY.pause_limit_working_days
    last = calendar.add(date(2026, 3, 4), limit)
    still = status(REPLY, clock, calendar, at(str(last)))
    over = status(REPLY, clock, calendar, at(str(calendar.add(last, 1))))
    late = status(REPLY, clock, calendar, at("2026-06-01"))

    assert (still.state, over.state) == (ClockState.PAUSED, ClockState.GREEN)
    assert over.is_pause_over
    assert late.state is ClockState.RED
    assert late.due_on == still.due_on == calendar.add(date(2026, 3, 16), limit)


@pytest.mark.requirement("SUP-13")
def test_what_comes_after_the_last_day_does_not_heal_it(calendar):
    clock = [opened("2026-11-02")]
    late = [
        paused("2026-11-17"),
        event(EventKind.EXTENDED, "2026-11-17", working_days=10, cause=ClockCause.SPECIAL_REASON),
    ]

    for one in late:
        found = status(REPLY, [*clock, one], calendar, at("2026-11-18"))
        assert (found.state, found.due_on) == (ClockState.RED, date(2026, 11, 16))


def test_extensions_stop_at_what_the_promise_allows(calendar):
    longer = event(EventKind.EXTENDED, "2026-11-03", working_days=8)
    clock = [opened("2026-11-02"), longer, longer]

    assert status(REPLY, clock, calendar, at("2026-11-04")).due_on == calendar.add(
        date(2026, 11, 2), 20
    )


@pytest.mark.parametrize(
    ("day", "state"), [("2026-11-16", ClockState.MET), ("2026-11-17", ClockState.MET_LATE)]
)
def test_a_closed_clock_was_met_or_met_late_for_good(calendar, day, state):
    clock = [opened("2026-11-02"), event(EventKind.FULFILLED, day)]

    assert status(REPLY, clock, calendar, at("2027-06-01")).state is state


def test_a_weekend_after_the_last_day_is_late_already(calendar):
    clock = [opened("2026-11-06")]
    found = status(REPLY, clock, calendar, at("2026-11-21"))

    assert (found.due_on, found.state, found.remaining) == (date(2026, 11, 20), "red", -1)


def test_a_held_day_is_not_moved_back_by_a_notice(calendar):
    held = event(EventKind.HELD, "2026-11-03", due_on=date(2026, 11, 18))
    clock = [opened("2026-11-02"), held]

    assert status(REPLY, clock, calendar, at("2026-11-04")).due_on == date(2026, 11, 18)


@pytest.mark.requirement("COL-05")
def test_the_two_legs_are_attributed_apart(calendar):
    """The department submits on day 3, the authority reviews until day 20: its is the card."""
    clock = [opened("2026-09-01"), event(EventKind.SUBMITTED, "2026-09-04")]
    now = at(str(calendar.add(date(2026, 9, 1), 20)))
    found = status(UPDATE, clock, calendar, now)

    assert (found.state, found.holder) == (ClockState.RED, Party.DATA_AUTHORITY)
    assert [(leg.party, leg.working_days) for leg in legs(UPDATE, clock, calendar, now)] == [
        (Party.DEPARTMENT, 3),
        (Party.DATA_AUTHORITY, 17),
    ]


def test_a_returned_submission_leaves_the_time_with_the_department(calendar):
    clock = [
        opened("2026-09-01"),
        event(EventKind.SUBMITTED, "2026-09-04"),
        event(EventKind.RETURNED, "2026-09-08"),
    ]
    now = at("2026-09-10")

    assert status(UPDATE, clock, calendar, now).holder is Party.DEPARTMENT
    assert [leg.party for leg in legs(UPDATE, clock, calendar, now)] == [Party.DEPARTMENT]
    again = [
        *clock,
        event(EventKind.SUBMITTED, "2026-09-10"),
        event(EventKind.FULFILLED, "2026-09-11"),
    ]
    assert [leg.working_days for leg in legs(UPDATE, again, calendar, now)] == [7, 1]


def test_the_other_profiles_earlier_day_is_shown_beside(calendar, profiles):
    mine = promise_of(profiles, "wuxi_2022", "catalog_update")
    others = others_of(profiles, "wuxi_2022", "catalog_update")
    clock, now = [opened("2026-09-24")], at("2026-09-25")

    def beside(own, those):
        found = (status(one, clock, calendar, now) for one in those)
        return earlier_elsewhere(status(own, clock, calendar, now), found)

    assert beside(mine, others) == date(2026, 10, 15)
    decree = promise_of(profiles, "cn_decree_809", "catalog_update")
    back = others_of(profiles, "cn_decree_809", "catalog_update")
    assert beside(decree, back) is None


def test_the_strictest_of_both_is_one_option(profiles):
    promise = promise_of(profiles, "strictest", "catalog_update")

    assert (promise.working_days, promise.extension_working_days) == (10, 0)
    assert promise.warning_lead_days == 3


CASES = {"case_acceptance": (5, 0), "case_handling": (20, 10), "case_instant": (0, 0)}


@pytest.mark.requirement("SUP-13")
def test_profiles_make_every_promise_of_law_and_mark_the_local_ones(profiles):
    decree = profiles["cn_decree_809"].promises
    days = {
        name: (promise.working_days, promise.extension_working_days)
        for name, promise in decree.items()
        if not promise.is_local_choice
    }

    assert days == {
        "catalog_update": (10, 5),
        "catalog_review_publish": (2, 0),
        "request_reply_unconditional": (1, 10),
        "request_reply_conditional": (10, 10),
        "deliver_after_consent": (20, 0),
        "correction": (10, 0),
        **CASES,
    }
    city = profiles["wuxi_2022"].promises
    law = {name: p.working_days for name, p in city.items() if not p.is_local_choice}
    assert law == {
        "catalog_update": 15,
        "request_reply_unconditional": 10,
        "request_reply_conditional": 10,
        **{name: days for name, (days, _) in CASES.items()},
    }
    assert promise_of(profiles, "cn_decree_809", "supervision_feedback").is_local_choice


def test_an_opening_that_states_its_own_limit_runs_by_it(calendar):
    """Five days from 2026-11-02 instead of fifteen; an extension counts from there."""
    clock = [event(EventKind.OPENED, "2026-11-02", working_days=5)]
    found = status(UPDATE, clock, calendar, at("2026-11-03"))

    assert (found.due_on, found.remaining) == (date(2026, 11, 9), 4)


def test_an_unknown_promise_is_refused(profiles):
    with pytest.raises(PromiseUnknown, match="no such promise"):
        promise_of(profiles, "wuxi_2022", "tea_break")


def test_many_at_once_are_what_each_is_alone(calendar):
    now = at("2026-11-18")
    clocks = [
        (promise, [opened(f"2026-10-{day:02}"), *more])
        for promise in (UPDATE, REPLY)
        for day in range(9, 31)
        for more in ([], [paused("2026-11-04")], [event(EventKind.FULFILLED, "2026-11-04")])
    ]
    alone = [status(promise, events, calendar, now) for promise, events in clocks]

    assert list(statuses(clocks, calendar, now)) == alone
    assert len({found.state for found in alone}) > 3
