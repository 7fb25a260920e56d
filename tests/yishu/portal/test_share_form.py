"""The request form: items by search, the smallest set, saved by itself; and what comes after."""

import re
from types import SimpleNamespace

import pytest

from catalog.roles import Role
from yishu.governance import accounts, items
from yishu.portal.snippets import snippets
from yishu.sharing.objects import shared_object
from yishu.sharing.vocabulary import ShareFormat

OBJECT = "market_regulation.enterprise_registration"
BASIC = "320106001000"
ITEM = "11320200014006438B3" + BASIC


@pytest.fixture(scope="module")
def listed(portal_world):
    """One service item in force, whose materials are known."""
    with portal_world.engine.begin() as connection:
        actor = accounts.find(connection, "service", portal_world.today())
        item = items.Item(ITEM, "taxation", "企业设立登记", {})
        items.change(connection, item, "《行政许可法》", actor, portal_world.clock())
    return portal_world


def test_items_are_found_by_name_and_stay_ticked(listed, client):
    officer = client(Role.DEPARTMENT_OFFICER)
    found = officer.post("/sharing/items", data={"csrf": officer.csrf, "item_search": "设立"}).text
    assert f'name="item-{BASIC}"' in found
    assert "checked" not in found

    form = {"csrf": officer.csrf, "item_search": "没有", f"item-{BASIC}": "on"}
    kept = officer.post("/sharing/items", data=form).text
    assert re.search(rf'name="item-{BASIC}" value="on" checked', kept)
    assert "没有找到这样的事项" in kept


@pytest.mark.requirement("SHR-05")
def test_the_smallest_set_is_shown_and_filled_in_to_be_edited(listed, client):
    officer = client(Role.DEPARTMENT_OFFICER)
    form = {"csrf": officer.csrf, f"item-{BASIC}": "on", "use-address": "备用", "propose": "1"}

    page = officer.post(f"/sharing/new/{OBJECT}", data=form).text

    filled = dict(re.findall(r'name="use-(\w+)" value="([^"]+)"', page))
    assert {"uscc", "name", "legal_representative"} <= set(filled)
    assert "address" not in filled
    assert "关联事项的办理材料只需要" in page


def test_hints_name_items_in_chinese_and_dates_are_proposed(client):
    page = client(Role.DEPARTMENT_OFFICER).get(f"/sharing/new/{OBJECT}").text

    assert "本部门的“纳税人信用信息”已有“统一社会信用代码”" in page
    assert "“uscc”" not in page
    assert 'value="2026-11-20"' in page
    assert 'value="2027-11-19"' in page


def test_what_is_typed_is_saved_by_itself_in_one_draft_of_the_own_department(client):
    officer = client(Role.DEPARTMENT_OFFICER)
    path = f"/sharing/autosave/{OBJECT}"
    first = officer.post(path, data={"csrf": officer.csrf, "scenario": "核对"}).text
    (number,) = re.findall(r'name="request_id" value="(SQ\d+)"', first)
    form = {"csrf": officer.csrf, "scenario": "核对登记", "request_id": number}
    again = officer.post(path, data=form).text

    assert number in again
    assert "核对登记" in officer.get(f"/sharing/{number}").text
    unread = officer.post(path, data={**form, "valid_from": "2026-13-45"})
    assert "尚未自动保存" in unread.text
    assert number in unread.text
    other = client("officer.health")
    refused = other.post(path, data={**form, "csrf": other.csrf, "scenario": "改掉"})
    assert refused.status_code == 403
    assert "核对登记" in officer.get(f"/sharing/{number}").text


@pytest.mark.parametrize("kind", list(ShareFormat))
def test_every_format_says_how_it_is_read(kind, portal_world):
    release = portal_world.release()
    object_ = shared_object(release, OBJECT)
    grant = SimpleNamespace(
        grant_id="GT1", format=kind.value, provider_orgs=["market_regulation"],
        columns=["uscc", "name"], purpose_code="statistics",
    )  # fmt: skip

    told = snippets(grant, object_, release, "http://127.0.0.1:8091/")

    assert told
    assert all("8091//" not in one.text for one in told)
    for one in told:
        if one.text.startswith("import"):
            compile(one.text, one.tool, "exec")


def test_the_form_in_a_real_browser_saves_itself(listed, browser_page, picture):
    for width in (1280, 1920):
        page = browser_page(Role.DEPARTMENT_OFFICER, width=width)
        page.goto(f"/sharing/new/{OBJECT}")
        page.locator("#f-item_search").press_sequentially("设立")
        page.get_by_text("企业设立登记").click()
        page.locator("[name='scenario']").fill("核对纳税人登记")
        page.locator("[name='purpose']").focus()
        page.get_by_text("草稿已自动保存").wait_for()
        page.get_by_role("button", name="检查并保存", exact=True).click()
        page.get_by_text("请一次补齐以下内容").wait_for()
        picture(page, f"share-form-{width}")
        refusals = [said for said in page.complaints if "422" in said]
        assert page.complaints == refusals != []
        page.complaints.clear()
