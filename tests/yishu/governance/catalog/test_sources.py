"""One source for each datum, the way to dispute it, and the pipeline that obeys."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from catalog.model import Scope
from yishu.governance import disputes, publication, sources
from yishu.governance.disputes import Ruling, Stage
from yishu.governance.errors import (
    DuplicateSource,
    Forbidden,
    NotFound,
    NotSeparate,
    ReasonMissing,
    StateRefused,
)
from yishu.governance.sources import Claim
from yishu.ledger.models import SourceClaim

NAME = "legal_entity.name"
ENTERPRISE = "market_regulation.enterprise_registration"
TAXPAYER = "taxation.taxpayer"
DAY = date(2026, 11, 10)


def _claim(*values, entry=TAXPAYER, element=NAME, decision="联席会议纪要〔2026〕3号"):
    scope = Scope(by="registrar", values=values) if values else None
    return Claim(element, entry, scope, DAY, decision)


def _sources(connection, on, element=NAME):
    return {
        (one.entry_id, one.scope.values if one.scope else None)
        for one in sources.register_of(connection, on, element)
    }


@pytest.mark.requirement("OWN-01")
@pytest.mark.parametrize("values", [("9",), ("9", "3"), ()], ids=["same", "in part", "everything"])
def test_a_claim_that_overlaps_is_refused_and_names_the_first(connection, people, at, values):
    with pytest.raises(DuplicateSource) as refused:
        sources.claim(connection, _claim(*values), people["officer"], at(5))
    assert refused.value.code == "OWN_DUPLICATE_SOURCE"
    assert f"{ENTERPRISE} (registrar in 9)" in refused.value.expected


@pytest.mark.requirement("OWN-01")
def test_a_claim_of_another_scope_is_registered_with_its_decision(connection, people, at):
    made = sources.claim(connection, _claim("3"), people["officer"], at(5))
    assert (made.org, made.decision) == ("taxation", "联席会议纪要〔2026〕3号")
    assert (TAXPAYER, ("3",)) in _sources(connection, DAY)
    assert (TAXPAYER, ("3",)) not in _sources(connection, DAY - timedelta(days=1))


@pytest.mark.requirement("OWN-01")
def test_the_database_itself_refuses_two_sources_of_one_datum(connection, people, at):
    """Even a program that looks at nothing cannot insert an overlapping claim."""
    columns = "element_id, discriminator, value, org, decision, claimed_person, claimed_account"
    insert = text(
        f"insert into ledger.source_claim ({columns}, entry_id, valid_from, claimed_at) values "
        f"('{NAME}', 'registrar', :value, 'taxation', 'x', 'p', 'a', '{TAXPAYER}', :day, now())"
    )
    for value in ("9", None):
        with pytest.raises(IntegrityError, match="one_source"), connection.begin_nested():
            connection.execute(insert, {"value": value, "day": DAY})
    connection.execute(insert, {"value": "3", "day": DAY})


def test_of_two_claims_at_once_one_is_registered(engine, people, at):
    def attempt(entry):
        who = people["officer"] if entry == TAXPAYER else people["health_officer"]
        try:
            with engine.begin() as connection:
                sources.claim(connection, _claim("3", entry=entry), who, at(5))
        except DuplicateSource:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(attempt, [TAXPAYER, "health.medical_licence"]))
    assert sorted(done) == [False, True]


def test_a_department_claims_for_its_own_entries_alone(connection, people, at):
    with pytest.raises(Forbidden):
        sources.claim(connection, _claim("3"), people["health_officer"], at(5))


@pytest.fixture
def dispute(connection, people, at):
    """The tax office disputes the name of enterprises."""
    due = date(2026, 11, 20)
    wanted = _claim("9", decision="税务登记更新更早")
    return disputes.open_dispute(connection, wanted, due, people["officer"], at(5))


RULING = Ruling(TAXPAYER, date(2026, 12, 1), "以税务登记为准")


def test_a_dispute_names_both_sides_and_its_deadline(connection, dispute):
    assert (dispute.claimant_org, dispute.first_org) == ("taxation", "market_regulation")
    assert dispute.stage is Stage.CONSULTING
    assert disputes.overdue(connection, date(2026, 11, 20)) == []
    assert disputes.overdue(connection, date(2026, 11, 21)) == [dispute]


def test_without_an_overlap_there_is_nothing_to_dispute(connection, people, at):
    with pytest.raises(NotFound):
        disputes.open_dispute(connection, _claim("3"), DAY, people["officer"], at(5))


def test_the_authority_decides_after_the_bodies_have_consulted(connection, dispute, people, at):
    """Decree 809 Art.28: consult, then the authority, then the common superior."""
    reviewer, officer = people["reviewer"], people["officer"]
    with pytest.raises(StateRefused):
        disputes.decide(connection, dispute.dispute, RULING, reviewer, at(6))
    due = date(2026, 11, 30)
    moved = disputes.escalate(connection, dispute.dispute, due, officer, at(6))
    assert (moved.stage, moved.due_on) == (Stage.AUTHORITY, due)
    with pytest.raises(Forbidden):
        disputes.decide(connection, dispute.dispute, RULING, officer, at(7))
    silent = Ruling(TAXPAYER, DAY, " ")
    with pytest.raises(ReasonMissing):
        disputes.decide(connection, dispute.dispute, silent, reviewer, at(7))
    done = disputes.decide(connection, dispute.dispute, RULING, reviewer, at(7))
    assert (done.stage, done.winner) == (Stage.DECIDED, TAXPAYER)
    with pytest.raises(StateRefused):
        disputes.escalate(connection, dispute.dispute, due, reviewer, at(8))


def test_who_is_no_party_neither_opens_nor_passes_on(connection, dispute, people, at):
    outsider = people["health_officer"]
    with pytest.raises(Forbidden):
        disputes.open_dispute(connection, _claim("9"), DAY, outsider, at(5))
    with pytest.raises(Forbidden, match="no party"):
        disputes.escalate(connection, dispute.dispute, DAY, outsider, at(6))


@pytest.mark.requirement("OWN-01")
def test_a_decision_moves_the_source_from_its_day_and_the_past_stays(
    connection, dispute, people, at
):
    disputes.escalate(connection, dispute.dispute, DAY, people["officer"], at(6))
    disputes.decide(connection, dispute.dispute, RULING, people["reviewer"], at(7))
    assert (ENTERPRISE, ("9",)) in _sources(connection, date(2026, 11, 30))
    assert _sources(connection, date(2026, 12, 1)) == {
        (TAXPAYER, ("9",)),
        ("civil_affairs.social_organisation", ("5",)),
    }


def test_a_party_gives_way_and_not_the_one_who_gains(connection, dispute, people, at):
    with pytest.raises(NotSeparate):
        disputes.concede(connection, dispute.dispute, RULING, people["officer"], at(6))
    done = disputes.concede(connection, dispute.dispute, RULING, people["market_officer"], at(6))
    assert done.winner == TAXPAYER


def test_a_first_claim_on_everything_keeps_what_was_not_disputed(connection, people, at):
    element = "case.case_no"
    wanted = Claim(element, "health.medical_licence", None, DAY, "唯一来源")
    sources.claim(connection, wanted, people["health_officer"], at(2))
    claimed = _claim("9", element=element)
    made = disputes.open_dispute(connection, claimed, DAY, people["officer"], at(5))
    disputes.escalate(connection, made.dispute, DAY, people["officer"], at(6))
    ruling = Ruling(TAXPAYER, date(2026, 12, 1), "依据", ("1", "5", "9"))
    disputes.decide(connection, made.dispute, ruling, people["reviewer"], at(7))
    assert _sources(connection, date(2026, 12, 1), element) == {
        (TAXPAYER, ("9",)),
        ("health.medical_licence", ("1", "5")),
    }


def test_the_release_takes_its_sources_from_the_register_of_its_day(engine, place, desk, at):
    """What the pipeline reads says another source from the day of the decision on."""
    with engine.begin() as connection:
        by = (desk.people["officer"], at(5))
        made = disputes.open_dispute(connection, _claim("9"), DAY, *by)
        disputes.escalate(connection, made.dispute, DAY, desk.people["officer"], at(6))
        ruling = Ruling(TAXPAYER, date(2026, 11, 8), "以税务登记为准")
        disputes.decide(connection, made.dispute, ruling, desk.people["reviewer"], at(7))
    entries = {
        day: {
            source.entry
            for source in publication.write(place, desk.rules, at(day))
            .release.elements[NAME]
            .sources
        }
        for day in (7, 8)
    }
    assert (ENTERPRISE in entries[7], TAXPAYER in entries[7]) == (True, False)
    assert (ENTERPRISE in entries[8], TAXPAYER in entries[8]) == (False, True)


@pytest.mark.requirement("OWN-02")
def test_a_departments_responsibility_list_is_its_elements(connection, rules, files):
    found = sources.responsibilities(connection, rules.registers, DAY, "taxation")
    expected = {
        element.id
        for element in files.elements.values()
        for source in element.sources
        if source.entry == TAXPAYER
    }
    assert {one.element_id for one in found} == expected != set()
    assert found[0].element_name
    everybody = sources.responsibilities(connection, rules.registers, DAY)
    claims = connection.execute(
        select(func.count(func.distinct(SourceClaim.element_id + SourceClaim.entry_id)))
    )
    assert len(everybody) == claims.scalar_one()


def test_gaps_are_listed_until_somebody_claims_them(connection, rules, people, at):
    def gap():
        found = sources.gaps(rules.registers, sources.register_of(connection, DAY))
        return next((one.codes for one in found if one.element == NAME), ())

    left = gap()
    assert left
    sources.claim(connection, _claim(*left), people["officer"], at(5))
    assert gap() == ()


def test_what_a_file_names_as_source_counts_whatever_its_entry_is_registered_for(connection, rules):
    """An element that nobody registered keeps the sources of its file, if these are claimed."""
    every = sources.register_of(connection, DAY)
    of_all = next(one.id for one in rules.registers.elements.values() if not one.scope_list)
    other = [one for one in every if one.element_id == "legal_entity.registrar"]
    register = [
        *(one for one in other if one.entry_id != ENTERPRISE),
        *(replace(one, element_id=of_all) for one in other if one.entry_id == ENTERPRISE),
    ]
    assert len({one.entry_id for one in register}) > 1

    found = sources.gaps(rules.registers, register)

    assert "9" not in next(one.codes for one in found if one.element == NAME)
