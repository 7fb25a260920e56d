"""A request from draft to decision: what is missing, who decides, and what the database forbids."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.roles import Role
from yishu.governance import accounts
from yishu.governance.errors import AccountUnknown, Forbidden
from yishu.ledger.journal import Actor
from yishu.sharing import deciding, filing, opening
from yishu.sharing.errors import (
    NotThisState,
    ReasonMissing,
    RequestIncomplete,
    RequestRefused,
    SameHands,
)
from yishu.sharing.form import RequestForm
from yishu.sharing.timeline import NextStep, StepKind, timeline


def codes(error):
    return {one.code for one in error.value.parts}


@pytest.mark.requirement("SHR-06", "SHR-07")
def test_one_reply_names_everything_that_is_missing(office, people):
    with office.desk() as desk:
        request_id = filing.draft(desk, RequestForm(), people.officer)
        with pytest.raises(RequestIncomplete) as error:
            filing.submit(desk, request_id, people.officer)
    assert codes(error) == {
        "REQ_NO_OBJECT", "REQ_NO_SCENARIO", "REQ_NO_PURPOSE", "REQ_NO_PURPOSE_CODE",
        "REQ_NO_BASIS", "REQ_NO_MODE", "REQ_NO_FORMAT", "REQ_NO_CYCLE", "REQ_NO_CONTACT",
        "REQ_NO_TERM", "REQ_NO_ITEM", "REQ_NO_CONSENT",
    }  # fmt: skip


@pytest.mark.requirement("SHR-05", "SHR-14")
def test_elements_need_a_use_and_the_format_must_be_one_of_the_mode(office, people, make_form):
    wanted = [{"field": "uscc", "use": "定位企业记录"}, {"field": "name"}, {"field": "nothing"}]
    with office.desk() as desk:
        form = make_form(elements=wanted, format="xlsx")
        request_id = filing.draft(desk, form, people.officer)
        with pytest.raises(RequestIncomplete) as error:
            filing.submit(desk, request_id, people.officer)
    assert codes(error) == {
        "REQ_NO_USE", "REQ_NO_SUCH_ELEMENT", "REQ_FORMAT_OF_OTHER_MODE", "REQ_NO_CONSENT",
    }  # fmt: skip


@pytest.mark.requirement("COL-15")
def test_a_fee_is_refused_by_the_form_and_by_the_database(office, make_form):
    assert filing.parse({"fee": "0", "scenario": "x"}).scenario == "x"
    with pytest.raises(RequestIncomplete) as error:
        filing.parse({"fee": 100})
    assert codes(error) == {"REQ_FEE"}
    request_id = office.submitted()
    with pytest.raises(IntegrityError, match="free_of_charge"), office.engine.begin() as connection:
        connection.execute(
            text(
                "update ledger.share_request set form = form || '{\"fee\": 1}' "
                "where request_id = :r"
            ),
            {"r": request_id},
        )


@pytest.mark.requirement("SHR-08", "OWN-05")
def test_the_authority_decides_and_then_the_command_centre_opens(office, people):
    request_id = office.submitted()
    with office.desk() as desk, pytest.raises(Forbidden):
        deciding.grant(desk, request_id, people.provider)
    with office.desk() as desk:
        grant_id = deciding.grant(desk, request_id, people.authority)
    with office.desk() as desk, pytest.raises(Forbidden):
        opening.open_channel(desk, grant_id, people.authority)
    with office.desk() as desk:
        issued = opening.open_channel(desk, grant_id, people.operator)
    assert issued.token.startswith("ys1.")


@pytest.mark.requirement("OWN-05")
def test_who_decided_never_opens_not_even_past_the_program(office, people):
    """The attempt is refused and stays on record; the database refuses it too."""
    grant_id = office.granted()
    same = people.operator.__class__(
        people.authority.person, "li@cc", people.operator.role, people.operator.org
    )
    with pytest.raises(SameHands), office.desk() as desk:
        opening.open_channel(desk, grant_id, same)
    with office.engine.connect() as connection:
        tried = connection.scalar(
            text("select reason from ledger.journal where object_id = :g and person = 'li' "
                 "and action = 'open_channel'"), {"g": grant_id})  # fmt: skip
    assert "refused" in tried
    for person, org in (("li", "command_centre"), ("zhou", "big_data_bureau")):
        with (
            pytest.raises(IntegrityError, match="decider_is_not_opener"),
            office.engine.begin() as connection,
        ):
            connection.execute(
                text("update ledger.share_grant set opened_by = :p, opened_by_org = :o"),
                {"p": person, "o": org},
            )


@pytest.mark.requirement("SHR-08")
def test_the_database_keeps_no_grant_that_nobody_approved(office):
    grant_id = office.granted()
    with pytest.raises(IntegrityError), office.engine.begin() as connection:
        connection.execute(
            text("update ledger.share_grant set request_id = 'SQ0' where grant_id = :g"),
            {"g": grant_id},
        )


@pytest.mark.requirement("SHR-09")
def test_a_refusal_without_reason_is_impossible(office, people):
    request_id = office.submitted()
    with office.desk() as desk, pytest.raises(ReasonMissing):
        deciding.refuse(desk, request_id, people.authority, "  ")
    with pytest.raises(IntegrityError, match="refusal_reason"), office.engine.begin() as connection:
        connection.execute(
            text("insert into ledger.share_decision (request_id, seat, seat_org, outcome, reason,"
                 " person, account, org, decided_at) values (:r, 'authority', 'x', 'refused', ' ',"
                 " 'p', 'a', 'o', now())"), {"r": request_id})  # fmt: skip
    with office.desk() as desk:
        deciding.refuse(desk, request_id, people.authority, "与所列事项无关")
        assert desk.request(request_id).state == "refused"


def test_both_profiles_decide_in_sequence(office, people):
    office.profiles = ("wuxi_2022", "cn_decree_809")
    request_id = office.submitted()
    with office.desk() as desk, pytest.raises(Forbidden):
        deciding.grant(desk, request_id, people.authority)
    with office.desk() as desk:
        assert deciding.grant(desk, request_id, people.provider) is None
        assert deciding.grant(desk, request_id, people.authority).startswith("GT")


@pytest.mark.requirement("SEC-02")
def test_sensitive_personal_data_in_clear_need_both_seats(office, people):
    wanted = [
        {"field": "resident_id_no", "use": "核对申请人身份", "treatment": "clear"},
        {"field": "name", "use": "核对申请人姓名"},
    ]
    # Items without known materials, so that the use alone justifies the element.
    facts = {"object_id": "public_security.resident", "service_items": ["320107009000"]}
    request_id = office.submitted(elements=wanted, **facts)
    with office.desk() as desk:
        assert desk.request(request_id).approval_level == "double"
    with office.desk() as desk, pytest.raises(Forbidden):
        deciding.grant(desk, request_id, people.authority)
    with office.desk() as desk:
        assert deciding.grant(desk, request_id, people.police) is None
        grant_id = deciding.grant(desk, request_id, people.authority)
        assert desk.grant(grant_id).masks == {"name": "name"}


@pytest.mark.requirement("SHR-05")
def test_what_no_use_justifies_is_struck(office, people):
    wanted = [
        {"field": "uscc", "use": "定位企业记录"},
        {"field": "name", "use": "备用"},
        {"field": "address", "use": "其他"},
        {"field": "registered_capital", "use": "判断缴费基数申报是否合理"},
    ]
    request_id = office.submitted(elements=wanted, service_items=["320106001000"])
    with office.desk() as desk:
        findings, proposed = filing.judged(desk, desk_form(desk, request_id))
        grant_id = deciding.grant(desk, request_id, people.authority, strike=["registered_capital"])
        assert desk.grant(grant_id).columns == ["uscc", "name"]
    found = {one.field: one.verdict for one in findings}
    # The use of the name is empty words, but the item's materials need it.
    assert found["uscc"] == found["name"] == "needed"
    assert found["registered_capital"] == "justified"
    assert found["address"] == "struck"
    assert "status" in proposed


def desk_form(desk, request_id):
    return RequestForm.model_validate(desk.request(request_id).form)


def test_nothing_left_after_striking_is_refused_with_that_reason(office, people):
    request_id = office.submitted(elements=[{"field": "registered_capital", "use": "需要"}])
    with office.desk() as desk, pytest.raises(RequestRefused):
        deciding.grant(desk, request_id, people.authority)


def test_a_request_is_returned_once_only(office, people):
    from catalog.roles import Action  # noqa: PLC0415

    request_id = office.submitted()
    back = (people.authority, Action.DECIDE_REQUEST)
    with office.desk() as desk:
        with pytest.raises(ReasonMissing):
            filing.return_once(desk, request_id, [], *back)
        filing.return_once(desk, request_id, ["请补充使用依据的条款"], *back)
        filing.submit(desk, request_id, people.officer)
        with pytest.raises(NotThisState):
            filing.return_once(desk, request_id, ["还有一处"], *back)


def test_withdrawn_requests_are_not_decided(office, people):
    request_id = office.submitted()
    with office.desk() as desk:
        filing.withdraw(desk, request_id, people.officer)
        with pytest.raises(NotThisState):
            deciding.grant(desk, request_id, people.authority)


def test_another_department_neither_files_nor_withdraws_it(office, people):
    request_id = office.submitted()
    with office.desk() as desk, pytest.raises(Forbidden):
        filing.withdraw(desk, request_id, people.other_officer)


def test_a_renewal_keeps_the_channel_and_a_change_replaces_it(office, people, make_form):
    grant_id, _ = office.opened()
    with office.desk() as desk:
        longer = filing.renew(desk, grant_id, make_form(valid_until="2028-11-19"), people.officer)
        wider = make_form(elements=["uscc", "name", "industry_code"])
        other = filing.change_scope(desk, grant_id, wider, people.officer)
        for request_id in (longer, other):
            filing.consent(desk, request_id, people.head)
            filing.submit(desk, request_id, people.officer)
        granted = {one: deciding.grant(desk, one, people.authority) for one in (longer, other)}
        assert granted[longer] == grant_id
        assert desk.grant(grant_id).valid_until.year == 2028
        opening.open_channel(desk, granted[other], people.operator)
        assert desk.grant(grant_id).state == "closed"
        assert desk.grant(granted[other]).columns[-1] == "industry_code"


@pytest.mark.parametrize(
    ("changed", "strike"),
    [
        ({"elements": ["uscc", "name", "status", "industry_code"]}, ()),
        ({"rows": {"regions": ["320205"]}}, ()),
        ({"format": "verification"}, ()),
        ({}, ("name",)),
    ],
)
def test_a_renewal_of_another_scope_is_no_renewal(office, people, make_form, changed, strike):
    """What was decided on is what is served: a struck element does not go on by a renewal."""
    grant_id, _ = office.opened()
    with office.desk() as desk:
        longer = make_form(valid_until="2028-11-19", **changed)
        request_id = filing.renew(desk, grant_id, longer, people.officer)
        filing.consent(desk, request_id, people.head)
        filing.submit(desk, request_id, people.officer)
    with pytest.raises(RequestRefused, match="renewal"), office.desk() as desk:
        deciding.grant(desk, request_id, people.authority, strike=strike)
    with office.desk() as desk:
        assert desk.grant(grant_id).valid_until.year == 2027
        assert desk.request(request_id).state == "submitted"


@pytest.mark.requirement("OWN-05", "SHR-08")
def test_a_deputy_decides_within_their_days_and_stands_on_record_beside_the_account(
    office, people, engine
):
    """A deputation is looked up for the day; whoever filed decides through nobody's account."""
    lent = Actor("han", "han@bd", Role.AUTHORITY_REVIEWER, "big_data_bureau")
    root = Actor("root", "root", Role.ADMINISTRATOR, "big_data_bureau")
    first, last = date(2026, 11, 20), date(2026, 11, 25)
    request_ids = office.submitted(), office.submitted()
    with office.desk() as desk:
        for one in (people.authority, people.officer, lent):
            accounts.add(desk.connection, one, "测试人员", valid_from=first)
        for deputy in (lent, people.officer):
            wanted = accounts.Deputation("li@bd", deputy.account, first, last, "休假")
            accounts.appoint(desk.connection, wanted, root, desk.at)
        actor = accounts.find(desk.connection, "han@bd:li@bd", last)
        deciding.refuse(desk, request_ids[0], actor, "不属于职责范围")
        with pytest.raises(AccountUnknown):
            accounts.find(desk.connection, "han@bd:li@bd", last + timedelta(days=1))
        (made,) = deciding.decisions(desk, request_ids[0])
        filer = accounts.find(desk.connection, "zhao@hr:li@bd", last)
        with pytest.raises(SameHands):
            deciding.grant(desk, request_ids[1], filer)
    assert (made.person, made.deputy_for, made.account) == ("han", "li@bd", "han@bd:li@bd")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rows": {"regions": ["3202"]}}, "行政区划代码为六位数字"),
        ({"rows": {"since": "2026-01-01"}}, "限定期间时请选择日期项"),
        ({"mode": "口头"}, "请从所列选项中选择"),
        ({"valid_from": "明天"}, "请填写日期"),
        ({"fee": 1}, "政务数据无偿共享"),
        ({"elements": [{"field": "A-B"}]}, "elements.0.field 的内容无法识别"),
    ],
)
def test_what_the_form_cannot_hold_is_told_in_chinese(wrong, told):
    with pytest.raises(RequestIncomplete) as error:
        filing.parse(wrong)
    assert told in error.value.parts[0].remedy_zh


