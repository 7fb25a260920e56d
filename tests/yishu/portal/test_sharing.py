"""Sharing in the portal: the form with all that is missing, timeline, decision, channel."""

import html
import io
import re
from base64 import b64decode

import openpyxl
import pytest

from catalog.roles import Role

OFFICER, HEAD = Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD
REVIEWER, OPERATOR = Role.AUTHORITY_REVIEWER, Role.CENTRE_OPERATOR
OBJECT = "market_regulation.enterprise_registration"
FILLED = {
    "scenario": "核对纳税人登记", "service_items": "320107009000", "purpose_code": "statistics",
    "purpose": "核对登记信息", "legal_basis": "《税收征收管理法》第十五条",
    "use-uscc": "定位企业记录", "use-industry_code": "判断所属行业的税种", "format": "json",
    "cycle": "daily", "valid_from": "2026-11-20", "valid_until": "2027-11-19",
    "contact": "信息中心",
}  # fmt: skip


def filed(client, **more):
    officer = client(OFFICER)
    form = {"csrf": officer.csrf, **FILLED, **more}
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
    told = officer.get(f"/sharing/new/{OBJECT}").text
    assert f"本部门的授权 {grant_id} 已包含该数据的部分内容" in told
    wider = {"csrf": officer.csrf, **FILLED, "purpose": "", "use-name": "核对名称"}
    assert grant_id not in officer.post(f"/sharing/new/{OBJECT}", data=wider).text
    again = {**wider, "use-name": ""}
    told = officer.post(f"/sharing/new/{OBJECT}", data=again).text
    assert f"本部门的授权 {grant_id} 已包含所需数据" in told
    opened = step(operator, f"{channel}/open").text
    assert "ys1." in opened
    assert "ys1." not in operator.get(channel).text
    step(operator, f"{channel}/close", reason="用途已实现")
    assert "通道已关闭" in officer.get(path).text


@pytest.mark.requirement("SHR-07")
def test_a_filled_in_workbook_is_checked_on_the_page_and_comes_back_marked(client):
    officer = client(OFFICER)
    data = officer.get(f"/sharing-sheets/{OBJECT}.xlsx").content
    book = openpyxl.load_workbook(io.BytesIO(data))
    answers = {
        "应用场景": "核对纳税人登记", "用途类别": "随便", "利用目的": "核对登记信息",
        "使用依据": "《税收征收管理法》第十五条", "共享方式": "服务接口", "更新周期": "每日",
    }  # fmt: skip
    for row in book["申请"].iter_rows():
        row[1].value = answers.get(row[0].value, row[1].value)

    def send():
        buffer = io.BytesIO()
        book.save(buffer)
        files = {"upload": ("申请.xlsx", buffer.getvalue())}
        return officer.post(f"/sharing-sheets/{OBJECT}", data={"csrf": officer.csrf}, files=files)

    answer = send()
    assert answer.status_code == 422
    for told in ("“申请”表 B4", "REQ_NO_TERM", "REQ_NO_ELEMENT", "核对纳税人登记"):
        assert told in answer.text
    (encoded,) = re.findall(r"base64,([^\"]+)", answer.text)
    back = openpyxl.load_workbook(io.BytesIO(b64decode(html.unescape(encoded))))
    assert "选项" in back["申请"]["B4"].comment.text
    assert "核对纳税人登记" not in officer.get("/sharing").text
    assert client("officer.public_security").get("/sharing").text.count("SQ0") == 0

    for row in book["申请"].iter_rows():
        more = {"用途类别": "统计分析", "数据格式": "查询接口（JSON）", "使用起始日": "2026-11-20",
                "使用截止日": "2027-11-19", "联系人": "信息中心"}  # fmt: skip
        row[1].value = more.get(row[0].value, row[1].value)
    book["申请"]["B3"] = "320107009000"
    book["数据项"]["C2"] = "定位企业记录"
    answer = send()
    assert answer.status_code == 200
    assert 'value="定位企业记录"' in answer.text
    files = {"upload": ("申请.xlsx", b"PK nothing")}
    sent = {"csrf": officer.csrf}
    assert officer.post(f"/sharing-sheets/{OBJECT}", data=sent, files=files).status_code == 422
    assert client(REVIEWER).get(f"/sharing-sheets/{OBJECT}.xlsx").status_code == 403


