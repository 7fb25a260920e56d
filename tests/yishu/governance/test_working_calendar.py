"""A loaded notice computes every open clock anew, and makes nobody late in hindsight."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from yishu.clocks import ClockState
from yishu.clocks.errors import CalendarFaulty
from yishu.governance.errors import Forbidden
from yishu.governance.promises import NewClock, clock_rows, open_clock, standings
from yishu.governance.working_calendar import CalendarFile, calendar_in_force, load
from yishu.ledger.models import CalendarLoad, ClockDue, JournalRecord

WORKING_DAYS = Path(__file__).resolve().parents[3] / "catalog" / "working_days"
NUMBER = "国办发明电〔2026〕9号"


def notice(*rows: str) -> CalendarFile:
    """A whole notice for 2027 with these rows more."""
    fixed = [f"2027-{md},holiday" for md in ("01-01", "05-01", "10-01", "10-02", "10-03")]
    lines = [f"2027,{row},节日,{NUMBER}" for row in [*fixed, *rows]]
    text = "\n".join(["year,date,kind,name,notice", *lines, ""])
    return CalendarFile("notice.csv", text.encode(), 2027)


def reply(at, day, **changed):
    values = {
        "promise": "request_reply_conditional",
        "profile": "wuxi_2022",
        "object_kind": "share_request",
        "object_id": f"r-{day}",
        "holder_org": "taxation",
        "cause": "filed",
        "received_at": at(day),
    }
    return NewClock(**{**values, **changed})


def judged(connection, rules, now):
    calendar = calendar_in_force(connection, WORKING_DAYS)
    rows = clock_rows(connection)
    return [one.status for one in standings(rows, replace(rules, calendar=calendar), now)]


@pytest.mark.requirement("SUP-05")
def test_provisional_days_are_computed_anew_told_and_journalled(
    connection, rules, reviewer, officer, at
):
    open_clock(connection, reply(at, "2026-12-21"), officer)
    (before,) = judged(connection, rules, at("2026-12-22"))
    file = notice("2027-01-04,holiday")
    done = load(connection, WORKING_DAYS, file, rules, actor=reviewer, now=at("2026-12-22"))
    (after,) = judged(connection, rules, at("2026-12-22"))

    assert (before.due_on, before.is_provisional) == (date(2027, 1, 5), True)
    assert (after.due_on, after.is_provisional) == (date(2027, 1, 6), False)
    assert [(one.before, one.after) for one in done.moved] == [(before.due_on, after.due_on)]
    told = connection.execute(select(ClockDue.due_on, ClockDue.calendar_version)).one()
    assert tuple(told) == (after.due_on, done.calendar.version)
    act = connection.execute(
        select(JournalRecord.after).where(JournalRecord.object_id == "notice 2027")
    ).scalar_one()
    assert list(act["moved"].values()) == [["2027-01-05", "2027-01-06"]]


def test_a_day_that_only_becomes_certain_is_told_too(connection, rules, reviewer, officer, at):
    open_clock(connection, reply(at, "2026-12-21"), officer)
    done = load(connection, WORKING_DAYS, notice(), rules, actor=reviewer, now=at("2026-12-22"))

    assert [(one.before == one.after, one.is_provisional) for one in done.moved] == [(True, False)]


def test_loading_again_changes_nothing(connection, rules, reviewer, at):
    load(connection, WORKING_DAYS, notice(), rules, actor=reviewer, now=at("2026-12-22"))
    again = load(connection, WORKING_DAYS, notice(), rules, actor=reviewer, now=at("2026-12-23"))
    newer = load(
        connection,
        WORKING_DAYS,
        notice("2027-02-08,holiday"),
        rules,
        actor=reviewer,
        now=at("2026-12-24"),
    )

    assert (again.version, newer.version) == (0, 2)
    assert connection.execute(select(func.count()).select_from(CalendarLoad)).scalar_one() == 2


def test_a_notice_that_comes_late_makes_nobody_late(connection, rules, reviewer, officer, at):
    """Saturday 2027-01-02 becomes a workday after it has passed: the told day stays."""
    open_clock(connection, reply(at, "2026-12-18"), officer)
    now = at("2027-01-04", "09:00:00")
    (before,) = judged(connection, rules, now)
    done = load(
        connection,
        WORKING_DAYS,
        notice("2027-01-02,make_up_workday"),
        rules,
        actor=reviewer,
        now=now,
    )
    (after,) = judged(connection, rules, now)

    assert before.due_on == date(2027, 1, 4)
    assert [one.is_held for one in done.moved] == [True]
    assert (after.due_on, after.state) == (date(2027, 1, 4), ClockState.YELLOW)


def test_a_notice_may_move_a_passed_day_on(connection, rules, reviewer, officer, at):
    open_clock(connection, reply(at, "2026-12-21"), officer)
    now = at("2027-01-06")
    (before,) = judged(connection, rules, now)
    load(connection, WORKING_DAYS, notice("2027-01-04,holiday"), rules, actor=reviewer, now=now)
    (after,) = judged(connection, rules, now)

    assert (before.state, after.state) == (ClockState.RED, ClockState.YELLOW)


def test_local_days_are_loaded_as_a_whole(connection, rules, reviewer, at):
    text = "date,kind,name,document\n2026-11-25,day_off,台风停工,锡应急〔2026〕1号\n"
    file = CalendarFile("local.csv", text.encode("gb18030"), None)
    done = load(connection, WORKING_DAYS, file, rules, actor=reviewer, now=at("2026-11-24"))

    assert not calendar_in_force(connection, WORKING_DAYS).is_working(date(2026, 11, 25))
    assert done.days == 1


def test_who_may_not_load_changes_nothing(connection, rules, officer, at):
    with pytest.raises(Forbidden):
        load(connection, WORKING_DAYS, notice(), rules, actor=officer, now=at("2026-12-22"))


def test_a_faulty_notice_changes_nothing(connection, rules, reviewer, at):
    file = replace(notice(), content=b"year,date\n")
    with pytest.raises(CalendarFaulty):
        load(connection, WORKING_DAYS, file, rules, actor=reviewer, now=at("2026-12-22"))
    assert connection.execute(select(func.count()).select_from(CalendarLoad)).scalar_one() == 0
