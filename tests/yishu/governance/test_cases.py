"""Service cases: all of them supervised, by the same calendar, cards and orders as everything."""

from datetime import date, datetime

import pyarrow as pa
import pytest
from sqlalchemy import func, select

from catalog.promise import ClockCause
from catalog.roles import Role
from yishu.clocks import BEIJING, ClockState
from yishu.governance import clock_care
from yishu.governance.board import board
from yishu.governance.cards import cards, orders
from yishu.governance.cases import CASE, history, supervise_cases
from yishu.governance.errors import ClockUnknown, PauseRefused
from yishu.governance.procedures import Procedure, stretches
from yishu.governance.sweep import sweep
from yishu.ledger.journal import Actor
from yishu.ledger.models import ClockEventRow, JournalRecord
from yishu.library import publish_snapshot
from yishu.pipeline.cases import cases_of, steps_of

APPROVAL, LABOUR = "administrative_approval.approval_case", "human_resources.hr_case"
APPLIED = datetime(2026, 9, 24, 9, 0, tzinfo=BEIJING)
ACCEPTED = datetime(2026, 9, 24, 15, 0, tzinfo=BEIJING)
MOMENT = pa.timestamp("us", "UTC")


class City:
    """A library of cases, and the rounds of supervision that follow it."""

    def __init__(self, root, engine, catalog, rules, at):
        self.runs = 0
        self.root, self.engine, self.catalog, self.rules, self.at = root, engine, catalog, rules, at

    def put(self, subject, key, **columns):
        batch = pa.record_batch(columns)
        self.runs += 1
        when = {"run_id": f"r{self.runs}", "committed_at": APPLIED, "read": batch.num_rows}
        publish_snapshot(self.root, f"subject/{subject}", batch.schema, [batch], key=[key], **when)

    def apply(self, *cases):
        """Publish cases: number, entry, accepted at, the item's code, the day that was named."""
        no, entry, accepted, item, promised = zip(*cases, strict=True)
        self.put(
            "case_application",
            "case_no",
            case_no=list(no),
            _entry_id=list(entry),
            applied_at=pa.array([APPLIED] * len(no), MOMENT),
            accepted_at=pa.array(accepted, MOMENT),
            implementation_code=list(item),
            promised_on=pa.array(promised, pa.date32()),
        )

    def decide(self, **decided):
        self.put(
            "case_result",
            "case_no",
            case_no=list(decided),
            decided_on=pa.array([date.fromisoformat(day) for day in decided.values()], pa.date32()),
        )

    def interrupt(self, *told):
        """Publish special procedures: number, case, first moment, last one."""
        no, case, start, end = zip(*told, strict=True)
        self.put(
            "case_process",
            "process_no",
            process_no=list(no),
            case_no=list(case),
            process_step=["6"] * len(no),
            started_at=pa.array(start, MOMENT),
            ended_at=pa.array(end, MOMENT),
        )

    def supervise(self, day):
        now = self.at(day, "08:00:00")
        with self.engine.begin() as connection:
            seen = supervise_cases(connection, cases_of(self.root, self.catalog), self.rules, now)
            return seen, sweep(connection, self.rules, now)

    def ask(self, function, *arguments, **kwargs):
        with self.engine.connect() as connection:
            return function(connection, *arguments, **kwargs)

    def lines(self, day, **kwargs):
        found = self.ask(board, self.rules, self.at(day), object_kind=CASE, **kwargs)
        return {(line.object_id, line.promise): line for line in found}