@pytest.mark.requirement("SHR-05", "SHR-06")
def test_who_decides_sees_rows_and_treatment_and_strikes_elements(client):
    """What is approved is what is on the page: columns by name, as delivered, rows, period."""
    scope = {"regions": "320205", "period_column": "established_on", "since": "2026-01-01"}
    more = {"use-legal_representative": "核对法定代表人", "how-legal_representative": "masked"}
    path = filed(client, **scope, **more)
    step(client(HEAD), f"{path}/consent")
    step(client(OFFICER), f"{path}/submit")
    reviewer = client(REVIEWER)
    seen = reviewer.get(path).text
    for told in ("320205", "成立日期 2026-01-01 — …", "法定代表人", "脱敏", "每日"):
        assert told in seen
    granted = step(
        reviewer, f"{path}/grant", reason="行业以登记为准", **{"strike-industry_code": "on"}
    )
    (grant_id,) = set(re.findall(r"GT\d{8}", granted.text))
    channel = client(OFFICER).get(f"/sharing/channel/{grant_id}").text
    assert "统一社会信用代码、法定代表人姓名（脱敏）<" in channel, "the struck one is not granted"
    assert "成立日期 2026-01-01 — …" in channel
    assert "行业以登记为准" in client(OFFICER).get("/notices").text


@pytest.mark.requirement("SHR-08")
def test_several_requests_are_granted_at_once_or_none(client):
    paths = [filed(client) for _ in range(2)]
    for path in paths:
        step(client(HEAD), f"{path}/consent")
        step(client(OFFICER), f"{path}/submit")
    first, second = (path.rpartition("/")[2] for path in paths)
    reviewer = client(REVIEWER)
    assert f'value="{first}"' in reviewer.get("/sharing").text
    assert 'name="chosen"' not in client(OFFICER).get("/sharing").text

    assert step(reviewer, "/sharing/batch", chosen=[first, "SQ99999999"]).status_code == 404
    assert "待大数据主管部门审批" in reviewer.get(paths[0]).text, "nothing was granted"
    assert step(client(OFFICER), "/sharing/batch", chosen=[first]).status_code == 403
    assert step(reviewer, "/sharing/batch", chosen=[first, second]).status_code == 200
    assert all("待指挥中心开通数据通道" in reviewer.get(path).text for path in paths)


def test_a_draft_is_its_departments_alone(client):
    path = filed(client)

    assert client(REVIEWER).get(path).status_code == 404
    assert client(OFFICER).get(path).status_code == 200


@pytest.mark.requirement("SHR-02", "SHR-03", "SHR-04")
def test_lists_are_entered_on_their_page(client):
    officer = client(OFFICER)
    given = {"title": "核对税源", "wanted": "企业名称，用水量", "scenario": "税源管理",
             "service_items": "320107009000", "mode": "api", "cycle": "daily"}  # fmt: skip
    refused = step(officer, "/demands", **{**given, "wanted": " ", "mode": ""})
    assert refused.status_code == 422
    assert "核对税源" in refused.text
    assert step(officer, "/demands", **given).status_code == 200
    own = "taxation.taxpayer"
    step(officer, "/demands/duties", entry_id=own, duty_basis="《税收征收管理法》第十五条")
    told = client(REVIEWER).get("/demands").text
    assert "部分满足" in told
    assert "《税收征收管理法》第十五条" in told
    assert "不予共享的目录数及占比" in told
    assert step(client(REVIEWER), "/demands", **given).status_code == 403
    other = step(officer, "/demands/duties", entry_id=OBJECT, duty_basis="职责")
    assert other.status_code == 403


def test_a_draft_is_corrected_as_it_was_filled_in(client):
    path = filed(client)
    officer = client(OFFICER)
    seen = officer.get(f"{path}/edit").text
    assert "判断所属行业的税种" in seen
    step(officer, f"{path}/edit", **{**FILLED, "use-industry_code": "判断税种所属行业"})
    assert "判断税种所属行业" in officer.get(path).text
    period = {"period_column": "established_on", "since": "2026-01-01", "until": "2026-06-30"}
    step(officer, f"{path}/edit", **FILLED, **period)
    seen = officer.get(f"{path}/edit").text
    for kept in ('value="established_on" selected', 'value="2026-01-01"', 'value="2026-06-30"'):
        assert kept in seen, "a correction widens no scope"
    wrong = step(officer, f"{path}/edit", **FILLED, **{**period, "until": "2025-01-01"})
    assert (wrong.status_code, "限定期间时请选择日期项" in wrong.text) == (422, True)
    assert client("officer.public_security").get(f"{path}/edit").status_code in (403, 404)


