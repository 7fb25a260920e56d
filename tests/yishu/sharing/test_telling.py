"""What an officer is told of a request and its channel, and that each event is told once."""

import re
from datetime import UTC, date, datetime, timedelta

from catalog.roles import Action, Role
from yishu.governance.notices import inbox
from yishu.sharing import deciding, filing, opening, register
from yishu.sharing.timeline import NextStep, StepKind, timeline

OF_OFFICER = {"org": "human_resources", "role": Role.DEPARTMENT_OFFICER}


def told(office):
    """Subjects of what the requester's officers were told, oldest first, without numbers."""
    with office.engine.connect() as connection:
        notices = sorted(inbox(connection, **OF_OFFICER), key=lambda one: one.at)
    return [(one.subject.partition("：")[0], one.text) for one in notices]


def test_an_officer_is_told_of_a_return_a_refusal_and_a_consent(office, people):
    returned = office.submitted()
    with office.desk() as desk:
        parts = ["补充使用依据"]
        filing.return_once(desk, returned, parts, people.authority, Action.DECIDE_REQUEST)
    office.at += timedelta(hours=1)
    with office.desk() as desk:
        filing.submit(desk, returned, people.officer)
        deciding.refuse(desk, returned, people.authority, "依据不足以支持所申请的用途")
    office.at += timedelta(hours=1)
    office.granted()

    (first, missing), (second, why), (third, granted) = told(office)

    assert (first, second, third) == ("共享申请退回补正", "共享申请未获同意", "共享申请已获同意")
    assert "补充使用依据" in missing
    assert f"Share request returned for completion: {returned}." in missing
    assert "依据不足以支持所申请的用途" in why
    assert "Share request granted: SQ" in granted


def test_nobody_is_told_before_the_last_seat_has_decided(office, people, calendar):
    office.profiles = ("wuxi_2022", "cn_decree_809")
    request_id = office.submitted()
    with office.desk() as desk:
        assert deciding.grant(desk, request_id, people.provider) is None
        seen = timeline(desk, request_id, calendar)

    assert (seen.next_step, seen.next_org) == (NextStep.AUTHORITY, "big_data_bureau")
    assert told(office) == []


def test_an_officer_is_told_what_becomes_of_the_channel(office, people):
    grant_id, _ = office.opened(valid_until="2026-11-22")
    steps = (
        lambda desk: opening.suspend(desk, grant_id, people.operator, "用途不符"),
        lambda desk: opening.resume(desk, grant_id, people.operator, "已整改"),
        lambda desk: opening.new_token(desk, grant_id, people.operator),
    )
    for number, step in enumerate(steps, 1):
        with office.desk(office.at + timedelta(hours=number)) as desk:
            step(desk)
    with office.desk(datetime(2026, 11, 22, 16, tzinfo=UTC)) as desk:
        assert opening.expire(desk) == [grant_id]
        assert opening.expire(desk) == []
    other, _ = office.opened()
    with office.desk() as desk:
        opening.close(desk, other, people.operator, "用途已实现")

    subjects = [subject for subject, _ in told(office)]

    assert sorted(set(subjects)) == sorted(
        {"共享申请已获同意", "数据通道已开通", "数据通道已暂停", "数据通道已恢复",
         "数据通道令牌已更换", "授权已到期", "数据通道已关闭"}
    )  # fmt: skip
    assert len(subjects) == 9, "each event once, two grants"
    assert not any(re.search(r"ys1\.", text) for _, text in told(office)), "never a token"


def test_every_step_of_a_grant_has_its_words(office, people, calendar):
    grant_id, _ = office.opened(valid_until="2026-11-22")
    with office.desk(datetime(2026, 11, 22, 16, tzinfo=UTC)) as desk:
        opening.expire(desk)
        register.register_use(desk, grant_id, date(2026, 11, 21), "用于参保登记", people.officer)
        register.register_disposal(desk, grant_id, date(2026, 11, 23), "已删除", people.officer)
        request_id = desk.grant(grant_id).request_id
        seen = timeline(desk, request_id, calendar)

    kinds = [step.kind for step in seen.steps]
    assert kinds[-3:] == ["expired", "use_registered", "disposal_registered"]
    assert set(kinds) <= {one.value for one in StepKind}
    assert (seen.next_step, seen.next_org) == (NextStep.DISPOSAL_EXPIRED, "human_resources")