@pytest.fixture
def city(tmp_path, ledger_engine, catalog, rules, at):
    """Cases accepted on 2026-09-24: ten days promised, none known, instant, decided, by law."""
    made = City(tmp_path / "库", ledger_engine, catalog, rules, at)
    made.put(
        "service_item",
        "implementation_code",
        implementation_code=["TEN", "NOW", "LAW", "BEYOND"],
        promised_days=pa.array([10, 0, None, 30], pa.int32()),
        statutory_days=pa.array([20, 5, 7, 15], pa.int32()),
    )
    made.apply(
        ("C1", APPROVAL, ACCEPTED, "TEN", None),
        ("C2", APPROVAL, ACCEPTED, "GONE", None),
        ("C3", APPROVAL, ACCEPTED, "NOW", None),
        ("C4", APPROVAL, ACCEPTED, "GONE", date(2026, 10, 9)),
        ("C5", APPROVAL, None, "TEN", None),
        ("C6", APPROVAL, ACCEPTED, "LAW", None),
        ("C7", APPROVAL, ACCEPTED, "BEYOND", None),
    )
    made.decide(C4="2026-09-28")
    return made


@pytest.mark.requirement("SUP-01", "SUP-05")
def test_every_case_runs_by_what_was_promised_in_working_days(city):
    seen, _ = city.supervise("2026-09-25")
    lines = city.lines("2026-09-25", with_ended=True)

    assert (seen.cases, seen.supervised, seen.blind) == (7, 7, {})
    assert {no for no, _ in lines} == {f"C{number}" for number in range(1, 8)}
    due = {key: line.due_on for key, line in lines.items()}
    assert due["C1", "case_handling"] == date(2026, 10, 15), "ten working days over National Day"
    assert due["C2", "case_handling"] == date(2026, 10, 29), "the law's twenty"
    assert due["C3", "case_instant"] == date(2026, 9, 24)
    assert due["C4", "case_handling"] == date(2026, 10, 9), "the day that was named"
    assert due["C5", "case_acceptance"] == date(2026, 10, 9)
    assert due["C6", "case_handling"] == date(2026, 10, 12), "what the law gives the item"
    assert due["C7", "case_handling"] == date(2026, 10, 22), "no promise exceeds the law"


@pytest.mark.requirement("SUP-01", "SUP-02", "SUP-04")
def test_cases_get_a_yellow_card_a_red_one_and_an_order_each_once(city):
    city.supervise("2026-09-25")
    found = [
        [
            (one.object_id, one.colour)
            for one in city.ask(cards)
            if one.issued_on == date.fromisoformat(day)
        ]
        for day in ("2026-10-14", "2026-10-14", "2026-10-16")
        for _ in [city.supervise(day)]
    ]

    assert found[0] == found[1] != []
    assert ("C1", "yellow") in found[0]
    assert ("C1", "red") in found[2]
    (order,) = [one for one in city.ask(orders) if one.case_no == "C1"]
    assert order.responsible_org == "administrative_approval"
    late = city.lines("2026-10-16", states=[ClockState.RED])
    assert [number for number, _ in late] == ["C3", "C5", "C6", "C1"]


@pytest.mark.requirement("SUP-08")
def test_the_course_of_a_case_is_kept_and_no_correction_at_the_source_edits_it(city):
    city.supervise("2026-09-25")
    before = city.lines("2026-09-25", with_ended=True)["C1", "case_handling"].due_on
    city.apply(
        ("C1", APPROVAL, datetime(2026, 10, 9, 9, tzinfo=BEIJING), "TEN", None),
        ("C4", APPROVAL, ACCEPTED, "GONE", date(2026, 10, 9)),
    )
    city.supervise("2026-10-12")
    city.decide(C1="2026-10-13", C4="2026-09-28")
    again = [city.supervise("2026-10-14")[0] for _ in range(2)]
    course = city.ask(history, "C1", city.rules, city.at("2026-10-14"))

    assert city.lines("2026-10-14", with_ended=True)["C1", "case_handling"].due_on == before
    assert [one.ended for one in again] == [1, 0]
    assert [one["event"].value for one in course.events] == [
        "opened", "fulfilled", "opened", "end_corrected", "fulfilled",
    ]  # fmt: skip
    assert {line.state for line in course.limits} == {ClockState.MET}
    written = (
        select(func.count()).select_from(JournalRecord).where(JournalRecord.object_kind == CASE)
    )
    assert city.ask(lambda connection: connection.execute(written).scalar()) == 3
    with pytest.raises(ClockUnknown, match="C9"):
        city.ask(history, "C9", city.rules, city.at("2026-10-14"))