def test_letters_are_kept_by_content_and_never_shown_by_a_browser(client):
    path = filed(client)
    officer = client(OFFICER)
    page = f"{path}/attachments"

    def send(content, name="公函.html"):
        files = {"upload": (name, content, "text/html")}
        return officer.post(page, data={"csrf": officer.csrf}, files=files, follow_redirects=True)

    assert send(b"<html><script>alert(1)</script>").status_code == 422
    assert "公函.html" in send(b"%PDF-1.7 letter").text
    (digest,) = set(re.findall(r"attachments/([0-9a-f]{64})", officer.get(page).text))
    got = officer.get(f"{page}/{digest}")
    assert got.content == b"%PDF-1.7 letter"
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert client(REVIEWER).get(f"{page}/{digest}").status_code in (404, 422)
    assert officer.get(f"{page}/{'0' * 64}").status_code in (404, 422)


def test_a_grant_is_renewed_changed_recalled_and_its_bytes_go_when_it_is_closed(
    client, portal_world
):
    path = filed(client)
    officer, operator = client(OFFICER), client(OPERATOR)
    step(client(HEAD), f"{path}/consent")
    step(officer, f"{path}/submit")
    granted = step(client(REVIEWER), f"{path}/grant").text
    (grant_id,) = set(re.findall(r"GT\d{8}", granted))
    channel = f"/sharing/channel/{grant_id}"
    for again in ("renew", "change"):
        assert "判断所属行业的税种" in officer.get(f"{channel}/{again}").text
        assert "待本部门负责人同意并提交" in step(officer, f"{channel}/{again}", **FILLED).text
    assert step(operator, f"/recalls/{OBJECT}", until=0, reason=" ").status_code == 422
    assert step(operator, f"/recalls/{OBJECT}", until=0, reason="名称有误").status_code == 200
    assert step(officer, f"/recalls/{OBJECT}", until=0, reason="x").status_code == 403
    step(operator, f"{channel}/open")
    assert officer.get(f"{channel}/file").status_code in (403, 422)
    left = portal_world.settings.var_dir / "sharing" / "projections" / "left"
    left.mkdir(parents=True)
    step(operator, f"{channel}/close", reason="用途已实现")
    assert not left.exists()
    told = officer.get("/notices").text
    for subject in ("共享申请已获同意", "数据通道已开通", "数据通道已关闭"):
        assert f"{subject}：" in told
    kept = {"on_day": "2026-11-20", "kind": "disposal"}
    assert step(officer, f"{channel}/register", note=" ", **kept).status_code == 422
    assert step(operator, f"{channel}/register", note="已删除", **kept).status_code == 403
    assert step(officer, f"{channel}/register", note="已删除", **kept).status_code == 200
    officer.cookies.set("yishu_language", "en")
    seen = officer.get(path).text
    assert "disposal registered" in seen
    assert "closed and disposal to register" in seen


def test_requests_and_channels_in_a_real_browser(client, browser_page, picture):
    paths = [filed(client, regions="320205") for _ in range(2)]
    for path in paths:
        step(client(HEAD), f"{path}/consent")
        step(client(OFFICER), f"{path}/submit")
    reviewer = browser_page(REVIEWER)
    reviewer.on("dialog", lambda asked: asked.accept())
    reviewer.goto(paths[0])
    picture(reviewer, "share-decision-1280")
    reviewer.goto("/sharing")
    for box in reviewer.locator("[name='chosen']").all():
        box.check()
    picture(reviewer, "share-list-1280")
    reviewer.get_by_role("button", name="同意所选申请").click()
    reviewer.get_by_text("已办理").wait_for()
    (grant_id,) = set(re.findall(r"GT\d{8}", client(OFFICER).get(paths[0]).text))
    step(client(OPERATOR), f"/sharing/channel/{grant_id}/open")

    officer = browser_page(OFFICER)
    officer.goto(f"/sharing/channel/{grant_id}")
    officer.locator("[name='on_day']").fill("2026-11-20")
    officer.locator("[name='note']").fill("核对纳税人登记 12 户")
    picture(officer, "share-channel-1280")
    officer.get_by_role("button", name="登记", exact=True).click()
    officer.get_by_role("cell", name="核对纳税人登记 12 户").wait_for()
    picture(officer, "share-channel-registered-1280")
    officer.goto(f"/sharing/new/{OBJECT}")
    officer.get_by_text("用表格填写").click()
    officer.get_by_text("下载申请表（XLSX）").wait_for()
    picture(officer, "share-sheet-1280")
