"""Pages in the states that nobody plans for: no such object, too many and too long names, refused.

The pages are generated from the routes and from the navigation, so a new one is tried as well. The
empty state is `test_every_page`'s: it looks at a portal in which nothing happened yet.
"""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from sqlalchemy import insert

from catalog.roles import Role
from yishu.governance import accounts
from yishu.governance.clock_rules import by_rule
from yishu.governance.promises import NewClock, open_clocks
from yishu.governance.sweep import sweep
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger import CheckFacts, Ledger, RunKind, RunStarted, VerdictFacts
from yishu.ledger.journal import Actor
from yishu.ledger.models import NoticeRow, Objection, ShareDemand
from yishu.portal.app import create_app
from yishu.portal.areas import AREAS
from yishu.portal.navigation import links_for
from yishu.sharing import filing
from yishu.sharing.form import RequestForm
from yishu.sharing.installed import house_of

LINKS = [link for area in AREAS for link in getattr(area, "LINKS", ())]
PEOPLE = sorted(set(Role) - {Role.RULE})
ASKERS = (Role.DEPARTMENT_OFFICER, Role.AUTHORITY_REVIEWER, Role.ADMINISTRATOR)
"""Between them they may ask for most pages."""

LONG = "跨部门跨层级跨地区政务数据共享应用场景名称特别长的一项" * 4
LONG_ID = "taxation." + "extraordinarily_long_identifier_" * 3
OBJECT = "market_regulation.enterprise_registration"
MANY = 60


OBJECTS = {
    Role.AUTHORITY_REVIEWER: (
        "/catalog/entries/taxation.taxpayer/versions", "/register/disputes",
    ),
    Role.DEPARTMENT_OFFICER: (
        "/catalog/entries/taxation.taxpayer", "/compile/taxation.taxpayer", "/exchange",
        "/sharing/new/market_regulation.enterprise_registration",
    ),
    Role.QUALITY_MONITOR: (
        "/quality/entries/taxation.taxpayer", "/quality/departments/taxation", "/quality-rates",
        "/objections/new",
    ),
    Role.AUDITOR: ("/lineage?data_set=unified/taxation.taxpayer", "/account"),
}  # fmt: skip
"""Pages of one thing, looked at more closely by who deals with it."""

FIRST_OF = {
    "/sharing": 'a[href^="/sharing/SQ"]', "/clocks": 'td > a[href^="/clocks/clk"]',
    "/objections": 'a[href^="/objections/YY"]',
}  # fmt: skip
"""Lists whose first thing is opened as well."""


def desk_of(role):
    """The navigation of a role, without what a role before has looked at; its home in any case."""
    seen = {link.path for other in PEOPLE[: PEOPLE.index(role)] for link in links_for(LINKS, other)}
    return ["/", *(link.path for link in links_for(LINKS, role) if link.path not in seen)]


def serious(page):
    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def pages_of(router):
    """Paths of every page that is read, also of routers that are included as they are."""
    for one in router.routes:
        if isinstance(one, APIRoute) and "GET" in one.methods:
            yield one.path
        elif hasattr(one, "original_router"):
            yield from pages_of(one.original_router)


@pytest.mark.parametrize("role", ASKERS)
@pytest.mark.parametrize("thing", ["没有这个", "a'b<c>"])
def test_what_is_not_there_is_told_and_breaks_no_page(role, thing, client, portal_world):
    asker = client(role)
    paths = [path for path in pages_of(create_app(portal_world)) if "{" in path]
    assert len(paths) > 20
    for path in paths:
        answer = asker.get(re.sub(r"\{[^}]*\}", thing, path))

        assert answer.status_code < 500, f"{path}: {answer.status_code}"
        if answer.status_code >= 400 and "text/html" in answer.headers["content-type"]:
            assert 'role="alert"' in answer.text, path
            assert "<c>" not in answer.text, path


@pytest.fixture(scope="module")
def full(portal_world):
    """More of everything than a page shows, under names longer than anybody would choose."""
    at = portal_world.clock()
    demands = [
        {"demand_id": f"XQ{one:08d}", "org": "taxation", "title": LONG,
         "wanted": [LONG, "企业名称"], "scenario": LONG, "service_items": ["320106001000"],
         "mode": "api", "cycle": "daily", "listed_at": at}
        for one in range(MANY)
    ]  # fmt: skip
    clocks = [
        NewClock("catalog_update", "wuxi_2022", "catalog_entry", f"{LONG_ID}{one}", "taxation",
                 "law_change", at - timedelta(days=20 + one % 40))
        for one in range(MANY)
    ]  # fmt: skip
    with portal_world.engine.begin() as connection:
        connection.execute(insert(ShareDemand), demands)
        open_clocks(connection, clocks, by_rule("test"))
        rules = rules_in_force(connection, portal_world.release(), portal_world.settings)
        sweep(connection, rules, at)
        connection.execute(insert(NoticeRow), [_notice(one, at) for one in range(MANY)])
        connection.execute(insert(Objection), [_objection(one, at) for one in range(MANY)])
        officer = accounts.find(connection, "officer.taxation", portal_world.today())
        house = house_of(
            portal_world.settings, portal_world.engine, portal_world.clock, portal_world.release()
        )
        for _ in range(MANY):
            form = RequestForm(object_id=OBJECT, scenario=LONG)
            filing.draft(house.desk(connection), form, officer)
        accounts.register(connection, Actor("p-long", "x" * 60, Role.AUDITOR, "health"), LONG[:60],
                          accounts.find(connection, "admin", portal_world.today()), at)  # fmt: skip
    _judge(Ledger(portal_world.engine), at)
    return portal_world