@pytest.mark.parametrize("column", ["name", "nothing"])
def test_a_period_is_said_of_a_day_or_moment(office, people, make_form, column):
    form = make_form(rows={"period_column": column, "since": "2026-01-01"})
    with office.desk() as desk:
        request_id = filing.draft(desk, form, people.officer)
        filing.consent(desk, request_id, people.head)
        with pytest.raises(RequestIncomplete) as error:
            filing.submit(desk, request_id, people.officer)
    assert [one.part for one in error.value.parts] == ["rows.period_column"]
    assert "成立日期" in error.value.parts[0].remedy_zh


@pytest.mark.requirement("SHR-13")
def test_a_channel_is_opened_suspended_resumed_and_closed(office, people):
    grant_id, _ = office.opened()
    with office.desk() as desk:
        opening.suspend(desk, grant_id, people.operator, "访问量异常，核实中")
        opening.resume(desk, grant_id, people.operator, "已核实")
        with pytest.raises(ReasonMissing):
            opening.close(desk, grant_id, people.operator, "")
        opening.close(desk, grant_id, people.operator, "用途已实现")
        with pytest.raises(NotThisState):
            opening.resume(desk, grant_id, people.operator, "再开")
    with office.engine.connect() as connection:
        living = "select count(*) from ledger.share_token where revoked_at is null"
        assert connection.scalar(text(living)) == 0