def test_an_end_that_arrives_late_takes_the_red_card_back_and_a_lost_one_reopens(city):
    city.supervise("2026-10-16")
    city.decide(C1="2026-10-15", C4="2026-09-28")
    city.supervise("2026-10-19")
    (card,) = [one for one in city.ask(cards) if (one.object_id, one.colour) == ("C1", "red")]

    assert card.withdrawn_why == "办结信息晚到，实际按时办结"
    city.decide(C4="2026-09-28")
    seen, _ = city.supervise("2026-10-20")
    assert seen.reopened == 1
    assert city.lines("2026-10-20")["C1", "case_handling"].state is ClockState.RED


@pytest.mark.requirement("SUP-01", "SUP-08")
def test_a_corrected_end_counts_and_what_was_recorded_stays(city):
    city.supervise("2026-10-16")
    city.decide(C1="2026-10-16", C4="2026-09-28")  # one day late
    city.supervise("2026-10-17")
    assert _line(city, "2026-10-17").state is ClockState.MET_LATE

    city.decide(C1="2026-10-15", C4="2026-09-28")
    found = [city.supervise(day)[0].corrected for day in ("2026-10-19", "2026-10-20")]

    assert found == [1, 0]
    assert _line(city, "2026-10-20").state is ClockState.MET
    (card,) = [one for one in city.ask(cards) if (one.object_id, one.colour) == ("C1", "red")]
    assert card.withdrawn_why
    course = city.ask(history, "C1", city.rules, city.at("2026-10-20"))
    assert [one["event"].value for one in course.events][-2:] == ["fulfilled", "end_corrected"]
    city.decide(C1="2026-10-19", C4="2026-09-28")
    city.supervise("2026-10-21")
    assert _line(city, "2026-10-21").state is ClockState.MET_LATE


@pytest.mark.requirement("SUP-01")
def test_an_end_that_was_lost_and_came_back_ends_the_case_again(city):
    for day, decided in (
        ("2026-10-12", {"C1": "2026-10-09", "C4": "2026-09-28"}),
        ("2026-10-13", {"C4": "2026-09-28"}),
        ("2026-10-14", {"C1": "2026-10-09", "C4": "2026-09-28"}),
    ):
        city.decide(**decided)
        city.supervise(day)

    assert _line(city, "2026-10-14").state is ClockState.MET


@pytest.mark.requirement("SUP-01", "SUP-13")
def test_a_special_procedure_lets_the_clock_of_a_case_stand_still(city):
    city.supervise("2026-09-25")
    clock_id = _line(city, "2026-09-25").clock_id
    reviewer = Actor("p", "shen.he", Role.AUTHORITY_REVIEWER, "big_data_bureau")

    def act(function, day, *more):
        with city.engine.begin() as connection:
            by = {"actor": reviewer, "now": city.at(day)}
            return function(connection, clock_id, *more, city.rules, **by)

    with pytest.raises(PauseRefused):
        act(clock_care.pause, "2026-10-12", ClockCause.RETURNED_FOR_COMPLETION, "补正")
    act(clock_care.pause, "2026-10-12", ClockCause.SPECIAL_PROCEDURE, "专家评审")
    city.supervise("2026-10-14")
    assert _line(city, "2026-10-14").state is ClockState.PAUSED
    after = act(clock_care.resume, "2026-10-19")

    city.supervise("2026-10-20")
    assert after.status.due_on == _line(city, "2026-10-20").due_on == date(2026, 10, 22)