def _judge(ledger, at):
    """Twelve runs of an entry with many rules that failed, all of them long."""
    for number in range(12):
        run, moment = f"r-{number:02}", at - timedelta(hours=12 - number)
        checks = tuple(
            CheckFacts(
                f"{LONG_ID[9:60]}.{one}", "format", "conformity", "fail", ("id_no",), 90, 1, LONG,
                text_en="long " * 30, waived=0,
            )
            for one in range(MANY)
        )  # fmt: skip
        started = RunStarted(run, "taxation.taxpayer", RunKind.ENTRY, "x", moment)
        ledger.record_run_started(started)
        verdict = VerdictFacts(run, "taxation.taxpayer", 90, 1, True, 0.2, moment, checks)
        ledger.record_verdict(verdict)


def _notice(number, at):
    return {
        "key": f"n{number:03}", "org": "taxation", "role": Role.DEPARTMENT_OFFICER, "subject": LONG,
        "text": f"通知{number:03}。{LONG}", "at": at - timedelta(minutes=number),
        "object_kind": "clock", "object_id": LONG_ID,
    }  # fmt: skip


def _objection(number, at):
    return {
        "objection_id": f"YY{number:03}", "origin": "department", "raised_org": "health",
        "raised_at": at - timedelta(minutes=number), "profile": "wuxi_2022",
        "authority": "big_data_bureau", "entry_id": LONG_ID, "source_entry_id": LONG_ID,
        "source_org": "taxation", "summary": LONG, "fingerprint": f"f{number}",
    }  # fmt: skip


LISTS = {
    "/clocks?x=": ("page", r'<td>\s*<a href="/clocks/(clk-[^"]*)">', Role.DEPARTMENT_OFFICER),
    "/cards?x=": ("page", r'<a href="/clocks/(clk-[^"]*)">', Role.DEPARTMENT_OFFICER),
    "/cards?y=": ("order", r"<tr><td>(DB[^<]*)</td>", Role.DEPARTMENT_OFFICER),
    "/notices?x=": ("page", r"(通知\d{3})", Role.DEPARTMENT_OFFICER),
    "/objections?x=": ("page", r"/objections/(YY\d{3})", Role.DEPARTMENT_OFFICER),
    "/sharing?x=": ("page", r"/sharing/(SQ\d+)", Role.DEPARTMENT_OFFICER),
    "/demands?x=": ("page", r"<td>(XQ\d+)</td>", Role.DEPARTMENT_OFFICER),
}


@pytest.mark.parametrize("path", LISTS)
def test_a_long_list_is_told_by_pages_and_nothing_is_left_out_or_told_twice(path, full, client):
    name, pattern, role = LISTS[path]
    asker = client(role)

    pages = [re.findall(pattern, asker.get(f"{path}&{name}={one}").text) for one in (1, 2, 3, 4)]

    told = [one for page in pages for one in dict.fromkeys(page)]
    assert len(told) == len(set(told)), "told twice"
    assert len(told) >= MANY - 15
    assert len(set(pages[0])) <= 50 < len(told)


@pytest.mark.parametrize("role", PEOPLE)
def test_full_pages_with_long_names_fit_the_screen_and_forbidden_ones_say_so(
    role, full, browser_page, picture
):
    page = browser_page(role)
    closely, faults = list(OBJECTS.get(role, ())), {}

    def look(path):
        assert page.goto(path).status == 200, path
        if page.evaluate("document.documentElement.scrollWidth") > 1280:
            faults[path] = "wider than the screen"
        picture(page, f"full-{role.value}{path.replace('/', '-')[:60]}")

    for path in desk_of(role):
        look(path)
        if path in FIRST_OF and page.locator(FIRST_OF[path]).count():
            closely.append(page.locator(FIRST_OF[path]).first.get_attribute("href"))
    for path in closely:
        look(path)
        if found := serious(page):
            faults[path] = found
    assert faults == {}
    assert page.complaints == []

    other = "/journal" if role is Role.ADMINISTRATOR else "/administration"
    assert page.goto(other).status == 403
    assert page.get_by_role("alert").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    picture(page, f"forbidden-{role.value}")
    page.complaints.clear()


def test_full_pages_show_the_long_names(full, client):
    officer = client(Role.DEPARTMENT_OFFICER)

    assert LONG in officer.get("/demands").text
    for path in ("/", "/clocks"):
        assert LONG_ID in officer.get(path).text, path


def test_an_error_page_fits_the_screen_and_says_what_to_do(browser_page, picture):
    page = browser_page(Role.DEPARTMENT_OFFICER)
    for path, status in ((f"/catalog/entries/{LONG_ID}", 404), ("/no-such-page", 404)):
        assert page.goto(path).status == status
        assert page.get_by_role("alert").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        picture(page, f"error{path.replace('/', '-')[:20]}")
    page.complaints.clear()