@pytest.mark.requirement("SHR-19")
def test_a_district_is_granted_rows_of_its_own_region_only(office, people, release):
    from dataclasses import replace  # noqa: PLC0415

    from catalog.model import Department  # noqa: PLC0415
    from catalog.release import Models  # noqa: PLC0415

    bodies = {name: one.model_dump(mode="json") for name, one in release.departments.items()}
    bodies["human_resources"]["region_code"] = "320213"
    office.release = replace(release, departments=Models(Department, bodies))
    with office.desk() as desk:
        grant_id = office.granted()
    with office.desk() as desk:
        assert desk.grant(grant_id).row_scope["regions"] == ["320213"]
        assert desk.grant(grant_id).consumer_level == "district"
    request_id = office.submitted(rows={"regions": ["320205"]})
    with office.desk() as desk, pytest.raises(RequestRefused):
        deciding.grant(desk, request_id, people.authority)


CONDITIONAL = {
    "object_id": "public_security.resident",
    "service_items": ["320107009000"],
    "elements": [{"field": "name", "use": "核对申请人姓名"}],
}


@pytest.mark.requirement("SHR-10", "SUP-13")
@pytest.mark.parametrize(
    ("received", "due", "facts"),
    [
        ("2026-09-24", "2026-10-15", {}),
        ("2026-09-19", "2026-10-09", {}),
        ("2026-09-24", "2026-10-15", CONDITIONAL),
    ],
)
def test_the_reply_is_due_ten_working_days_after_receipt(office, received, due, facts, calendar):
    office.at = datetime.fromisoformat(f"{received}T10:00+08:00")
    request_id = office.submitted(**facts)
    with office.desk() as desk:
        (clock,) = timeline(desk, request_id, calendar).dues
    assert (clock.due_on, clock.state) == (date.fromisoformat(due), "green")
    after = datetime.fromisoformat(f"{due}T10:00+08:00") + timedelta(days=1)
    with office.desk(after) as desk:
        (clock,) = timeline(desk, request_id, calendar).dues
    assert clock.state == "red"


