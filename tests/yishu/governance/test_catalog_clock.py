"""The catalog's clock opens by itself, merges, names whose turn it is, and ends in two ways."""

from dataclasses import replace
from datetime import date

import pytest

from catalog.roles import Role
from catalog.vocabulary import ChangeCause
from yishu.clocks import EventKind, legs
from yishu.governance import catalog_clock
from yishu.governance.catalog_clock import Declared, DriftSeen, on_change, on_drift
from yishu.governance.errors import ClockEnded, Forbidden, ReasonMissing, StateRefused
from yishu.governance.promises import clock_of, clock_rows, standings
from yishu.ledger.journal import Actor

ENTRY = "taxation.taxpayer"


@pytest.fixture
def drift(at):
    def seen(day="2026-11-02", evidence="来源新增字段：tel（text）", **changed):
        return DriftSeen(ENTRY, "taxation", evidence, at(day), "run r1", **changed)

    return seen


@pytest.fixture
def both(officer, reviewer):
    return officer, reviewer


def declared(cause=ChangeCause.FUNCTION_CHANGE, day=date(2026, 9, 24), **entries):
    entries = entries or {ENTRY: "taxation", "taxation.second": "taxation"}
    return Declared(entries, cause, day, "机构改革")


@pytest.mark.requirement("COL-05")
def test_drift_opens_the_clock_with_its_evidence(connection, rules, drift, at):
    clock_id = on_drift(connection, drift(), "wuxi_2022")
    row = clock_of(connection, clock_id)
    (found,) = standings([row], rules, at("2026-11-02"))

    assert (row.holder_org, row.object_id) == ("taxation", ENTRY)
    assert row.events[0].note == "来源新增字段：tel（text）；最近一次相符：run r1"
    assert found.status.due_on == date(2026, 11, 23)


def test_the_same_drift_in_every_pull_is_one_event(connection, drift):
    on_drift(connection, drift(), "wuxi_2022")
    for day in ("2026-11-03", "2026-11-04"):
        assert on_drift(connection, drift(day), "wuxi_2022") is None
    more = on_drift(connection, drift("2026-11-05", "来源新增字段：fax（text）"), "wuxi_2022")
    (row,) = clock_rows(connection)

    assert row.clock_id == more
    assert [event.kind for event in row.events] == [EventKind.OPENED, EventKind.MERGED]


@pytest.mark.requirement("COL-05")
def test_a_technical_column_is_closed_by_an_accepted_no_change_and_stays_closed(
    connection, drift, officer, reviewer, at
):
    clock_id = on_drift(connection, drift(), "wuxi_2022")
    with pytest.raises(ReasonMissing):
        catalog_clock.propose_no_change(
            connection, clock_id, " ", actor=officer, now=at("2026-11-03")
        )
    catalog_clock.propose_no_change(
        connection, clock_id, "技术字段", actor=officer, now=at("2026-11-03")
    )
    with pytest.raises(Forbidden):
        catalog_clock.accept_no_change(
            connection, clock_id, "技术字段", actor=officer, now=at("2026-11-04")
        )
    catalog_clock.accept_no_change(
        connection, clock_id, "技术字段，不属政务数据", actor=reviewer, now=at("2026-11-04")
    )

    assert clock_of(connection, clock_id).events[-1].note == "技术字段，不属政务数据"
    assert on_drift(connection, drift("2026-11-09"), "wuxi_2022") is None
    other = drift("2026-11-10", "来源新增字段：fax（text）、tel（text）")
    assert on_drift(connection, other, "wuxi_2022") != clock_id
    with pytest.raises(ClockEnded):
        catalog_clock.accept_no_change(
            connection, clock_id, "再次", actor=reviewer, now=at("2026-11-11")
        )


@pytest.mark.requirement("COL-05")
def test_a_change_of_function_runs_for_every_entry_of_the_department(
    connection, rules, reviewer, at
):
    ids = on_change(connection, declared(), "wuxi_2022", actor=reviewer, now=at("2026-09-29"))
    found = list(standings(clock_rows(connection), rules, at("2026-09-29")))

    assert len(ids) == 2
    assert {one.status.due_on for one in found} == {date(2026, 10, 22)}
    again = on_change(connection, declared(), "wuxi_2022", actor=reviewer, now=at("2026-09-30"))
    assert sorted(again) == sorted(ids)
    assert {len(row.events) for row in clock_rows(connection)} == {1}


def test_a_change_of_law_has_a_clock_of_its_own(connection, reviewer, drift, at):
    on_drift(connection, drift(), "wuxi_2022")
    law = declared(ChangeCause.LAW_CHANGE, date(2026, 11, 3), **{ENTRY: "taxation"})
    on_change(connection, law, "wuxi_2022", actor=reviewer, now=at("2026-11-03"))

    assert {row.cause for row in clock_rows(connection)} == {"element_change", "law_change"}


def test_a_declared_change_and_its_drift_are_one(connection, officer, drift, at):
    element = declared(ChangeCause.ELEMENT_CHANGE, date(2026, 11, 2), **{ENTRY: "taxation"})
    (clock_id,) = on_change(connection, element, "wuxi_2022", actor=officer, now=at("2026-11-02"))

    assert on_drift(connection, drift("2026-11-05"), "wuxi_2022") == clock_id
    assert len(clock_rows(connection)) == 1


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_change_without_a_reason_is_refused(connection, reviewer, at, reason):
    with pytest.raises(ReasonMissing):
        on_change(
            connection,
            replace(declared(), reason=reason),
            "x",
            actor=reviewer,
            now=at("2026-11-02"),
        )


@pytest.mark.parametrize("day", [date.min, date(2021, 10, 28), date(2027, 5, 5), date.max])
def test_a_change_on_a_mistyped_day_is_refused(connection, reviewer, at, day):
    """Its clock would lie outside every calendar, and break the board of all clocks."""
    with pytest.raises(StateRefused, match="a day from 2021-10-29 to 2027-05-04"):
        on_change(
            connection,
            replace(declared(), changed_on=day),
            "wuxi_2022",
            actor=reviewer,
            now=at("2026-11-02"),
        )


def test_who_may_not_register_changes_opens_nothing(connection, at):
    operator = Actor("p", "op", Role.CENTRE_OPERATOR, "command_centre")
    with pytest.raises(Forbidden):
        on_change(connection, declared(), "wuxi_2022", actor=operator, now=at("2026-11-02"))
    assert clock_rows(connection) == []


@pytest.mark.requirement("COL-05")
def test_submission_and_publication_are_two_legs(connection, rules, both, drift, at):
    officer, reviewer = both
    clock_id = on_drift(connection, drift(), "wuxi_2022")
    step = {"actor": officer, "now": at("2026-11-05")}
    catalog_clock.submitted(connection, ENTRY, **step)
    catalog_clock.returned(connection, ENTRY, "缺共享条件", actor=reviewer, now=at("2026-11-06"))
    catalog_clock.submitted(connection, ENTRY, actor=officer, now=at("2026-11-10"))
    catalog_clock.published(connection, ENTRY, 2, actor=reviewer, now=at("2026-11-12"))
    row = clock_of(connection, clock_id)
    (found,) = standings([row], rules, at("2026-12-01"))

    assert found.status.state == "met"
    assert [
        (leg.party.value, leg.working_days)
        for leg in legs(found.promise, row.events, rules.calendar, at("2026-12-01"))
    ] == [("department", 6), ("data_authority", 2)]
