"""A department compiles with its faults in place; the authority reviews and publishes."""

import pytest

from catalog.roles import Role
from catalog.vocabulary import EntryState
from yishu.clocks import BEIJING
from yishu.governance import versions
from yishu.governance.promises import clock_rows
from yishu.interchange.columns import COLUMNS, HEADINGS

OFFICER, HEAD, REVIEWER = (
    Role.DEPARTMENT_OFFICER,
    Role.DEPARTMENT_HEAD,
    Role.AUTHORITY_REVIEWER,
)
ENTRY = "taxation.taxpayer"


def named(heading, row=0):
    return f"r{row}c{COLUMNS.index(HEADINGS[heading])}"


@pytest.fixture
def filled(compile_form):
    """The form of the taxpayer's entry as a browser would send it, with changes."""

    def fill(asker, **changes):
        return compile_form(asker, ENTRY, **changes)

    return fill


def clocks(world):
    with world.engine.connect() as connection:
        return clock_rows(connection, object_id=ENTRY)


@pytest.mark.requirement("CAT-04")
def test_the_form_of_another_department_is_refused(client):
    answer = client(OFFICER).get("/compile/public_security.resident")

    assert answer.status_code == 403


def test_a_fault_is_told_at_its_field_and_nothing_is_saved(client, portal_world, filled):
    asker = client(OFFICER)
    form = filled(asker, **{named("信息资源名称"): "", named("数据长度", 1): "-1"})

    page = asker.post(f"/compile/{ENTRY}/check", data=form).text

    assert f'id="d-{named("信息资源名称")}"' in page
    assert f'id="d-{named("数据长度", 1)}"' in page
    assert "发现 没有内容 · 应为 目录要素" in page
    assert "发现 `-1` · 应为 不小于 1 · 请改正该值" in page
    asker.get("/language/en")
    assert "greater than or equal to 1" in asker.post(f"/compile/{ENTRY}/check", data=form).text
    with portal_world.engine.connect() as connection:
        assert versions.open_version(connection, ENTRY) is None


def test_what_cannot_be_read_is_kept_in_the_form(client, filled):
    asker = client(OFFICER)
    form = filled(asker, **{named("数据长度", 1): "十八"})

    answer = asker.post(f"/compile/{ENTRY}", data=form)

    assert answer.status_code == 422
    assert 'value="十八"' in answer.text


@pytest.mark.requirement("CAT-05")
def test_from_the_form_to_the_release_through_the_pages(client, portal_world, filled):
    officer, head, reviewer = client(OFFICER), client(HEAD), client(REVIEWER)
    form = filled(officer, **{named("使用条件"): "仅限用于履行法定职责和信用评价"})

    assert officer.post(f"/compile/{ENTRY}", data=form).status_code == 303
    (clock,) = clocks(portal_world)
    assert (clock.promise, clock.holder_org) == ("catalog_update", "taxation")
    assert f"{clock.received_at.astimezone(BEIJING):%F}" == form["changed_on"]
    form = filled(officer, do="submit")
    refused = officer.post(f"/compile/{ENTRY}", data=form)
    assert refused.status_code == 422, "submitted without review and consent"
    for asker, kind, verdict in (
        (head, "head_consent", "consented"),
        (reviewer, "confidentiality", "may_be_shared"),
    ):
        said = {"csrf": asker.csrf, "kind": kind, "verdict": verdict, "basis": "已核对"}
        assert asker.post(f"/review/{ENTRY}/assess", data=said).status_code == 303
    done = officer.post(f"/compile/{ENTRY}", data=filled(officer, do="submit"))
    assert done.status_code == 303, done.text
    assert "使用条件由“" in reviewer.get(f"/review/{ENTRY}").text
    told = {"csrf": reviewer.csrf, "decision": "return", "opinion": ""}
    assert reviewer.post(f"/review/{ENTRY}", data=told).status_code == 422, "no reason"
    told = {"csrf": reviewer.csrf, "decision": "approve", "opinion": "符合要求"}
    assert reviewer.post(f"/review/{ENTRY}", data=told).status_code == 303
    assert officer.post(f"/review/{ENTRY}", data=told | {"csrf": officer.csrf}).status_code == 403

    with portal_world.engine.connect() as connection:
        assert versions.open_version(connection, ENTRY).state is EntryState.APPROVED
    done = reviewer.post(f"/review/{ENTRY}/publish", data={"csrf": reviewer.csrf})
    assert done.status_code == 303, done.text
    (clock,) = clocks(portal_world)
    assert [event.kind.value for event in clock.events] == ["opened", "submitted", "fulfilled"]
    assert "和信用评价" in officer.get(f"/catalog/entries/{ENTRY}").text
    told = officer.get(f"/catalog/entries/{ENTRY}/versions", params={"before": 1, "after": 2}).text
    assert "使用条件由“" in told


def test_the_form_and_the_review_in_a_real_browser(browser_page, picture):
    page = browser_page(OFFICER)
    page.goto("/compile")
    picture(page, "compile-desk")
    page.goto("/compile/taxation.taxpayer")
    page.get_by_label("信息资源名称", exact=True).first.fill("")
    page.get_by_role("button", name="检查").click()
    page.wait_for_selector(".invalid-feedback")
    picture(page, "compile-form")
    page.get_by_label("变更原因").select_option("element_change")
    page.get_by_label("依据或说明").fill("更名")
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_selector("text=草稿已保存")
    reviewer = browser_page(REVIEWER)
    reviewer.goto("/review")
    picture(reviewer, "review-inbox")
    reviewer.goto("/review/taxation.taxpayer")
    picture(reviewer, "review")
    assert reviewer.get_by_role("button", name="审核通过").count() == 0, "it is not submitted yet"
    reviewer.goto("/catalog/entries/taxation.taxpayer/versions")
    picture(reviewer, "history")
    assert "草稿" in reviewer.locator("tbody").first.inner_text()