@pytest.mark.requirement("SHR-09", "SUP-13")
def test_both_sides_see_steps_clocks_and_what_comes_next(office, people, calendar):
    from catalog.roles import Action  # noqa: PLC0415

    request_id = office.submitted()
    with office.desk() as desk:
        filing.return_once(desk, request_id, ["补充依据"], people.authority, Action.DECIDE_REQUEST)
        seen = timeline(desk, request_id, calendar)
    assert [clock.state for clock in seen.dues] == ["paused"]
    assert seen.next_step.label_zh == "待申请部门补正后重新提交"
    with office.desk(office.at + timedelta(days=4)) as desk:
        filing.submit(desk, request_id, people.officer)
        resumed = timeline(desk, request_id, calendar)
        grant_id = deciding.grant(desk, request_id, people.authority)
        granted = timeline(desk, request_id, calendar)
        opening.open_channel(desk, grant_id, people.operator)
        opened = timeline(desk, request_id, calendar)
    assert [clock.state for clock in resumed.dues] == ["green"]
    assert (resumed.next_step, resumed.next_org) == (NextStep.AUTHORITY, "big_data_bureau")
    assert [clock.state for clock in granted.dues] == ["met", "green"]
    assert granted.dues[1].holder_org == "command_centre"
    assert [clock.state for clock in opened.dues] == ["met", "met"]
    kinds = [step.kind for step in opened.steps]
    assert kinds == [
        "drafted", "consented", "received", "returned", "received", "granted", "authorised",
        "opened",
    ]  # fmt: skip
    assert set(kinds) <= {one.value for one in StepKind}
