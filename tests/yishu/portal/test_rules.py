"""Rules and calendar: what is in force, a notice that is loaded, where notices go; the sign-in."""

import re

import pytest

from catalog.roles import Role


def test_profiles_calendar_and_waivers_are_shown_to_who_keeps_the_rules(client):
    page = client(Role.ADMINISTRATOR).get("/rules").text

    assert "目录变更" in page or "个工作日" in page
    assert "国务院尚未" not in page
    assert re.search(r"\d{4}–\d{4}", page)
    assert client(Role.AUTHORITY_REVIEWER).get("/rules").status_code == 200
    assert "通知地址" not in client(Role.AUTHORITY_REVIEWER).get("/rules").text


@pytest.mark.requirement("SEC-08")
def test_a_file_that_is_no_notice_changes_nothing(client):
    admin = client(Role.ADMINISTRATOR)
    before = admin.get("/rules").text
    files = {"upload": ("x.csv", b"a,b\n1,2\n", "text/csv")}
    form = {"csrf": admin.csrf, "year": "2027"}

    assert admin.post("/rules/calendar", data=form, files=files).status_code == 422
    assert admin.get("/rules").text == before
    monitor = client(Role.QUALITY_MONITOR)
    form = {"csrf": monitor.csrf, "year": "2027"}
    assert monitor.post("/rules/calendar", data=form, files=files).status_code == 403


def test_an_address_of_notices_is_kept_and_dropped(client):
    admin = client(Role.ADMINISTRATOR)
    form = {
        "csrf": admin.csrf, "org": "taxation", "role": "department_officer", "channel": "mail",
        "address": "shuju@example.invalid",
    }  # fmt: skip

    admin.post("/rules/addresses", data=form)
    assert "shuju@example.invalid" in admin.get("/rules").text
    admin.post("/rules/addresses", data={**form, "do": "drop"})
    assert "shuju@example.invalid" not in admin.get("/rules").text


def test_the_sign_in_page_says_what_this_is_and_groups_the_demos_accounts(client):
    page = client().get("/sign-in").text

    assert "按目录共享政务数据" in page
    assert page.count("<details") == len(set(re.findall(r"<summary>\s*<strong>([^<]+)<", page)))
    assert page.index('value="reviewer"') < page.index('value="officer.taxation"')


def test_rules_and_sign_in_in_a_real_browser(browser_page, picture):
    for width in (1280, 1920):
        page = browser_page(Role.ADMINISTRATOR, width=width)
        page.goto("/rules")
        assert page.locator("h1").inner_text() == "规则与日历"
        picture(page, f"rules-{width}")
        page.goto("/sign-in")
        assert page.get_by_label("密码").is_visible()
        picture(page, f"sign-in-{width}")
