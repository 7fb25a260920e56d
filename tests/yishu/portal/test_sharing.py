"""Sharing in the portal: the form with all that is missing, timeline, decision, channel."""

import re

import pytest

from catalog.roles import Role

OFFICER, HEAD = Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD
REVIEWER, OPERATOR = Role.AUTHORITY_REVIEWER, Role.CENTRE_OPERATOR
OBJECT = "market_regulation.enterprise_registration"
FILLED = {
    "scenario": "核对纳税人登记", "service_items": "320107009000", "purpose_code": "statistics",
    "purpose": "核对登记信息", "legal_basis": "《税收征收管理法》第十五条",
    "use-uscc": "定位企业记录", "use-industry_code": "判断所属行业的税种", "format": "json",
    "cycle": "daily", "valid_from": "2026-11-20", "valid_until": "2027-11-19", "contact": "信息中心",
}  # fmt: skip


def filed(client):
    officer = client(OFFICER)
    form = {"csrf": officer.csrf, **FILLED}
    answer = officer.post(f"/sharing/new/{OBJECT}", data=form, follow_redirects=False)
    return answer.headers["location"]


def step(asker, path, **given):
    return asker.post(path, data={"csrf": asker.csrf, **given}, follow_redirects=True)


@pytest.mark.requirement("SHR-07")
def test_the_form_lists_all_that_is_missing_and_keeps_what_was_typed(client):
    officer = client(OFFICER)
    given = {"csrf": officer.csrf, "scenario": "核对", "use-uscc": "定位企业记录"}
    answer = officer.post(f"/sharing/new/{OBJECT}", data=given)

    assert answer.status_code == 422
    for code in ("REQ_NO_PURPOSE", "REQ_NO_BASIS", "REQ_NO_FORMAT", "REQ_NO_TERM", "REQ_NO_ITEM"):
        assert code in answer.text
    assert "定位企业记录" in answer.text


@pytest.mark.requirement("SHR-08", "SHR-09")
def test_a_request_goes_from_form_to_channel(client):
    path = filed(client)
    officer, head = client(OFFICER), client(HEAD)
    assert step(officer, f"{path}/submit").status_code == 422
    step(head, f"{path}/consent")
    assert step(officer, f"{path}/submit").status_code == 200
    reviewer, operator = client(REVIEWER), client(OPERATOR)
    seen = reviewer.get(path).text
    assert "待大数据主管部门审批" in seen
    assert "无条件共享申请答复" in seen or "有条件共享申请答复" in seen
    assert step(reviewer, f"{path}/refuse", reason=" ").status_code == 422
    granted = step(reviewer, f"{path}/grant").text
    (grant_id,) = set(re.findall(r"GT\d{8}", granted))
    channel = f"/sharing/channel/{grant_id}"
    assert step(reviewer, f"{channel}/open").status_code == 403
    opened = step(operator, f"{channel}/open").text
    assert "ys1." in opened
    assert "ys1." not in operator.get(channel).text
    step(operator, f"{channel}/close", reason="用途已实现")
    assert "通道已关闭" in officer.get(path).text


def test_a_draft_is_its_departments_alone(client):
    path = filed(client)

    assert client(REVIEWER).get(path).status_code == 404
    assert client(OFFICER).get(path).status_code == 200
