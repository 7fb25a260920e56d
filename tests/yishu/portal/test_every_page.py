"""Every page in a real browser: reachable by keyboard, readable, silent in the console, light.

The pages are those of the navigation of each role, generated from the areas, and some with an
object; a page that is added to the navigation is looked at without being named here.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from catalog.roles import Role
from yishu.portal.areas import AREAS
from yishu.portal.navigation import links_for

LINKS = [link for area in AREAS for link in getattr(area, "LINKS", ())]
PEOPLE = sorted(set(Role) - {Role.RULE})
MOST_BYTES = 300_000
OBJECTS = {
    Role.DEPARTMENT_OFFICER: (
        "/catalog/entries/taxation.taxpayer", "/compile/taxation.taxpayer", "/exchange", "/account",
    ),
    Role.AUDITOR: ("/catalog/entries/taxation.taxpayer/versions",),
    Role.AUTHORITY_REVIEWER: ("/exchange", "/rules/waivers/taxation.taxpayer"),
    Role.QUALITY_MONITOR: ("/trace?table=public_security.resident", "/objections/new"),
}  # fmt: skip


def paths_of(role):
    return [link.path for link in links_for(LINKS, role)] + list(OBJECTS.get(role, ()))


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("role", PEOPLE)
def test_pages_of_a_role_have_no_serious_fault_and_no_error(role, browser_page, picture):
    page = browser_page(role)
    faults = {}
    for path in paths_of(role):
        answer = page.goto(path)

        assert answer.status == 200, path
        if found := serious(page):
            faults[path] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
        picture(page, f"{role.value}{path.replace('/', '-')}")
    assert faults == {}


def test_the_first_page_is_light(browser_page):
    page = browser_page(Role.DEPARTMENT_OFFICER)
    sizes = []
    page.on("response", lambda one: sizes.append(one.request.sizes()["responseBodySize"]))

    page.goto("/", wait_until="networkidle")

    assert 0 < sum(sizes) < MOST_BYTES


def test_the_keyboard_reaches_the_content_and_the_search(browser_page):
    page = browser_page(Role.DEPARTMENT_OFFICER)
    page.goto("/catalog")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "f-q":
            return
    pytest.fail("the search field is not reached")


def test_pages_in_english_wide_and_forbidden(browser_page, picture):
    page = browser_page(Role.DEPARTMENT_OFFICER, width=1920)
    page.goto("/language/en?next=/catalog")
    picture(page, "english-wide-catalog")
    assert page.get_by_role("heading", name="Catalog").first.is_visible()
    page.goto("/journal")
    picture(page, "forbidden")
    assert page.get_by_text("You may not do this").first.is_visible()
    page.complaints.clear()
