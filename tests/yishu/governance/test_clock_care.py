"""More time and pauses only by the promise's rules, with who consented."""

from dataclasses import replace
from datetime import date

import pytest

from catalog.promise import ClockCause
from yishu.clocks import ClockState
from yishu.governance.clock_care import Extension, extend, pause, reassign, resume, standing
from yishu.governance.errors import ExtensionRefused, Forbidden, PauseRefused
from yishu.governance.notices import inbox
from yishu.governance.promises import NewClock, clock_of, open_clock

SPECIAL = Extension(5, ClockCause.SPECIAL_REASON, "系统升级", requester_org="health")


@pytest.fixture
def opened(connection, officer, at):
    def make(promise="catalog_update", profile="cn_decree_809", day="2026-11-02"):
        new = NewClock(
            promise, profile, "catalog_entry", "taxation.taxpayer", "taxation", "drift", at(day)
        )
        return open_clock(connection, new, officer)

    return make


@pytest.mark.requirement("SUP-13")
def test_the_authority_extends_once_and_no_longer_than_the_law_allows(
    connection, rules, reviewer, opened, at
):
    clock_id = opened()
    assert standing(connection, clock_id, rules, at("2026-11-03")).status.due_on == date(
        2026, 11, 16
    )
    after = extend(connection, clock_id, SPECIAL, rules, actor=reviewer, now=at("2026-11-16"))

    assert after.status.due_on == date(2026, 11, 23)
    assert clock_of(connection, clock_id).events[-1].consent_by == "zhou.ping"
    with pytest.raises(ExtensionRefused, match="of 0 that are left"):
        extend(connection, clock_id, SPECIAL, rules, actor=reviewer, now=at("2026-11-17"))


@pytest.mark.requirement("SUP-13")
def test_an_extension_asked_after_the_last_day_is_refused(connection, rules, reviewer, opened, at):
    clock_id = opened()
    with pytest.raises(ExtensionRefused, match="after the last day 2026-11-16"):
        extend(connection, clock_id, SPECIAL, rules, actor=reviewer, now=at("2026-11-17"))
    assert len(clock_of(connection, clock_id).events) == 1


def test_a_city_promise_without_extension_gets_none(connection, rules, reviewer, opened, at):
    clock_id = opened(profile="wuxi_2022")
    with pytest.raises(ExtensionRefused, match="no cause"):
        extend(connection, clock_id, SPECIAL, rules, actor=reviewer, now=at("2026-11-03"))


def test_a_department_does_not_extend_for_itself(connection, rules, officer, opened, at):
    with pytest.raises(Forbidden):
        extend(connection, opened(), SPECIAL, rules, actor=officer, now=at("2026-11-03"))


def test_an_extension_without_the_requester_who_must_be_told_is_refused(
    connection, rules, reviewer, opened, at
):
    clock_id = opened("request_reply_conditional")
    silent = replace(SPECIAL, requester_org=None)
    with pytest.raises(ExtensionRefused, match="no requester named"):
        extend(connection, clock_id, silent, rules, actor=reviewer, now=at("2026-11-03"))
    assert len(clock_of(connection, clock_id).events) == 1


def test_the_requester_is_told_of_an_extension(connection, rules, reviewer, opened, at):
    clock_id = opened("request_reply_conditional")
    extend(connection, clock_id, SPECIAL, rules, actor=reviewer, now=at("2026-11-03"))
    (told,) = inbox(connection)

    assert (told.org, "2026-11-23" in told.text) == ("health", True)


@pytest.mark.requirement("SUP-13")
def test_both_clocks_run_on_one_engine_and_pause_for_listed_causes_only(
    connection, rules, reviewer, opened, at
):
    update, reply = opened(), opened("request_reply_conditional")
    cause = ClockCause.RETURNED_FOR_COMPLETION
    with pytest.raises(PauseRefused, match="no cause at all"):
        pause(connection, update, cause, "补正", rules, actor=reviewer, now=at("2026-11-04"))
    paused = pause(connection, reply, cause, "补正", rules, actor=reviewer, now=at("2026-11-04"))
    with pytest.raises(PauseRefused, match="a clock that is paused"):
        pause(connection, reply, cause, "补正", rules, actor=reviewer, now=at("2026-11-05"))
    resumed = resume(connection, reply, rules, actor=reviewer, now=at("2026-11-11"))

    assert paused.status.state is ClockState.PAUSED
    assert resumed.status.due_on == date(2026, 11, 23)
    with pytest.raises(PauseRefused, match="a paused clock"):
        resume(connection, reply, rules, actor=reviewer, now=at("2026-11-12"))


def test_the_successor_of_a_merged_body_takes_its_time_limits_over(
    connection, rules, reviewer, opened, at
):
    clock_id = opened()
    ids = reassign(
        connection, "taxation", "health", "机构改革", actor=reviewer, now=at("2026-11-04")
    )
    found = standing(connection, clock_id, rules, at("2026-11-05"))

    assert ids == [clock_id]
    assert (found.row.holder_org, found.status.due_on) == ("health", date(2026, 11, 16))