@pytest.mark.requirement("SUP-01", "SUP-02", "SUP-13")
def test_a_special_procedure_that_the_system_tells_stops_the_clock_of_handling(city):
    review, more = city.at("2026-10-12", "09:00:00"), city.at("2026-10-14", "09:00:00")
    city.interrupt(("P1", "C1", review, None), ("P2", "C3", ACCEPTED, None))
    found = [city.supervise(day)[0].procedures for day in ("2026-10-13", "2026-10-13")]
    assert found == [1, 0]
    assert _line(city, "2026-10-13").state is ClockState.PAUSED
    instant = city.lines("2026-10-13")["C3", "case_instant"]
    assert instant.state is ClockState.RED, "what is done at once is not interrupted"

    ended = city.at("2026-10-19", "16:00:00")
    city.interrupt(("P1", "C1", review, more), ("P3", "C1", more, ended))
    assert city.supervise("2026-10-20")[0].procedures == 1
    assert _line(city, "2026-10-20").due_on == date(2026, 10, 22), "five days, as one"
    assert not [one for one in city.ask(cards) if one.object_id == "C1"]

    city.interrupt(("P1", "C1", review, city.at("2026-10-30")))
    assert city.supervise("2026-10-21")[0].procedures == 0
    assert _line(city, "2026-10-21").due_on == date(2026, 10, 22), "what was told stays"
    course = city.ask(history, "C1", city.rules, city.at("2026-10-21")).events
    assert [one["note"] for one in course if "P1" in str(one["note"])] == ["环节记录 P1"] * 2


@pytest.mark.requirement("SUP-04")
def test_a_special_procedure_that_is_told_late_takes_the_red_card_back(city):
    city.supervise("2026-10-16")
    assert _line(city, "2026-10-16").state is ClockState.RED
    start, end = city.at("2026-10-12", "09:00:00"), city.at("2026-10-14", "09:00:00")
    city.interrupt(("P1", "C1", start, end))
    city.supervise("2026-10-16")

    assert _line(city, "2026-10-16").due_on == date(2026, 10, 19)
    (card,) = [one for one in city.ask(cards) if (one.object_id, one.colour) == ("C1", "red")]
    assert card.withdrawn_why


def test_procedures_that_overlap_count_once(at):
    days = [at(f"2026-10-{day}") for day in (12, 13, 14, 15, 19)]
    told = [
        Procedure("b", days[1], days[3]), Procedure("a", days[0], days[2]),
        Procedure("c", days[4], days[0]),
    ]  # fmt: skip
    assert stretches(told) == [
        Procedure("a", days[0], days[3]), Procedure("c", days[4], days[4])
    ]  # fmt: skip
    assert stretches([*told, Procedure("d", days[2], None)]) == [Procedure("a", days[0], None)]


def _line(city, day):
    """How the handling of C1 stands on a day."""
    return city.lines(day, with_ended=True)["C1", "case_handling"]


def test_cases_whose_end_nobody_reports_are_counted_and_not_called_late(city):
    city.apply(
        ("C4", APPROVAL, ACCEPTED, "GONE", date(2026, 10, 9)),
        ("H1", LABOUR, ACCEPTED, "TEN", None),
    )
    seen, swept = city.supervise("2026-11-20")

    assert (seen.cases, seen.supervised, seen.blind) == (2, 1, {LABOUR: 1})
    assert swept.red == 0


def test_a_library_without_cases_has_none(tmp_path, catalog):
    assert list(cases_of(tmp_path, catalog)) == []
    assert steps_of(tmp_path, catalog, "C1") == []


def test_as_many_statements_for_many_cases_as_for_few(city, statements):
    city.apply(
        *((f"N{n}", APPROVAL, ACCEPTED, "TEN", None) for n in range(3)),
        ("C4", APPROVAL, ACCEPTED, "GONE", None),
    )
    city.supervise("2026-09-25")
    few = len(statements)
    city.apply(
        *((f"M{n}", APPROVAL, ACCEPTED, "TEN", None) for n in range(600)),
        ("C4", APPROVAL, ACCEPTED, "GONE", None),
    )
    city.supervise("2026-09-25")

    assert len(statements) - few <= few
    opened = select(func.count()).select_from(ClockEventRow)
    assert city.ask(lambda connection: connection.execute(opened).scalar()) > 1_200
