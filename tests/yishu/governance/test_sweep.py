"""The sweep: each card once, no day lost, whoever holds the file named, statements flat."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from catalog.roles import Action, Role
from yishu.clocks import ClockEvent, EventKind
from yishu.governance.cards import FEEDBACK, Colour, answer_order, cards, orders
from yishu.governance.errors import Forbidden, OrderUnknown
from yishu.governance.notices import inbox
from yishu.governance.promises import (
    NewClock,
    clock_rows,
    open_clock,
    open_clocks,
    record_event,
    standings,
)
from yishu.governance.sweep import sweep
from yishu.governance.working_calendar import CalendarFile, load
from yishu.ledger.models import ClockDue, JournalRecord, NoticeRow

WORKING_DAYS = Path(__file__).resolve().parents[3] / "catalog" / "working_days"


@pytest.fixture
def opened(ledger_engine, officer, at):
    """Opens a clock of 15 working days from 2026-09-24, due on 2026-10-22."""

    def make(object_id="taxation.taxpayer", **changed):
        values = {
            "promise": "catalog_update",
            "profile": "wuxi_2022",
            "object_kind": "catalog_entry",
            "object_id": object_id,
            "holder_org": "taxation",
            "cause": "drift",
            "received_at": at("2026-09-24"),
        }
        with ledger_engine.begin() as connection:
            return open_clock(connection, NewClock(**{**values, **changed}), officer)

    return make


@pytest.fixture
def swept(ledger_engine, rules, at):
    """Sweeps on a day of Beijing, each in a transaction of its own."""

    def run(day, clock="08:00:00", **changed):
        with ledger_engine.begin() as connection:
            return sweep(connection, rules, at(day, clock), **changed)

    return run


@pytest.fixture
def people(reviewer, at):
    return reviewer, at


def read(engine, function, **kwargs):
    with engine.connect() as connection:
        return function(connection, **kwargs)


@pytest.mark.requirement("SUP-02")
def test_a_yellow_card_comes_once_however_often_is_swept(ledger_engine, opened, swept):
    opened()
    done = [swept(day).yellow for day in ("2026-10-16", "2026-10-19", "2026-10-19", "2026-10-20")]

    assert done == [0, 1, 0, 0]
    (card,) = read(ledger_engine, cards)
    assert (card.colour, card.issued_on, card.holder_org) == (
        "yellow",
        date(2026, 10, 19),
        "taxation",
    )


@pytest.mark.requirement("SUP-04", "COL-05")
def test_the_day_after_the_last_one_brings_a_red_card_and_an_order(ledger_engine, opened, swept):
    clock_id = opened()
    assert swept("2026-10-22").red == 0
    done = swept("2026-10-23")

    assert (done.red, done.orders) == (1, 1)
    (order,) = read(ledger_engine, orders)
    assert order.clock_id == clock_id
    assert (order.org_name, order.responsible_org) == ("无锡市税务局", "taxation")
    assert order.case_no == "taxation.taxpayer"
    assert "2026-10-22" in order.content
    assert order.result.startswith("逾期 1 个工作日")
    (feedback,) = [row for row in read(ledger_engine, clock_rows) if row.promise == FEEDBACK]
    assert (feedback.object_id, feedback.holder_org) == (order.order_no, "taxation")


def test_reminders_come_once_a_threshold_and_as_one_digest(ledger_engine, opened, swept):
    for n in range(60):
        opened(f"taxation.e{n:02}")
    told = [
        (day, done.reminders, done.notices)
        for day in (
            *("2026-10-16", "2026-10-19", "2026-10-19", "2026-10-20", "2026-10-21"),
            *("2026-10-22", "2026-10-23", "2026-10-24", "2026-10-27"),
        )
        for done in [swept(day)]
    ]

    assert told == [
        ("2026-10-16", 0, 0),
        ("2026-10-19", 60, 1),
        ("2026-10-19", 0, 0),
        ("2026-10-20", 0, 0),
        ("2026-10-21", 60, 1),
        ("2026-10-22", 60, 1),
        # After the last day the head of the department hears of it, too.
        ("2026-10-23", 60, 2),
        ("2026-10-24", 0, 0),
        # Three working days later the data authority; and the answers to the orders are due soon.
        ("2026-10-27", 120, 2),
    ]
    (first, *_) = sorted(read(ledger_engine, inbox), key=lambda notice: notice.at)
    assert first.subject == "办理期限提醒 2026-10-19：60 项，其中逾期 0 项"
    assert "其余 10 项见计时看板" in first.text


def test_it_goes_up_the_line_of_duty(ledger_engine, opened, swept):
    opened()
    for day in ("2026-10-22", "2026-10-23", "2026-10-27", "2026-10-29"):
        swept(day)
    roles = {(notice.at.date(), notice.org, notice.role) for notice in read(ledger_engine, inbox)}

    assert {(d, org, role) for d, org, role in roles if role is not Role.DEPARTMENT_OFFICER} == {
        (date(2026, 10, 23), "taxation", Role.DEPARTMENT_HEAD),
        (date(2026, 10, 27), "big_data_bureau", Role.AUTHORITY_REVIEWER),
        (date(2026, 10, 29), "big_data_bureau", Role.QUALITY_MONITOR),
    }


@pytest.mark.requirement("SUP-02", "SUP-04")
def test_ten_missed_days_lose_no_card_and_keep_their_order(ledger_engine, opened, swept):
    swept("2026-10-16")
    opened("taxation.slow")
    done = swept("2026-10-27")

    assert len(done.days) == 11
    assert [(one.colour, str(one.issued_on)) for one in reversed(read(ledger_engine, cards))] == [
        ("yellow", "2026-10-19"),
        ("red", "2026-10-23"),
    ]
    assert done.reminders == 1
    again = swept("2026-10-27")
    assert (again.yellow, again.red, again.notices) == (0, 0, 0)


def test_what_was_late_and_ended_while_nobody_swept_still_has_its_card(
    ledger_engine, opened, swept, officer, at
):
    swept("2026-10-16")
    late, in_time = opened("taxation.late"), opened("taxation.in_time")
    with ledger_engine.begin() as connection:
        for clock_id, day in ((late, "2026-10-26"), (in_time, "2026-10-21")):
            record_event(connection, clock_id, ClockEvent(EventKind.FULFILLED, at(day)), officer)
    done = swept("2026-10-27")

    red = [one.object_id for one in read(ledger_engine, cards, colour=Colour.RED)]
    assert red == ["taxation.late"]
    assert (done.orders, done.reminders) == (0, 0)


@pytest.mark.requirement("SUP-02")
def test_two_sweeps_at_once_make_what_one_makes(ledger_engine, opened, swept):
    for n in range(20):
        opened(f"taxation.e{n}")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(swept, ["2026-10-23", "2026-10-23"]))

    assert sorted(one.red for one in done) == [0, 20]
    assert sorted(one.orders for one in done) == [0, 20]
    assert sorted(one.notices for one in done) == [0, 2]


def test_a_process_killed_between_card_and_notice_leaves_neither(
    ledger_engine, opened, swept, monkeypatch
):
    opened()

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("yishu.governance.sweep.enqueue_all", killed)
        with pytest.raises(KeyboardInterrupt):
            swept("2026-10-23")
    assert read(ledger_engine, cards) == []
    done = swept("2026-10-23")
    assert (done.red, done.orders, done.notices) == (1, 1, 2)


@pytest.mark.requirement("COL-05")
def test_the_card_names_the_authority_when_it_holds_the_file(
    ledger_engine, opened, swept, officer, at
):
    """A department that submits on day 3, and an authority that still reviews on day 20."""
    clock_id = opened()
    with ledger_engine.begin() as connection:
        submitted = ClockEvent(EventKind.SUBMITTED, at("2026-09-29"))
        record_event(connection, clock_id, submitted, officer)
    swept("2026-10-29")

    (red,) = read(ledger_engine, cards, colour=Colour.RED)
    assert (red.party, red.holder_org) == ("data_authority", "big_data_bureau")
    (order,) = read(ledger_engine, orders)
    assert order.responsible_org == "big_data_bureau"


def test_a_clock_of_a_body_that_was_merged_away_goes_to_the_authority(ledger_engine, opened, swept):
    clock_id = opened(holder_org="abolished_bureau")
    done = swept("2026-10-23")

    assert done.orphans == (clock_id,)
    (card,) = read(ledger_engine, cards)
    assert card.holder_org == "big_data_bureau"
    assert {notice.org for notice in read(ledger_engine, inbox)} == {"big_data_bureau"}


def test_a_promise_that_was_dropped_stops_no_other_clock(ledger_engine, opened, swept):
    dropped = opened("taxation.old", promise="tea_break")
    opened()
    done = swept("2026-10-23")

    assert (done.red, done.unjudged) == (1, (dropped,))


def test_a_notice_that_moves_a_passed_day_takes_the_red_card_back(
    ledger_engine, opened, swept, people, rules
):
    reviewer, at = people
    days_file = "date,kind,name,document\n2026-10-22,day_off,台风停工,锡应急〔2026〕1号\n"
    clock_id = opened()
    swept("2026-10-23")
    with ledger_engine.begin() as connection:
        file = CalendarFile("local.csv", days_file.encode(), None)
        now = at("2026-10-23", "09:00:00")
        loaded = load(connection, WORKING_DAYS, file, rules, actor=reviewer, now=now)
        done = sweep(
            connection, replace(rules, calendar=loaded.calendar), at("2026-10-23", "10:00:00")
        )
    assert (done.withdrawn, done.red, done.yellow) == (1, 0, 1)
    (red,) = read(ledger_engine, cards, colour=Colour.RED)
    assert "顺延" in red.withdrawn_why
    (feedback,) = [row for row in read(ledger_engine, clock_rows) if row.promise == FEEDBACK]
    assert feedback.events[-1].kind is EventKind.WITHDRAWN
    (row,) = [row for row in read(ledger_engine, clock_rows) if row.clock_id == clock_id]
    assert row.closed_at is None


@pytest.mark.requirement("SUP-05")
def test_each_last_day_is_kept_with_the_calendar_that_gave_it(ledger_engine, opened, swept, rules):
    opened()
    for day in ("2026-10-16", "2026-10-19"):
        swept(day)
    told = read(
        ledger_engine,
        lambda connection: connection.execute(
            select(ClockDue.due_on, ClockDue.calendar_version)
        ).all(),
    )

    assert [tuple(row) for row in told] == [(date(2026, 10, 22), rules.calendar.version)]


@pytest.mark.requirement("SUP-04")
def test_an_order_is_answered_by_the_body_it_names(ledger_engine, opened, swept, officer, at):
    opened()
    swept("2026-10-23")
    (order,) = read(ledger_engine, orders)
    other = replace(officer, org="health")
    now = at("2026-10-26")
    with ledger_engine.begin() as connection, pytest.raises(Forbidden):
        answer_order(connection, order.order_no, "已更新", actor=other, now=now)
    with ledger_engine.begin() as connection, pytest.raises(OrderUnknown, match="empty answer"):
        answer_order(connection, order.order_no, " ", actor=officer, now=now)
    with ledger_engine.begin() as connection:
        answer_order(connection, order.order_no, "已更新", actor=officer, now=now)
    with ledger_engine.begin() as connection, pytest.raises(OrderUnknown, match="answered already"):
        answer_order(connection, order.order_no, "再答", actor=officer, now=now)

    (answered,) = read(ledger_engine, orders)
    assert (answered.feedback, answered.feedback_by) == ("已更新", "li.an")
    (feedback,) = [row for row in read(ledger_engine, clock_rows) if row.promise == FEEDBACK]
    assert feedback.closed_at == now


def test_a_late_answer_gets_a_card_and_no_further_order(ledger_engine, opened, swept):
    opened()
    for day in ("2026-10-23", "2026-11-02"):
        swept(day)
    red = [one.promise for one in read(ledger_engine, cards, colour=Colour.RED)]

    assert sorted(red) == ["catalog_update", FEEDBACK]
    assert len(read(ledger_engine, orders)) == 1


@pytest.mark.requirement("SUP-01", "SUP-02")
def test_ten_thousand_cards_at_once_take_as_many_statements_as_one(
    ledger_engine, officer, rules, at, statements
):
    """Every open clock is looked at in one sweep, however many there are."""

    def swept_with(count, kind):
        news = [
            NewClock(
                "catalog_update", "wuxi_2022", kind, f"{kind}.{n}", "taxation", "drift",
                at("2026-09-24") + timedelta(seconds=n),
            )
            for n in range(count)
        ]  # fmt: skip
        with ledger_engine.begin() as connection:
            open_clocks(connection, news, officer)
            statements.clear()
            done = sweep(connection, rules, at("2026-10-23"))
        return done, len(statements)

    one, few = swept_with(1, "a")
    many, still_few = swept_with(10_000, "b")

    assert (one.red, many.red, many.clocks) == (1, 10_000, 10_002)
    assert still_few <= few
    with ledger_engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(NoticeRow)).scalar_one() == 4


def test_a_sweep_is_in_the_journal(ledger_engine, opened, swept):
    opened()
    swept("2026-10-23")
    with ledger_engine.connect() as connection:
        asked = select(JournalRecord.after, JournalRecord.account).where(
            JournalRecord.action == Action.SWEEP_CLOCKS.value
        )
        (row,) = connection.execute(asked).all()
    assert (row.account, row.after["red"], row.after["orders"]) == ("rule:sweep", 1, 1)


def test_the_board_holds_both_kinds_of_clocks(ledger_engine, opened, rules, at):
    opened()
    opened("r-1", promise="request_reply_conditional", object_kind="share_request")
    with ledger_engine.connect() as connection:
        board = list(standings(clock_rows(connection, is_open=True), rules, at("2026-10-15")))
    assert {one.promise.name for one in board} == {"目录更新", "有条件共享申请答复"}
