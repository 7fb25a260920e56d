"""The demo's story: everything a tour promises is there, by the product's own functions, once."""

import re

import pytest
from sqlalchemy import text

from catalog.roles import Role
from yishu.cli.demo_portal import TOUR, tour
from yishu.governance.cards import cards, orders
from yishu.governance.objections import objections
from yishu.governance.promises import clock_rows, standings
from yishu.governance.working_calendar import rules_in_force
from yishu.portal import story


@pytest.fixture(scope="module")
def told(portal_world):
    return story.happen(portal_world)


def count(world):
    with world.engine.connect() as connection:
        return [
            connection.scalar(text(f"select count(*) from ledger.{table}"))
            for table in (
                "share_request",
                "objection",
                "clock",
                "card",
                "notice",
                "catalog_version",
            )
        ]


def test_requests_objections_and_changes_are_in_every_state(portal_world, told):
    with portal_world.engine.connect() as connection:
        requests = connection.scalars(text("select state from ledger.share_request")).all()
        grants = connection.scalars(text("select state from ledger.share_grant")).all()
        states = {one.state.value for one in objections(connection)}

    assert (told.requests, told.objections, told.changes) == (7, 3, 5)
    assert set(requests) == {"draft", "submitted", "returned", "approved", "refused"}
    assert set(grants) == {"approved", "open"}
    assert states == {"closed", "forwarded", "raised"}


def test_a_clock_is_red_with_its_card_and_order_and_others_are_near(portal_world, told):
    now = portal_world.clock()
    with portal_world.engine.connect() as connection:
        rules = rules_in_force(connection, portal_world.release(), portal_world.settings)
        rows = clock_rows(connection, is_open=True)
        colours = [one.status.state.value for one in standings(rows, rules, now)]
        issued = {card.colour: card.object_id for card in cards(connection)}
        ordered = orders(connection)

    assert colours.count("red") == 1
    assert {"green", "yellow", "paused"} <= set(colours)
    assert issued["red"] == story.TAXPAYERS
    assert [one.case_no for one in ordered] == [story.TAXPAYERS]


def test_told_again_nothing_changes(portal_world, told):
    before = count(portal_world)

    assert story.happen(portal_world) == story.Told()
    assert count(portal_world) == before


@pytest.mark.parametrize("role", TOUR)
def test_every_page_of_a_tour_is_there_for_its_account(role, client, told):
    steps = [step for step in tour("") if step["role"] == role]

    assert len(steps) == 5
    for step in steps:
        assert client(step["account"]).get(step["page"]).status_code == 200, step


def test_the_reviewer_finds_what_waits(client, told):
    reviewer = client(Role.AUTHORITY_REVIEWER)

    assert "社会组织" in reviewer.get("/review").text
    assert "SQ" in reviewer.get("/").text


@pytest.mark.parametrize("account", ["officer.taxation", "reviewer", "operator"])
def test_everything_on_a_work_list_can_be_opened(account, client, told):
    person = client(account)
    listed = re.findall(r'href="(/(?:review|compile|sharing|clocks)/[^"]+)"', person.get("/").text)

    assert listed
    assert {path: person.get(path).status_code for path in listed} == dict.fromkeys(listed, 200)


def test_the_red_clock_leads_the_work_list_of_its_holder(client, told):
    assert "已逾期" in client("officer.taxation").get("/").text.split("我的待办")[1]
