"""Who may do what for whom, and the bodies they act for."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.roles import OWN_ORG, PERMITTED, Action, Role
from catalog.vocabulary import CodeSystem, ContactDuty, OrgKind, OrgLevel
from yishu.governance import accounts, lifecycle, organisations
from yishu.governance.accounts import Deputation
from yishu.governance.errors import (
    AccountUnknown,
    Forbidden,
    NotFound,
    NotSeparate,
    ReasonMissing,
    StateRefused,
)
from yishu.governance.organisations import Contact, Duty, Organisation, Succession
from yishu.governance.permission import require
from yishu.ledger.journal import Actor

DAY = date(2026, 11, 20)


@pytest.mark.requirement("OWN-04")
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_its_own_actions_and_no_others(role, action):
    actor = Actor("p", "a", role, "taxation")
    for object_org in ("taxation", "health", None):
        allowed = role in PERMITTED[action] and (action not in OWN_ORG or object_org == "taxation")
        if allowed:
            require(actor, action, "object", object_org)
        else:
            with pytest.raises(Forbidden):
                require(actor, action, "object", object_org)


@pytest.mark.requirement("OWN-04")
@pytest.mark.parametrize(
    ("action", "roles"),
    [
        (Action.COMPILE_ENTRY, {Role.DEPARTMENT_OFFICER}),
        (Action.REVIEW_ENTRY, {Role.AUTHORITY_REVIEWER}),
        (Action.DECIDE_REQUEST, {Role.AUTHORITY_REVIEWER}),
        (Action.OPEN_CHANNEL, {Role.CENTRE_OPERATOR}),
        (Action.MAINTAIN_ITEMS, {Role.SERVICE_AUTHORITY}),
        (Action.READ_JOURNAL, {Role.AUDITOR}),
    ],
)
def test_what_the_regulation_gives_to_one_role_stays_with_it(action, roles):
    """S004 Art.5, 13, 14, 16, 18."""
    assert PERMITTED[action] == roles


@pytest.fixture
def with_accounts(connection, people):
    for actor in people.values():
        accounts.add(connection, actor, actor.account, valid_from=date(2026, 1, 1))
    return connection


def _away(account: str, deputy: str) -> Deputation:
    return Deputation(account, deputy, DAY, date(2026, 11, 25), "休假")


def test_a_deputy_acts_in_the_role_of_the_one_who_is_away_on_those_days(with_accounts, people, at):
    accounts.appoint(with_accounts, _away("sun.ya", "li.an"), people["administrator"], at(19))
    actor = accounts.find(with_accounts, "li.an:sun.ya", DAY)
    assert actor == Actor("person-li.an", "li.an:sun.ya", Role.DEPARTMENT_HEAD, "taxation")
    for day in (date(2026, 11, 19), date(2026, 11, 26)):
        with pytest.raises(AccountUnknown, match="no deputation"):
            accounts.find(with_accounts, "li.an:sun.ya", day)


def test_a_head_appoints_deputies_of_the_own_body_alone(with_accounts, people, at):
    with pytest.raises(Forbidden):
        accounts.appoint(with_accounts, _away("zhou.wei", "li.an"), people["head"], at(19))


def test_nobody_stands_in_for_themselves(with_accounts, people, at):
    second = replace(people["officer"], account="li.an.2")
    accounts.add(with_accounts, second, "李安", valid_from=date(2026, 1, 1))
    with pytest.raises(NotSeparate):
        accounts.appoint(with_accounts, _away("li.an", "li.an.2"), people["administrator"], at(19))


def test_the_first_account_is_an_administrators_and_others_are_made_by_one(connection, people, at):
    with pytest.raises(Forbidden):
        accounts.register(connection, people["officer"], "李安", None, at(2))
    accounts.register(connection, people["administrator"], "管理员", None, at(2))
    with pytest.raises(Forbidden):
        accounts.register(connection, people["head"], "孙雅", people["officer"], at(2))
    accounts.register(connection, people["head"], "孙雅", people["administrator"], at(2))
    assert accounts.find(connection, "sun.ya", DAY) == people["head"]


def _body(org, level, parent, kind=OrgKind.ORGAN, *, code="320211", system=CodeSystem.GB2260):
    return Organisation(org, f"机构{org}", kind, level, parent, system, code, date(2022, 1, 1))


BELOW = [
    _body("binhu", OrgLevel.COUNTY, "wuxi"),
    _body("development_zone", OrgLevel.COUNTY, "wuxi", code="320290", system=CodeSystem.LOCAL),
    _body("liyuan", OrgLevel.TOWN, "binhu"),
    _body("rongxiang", OrgLevel.TOWN, "binhu"),
    _body("changqiao", OrgLevel.VILLAGE, "liyuan", OrgKind.INSTITUTION),
    _body("water", OrgLevel.COUNTY, "wuxi", OrgKind.UTILITY),
]


@pytest.fixture
def bodies(connection, people, at):
    for body in BELOW:
        organisations.add(connection, body, people["administrator"], at(2))
    return connection


@pytest.mark.requirement("OWN-03")
def test_bodies_are_registered_by_kind_and_vertical_ones_by_reference(bodies):
    tree = organisations.tree(bodies, DAY)
    assert {body.kind for body in tree} == set(OrgKind)
    assert [body.org for body in tree if body.is_by_reference] == ["taxation"]
    zone = organisations.find(bodies, "development_zone")
    assert zone.code_system is CodeSystem.LOCAL


@pytest.mark.requirement("EXC-09")
def test_the_roll_up_of_a_figure_is_the_sum_of_the_leaves_at_every_level(bodies):
    tree = organisations.tree(bodies, DAY)
    own = {"changqiao": 3, "liyuan": 5, "rongxiang": 7, "taxation": 11, "wuxi": 1}
    totals = organisations.roll_up(tree, own)
    assert (totals["liyuan"], totals["binhu"], totals["wuxi"]) == (8, 15, sum(own.values()))
    children = [body.org for body in tree if body.parent == "wuxi"]
    assert totals["wuxi"] == own["wuxi"] + sum(totals[org] for org in children)
    with pytest.raises(NotFound):
        organisations.roll_up(tree, {"nowhere": 1})


@pytest.mark.requirement("EXC-09")
def test_a_body_stands_one_level_below_its_parent(bodies, people, at):
    wrong = _body("village", OrgLevel.VILLAGE, "binhu")
    with pytest.raises(StateRefused, match="a parent of level town"):
        organisations.add(bodies, wrong, people["administrator"], at(2))
    with pytest.raises(IntegrityError, match="ck_organisation_parent"):
        bodies.execute(text("update ledger.organisation set parent = null where org = 'liyuan'"))


def test_a_department_merged_away_leaves_its_open_work_to_its_successor(
    connection, desk, people, at
):
    draft = desk.draft(connection, "taxation.taxpayer")
    reform = Succession("taxation", "health", date(2026, 11, 10), "机构改革方案")
    organisations.succeed(connection, reform, people["administrator"], at(5))
    assert organisations.present(connection, "taxation", date(2026, 11, 9)) == "taxation"
    heir = people["health_officer"]
    wanted = lifecycle.Draft(
        "taxation.taxpayer", draft.content, draft.cause, "承接", draft.changed_on, draft.edit
    )
    with pytest.raises(Forbidden):
        lifecycle.save(connection, wanted, heir, at(9))
    assert lifecycle.save(connection, wanted, heir, at(10)).edit == draft.edit + 1
    with pytest.raises(Forbidden):
        lifecycle.save(connection, wanted, people["officer"], at(11))


def test_a_circle_of_successors_is_refused(connection, people, at):
    by = (people["administrator"], at(5))
    organisations.succeed(connection, Succession("taxation", "health", DAY, "方案"), *by)
    with pytest.raises(StateRefused):
        organisations.succeed(connection, Succession("health", "taxation", DAY, "方案"), *by)


@pytest.mark.requirement("OWN-07")
def test_a_task_names_its_lead_its_cooperating_and_its_responsible_bodies(connection, people, at):
    by = (people["administrator"], at(5))
    task = Duty("one_thing", "一件事改革", "S002 二", "health", ("taxation",), ("transport",))
    organisations.keep_duty(connection, task, *by)
    assert organisations.duties(connection, "transport") == [task]
    with pytest.raises(ReasonMissing, match="without a lead"):
        organisations.keep_duty(connection, replace(task, lead_org=" "), *by)
    with pytest.raises(IntegrityError):
        connection.execute(text("update ledger.duty set lead_org = null"))


@pytest.mark.requirement("OWN-09")
def test_contacts_with_a_duty_are_on_record_from_day_to_day(connection, people, at):
    by = (people["administrator"], at(5))
    for name, day in (("赵某", date(2026, 1, 1)), ("钱某", date(2026, 11, 1))):
        contact = Contact("health", ContactDuty.POWER_LIST, name, day)
        organisations.keep_contact(connection, contact, *by)
    assert [one.name for one in organisations.contacts(connection, "health", DAY)] == ["钱某"]
    past = organisations.contacts(connection, "health", date(2026, 6, 1))
    assert [one.name for one in past] == ["赵某"]
