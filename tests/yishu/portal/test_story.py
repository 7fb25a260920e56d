"""The whole story in a real browser: from the request to the 403 after the channel was closed.

Everything is real: the department's database, the pipeline that publishes it, the ledger, the
portal, the server of the channels, and a consumer that reads over HTTP. Only time is turned.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
import uvicorn

from example.city import Systems, build, connections
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate
from yishu.sharing.installed import house_of
from yishu.sharing.server import create_app
from yishu.sources.protocol import Connection

ENTRY = "market_regulation.enterprise_registration"
CONNECTION = "market_regulation_db"
OFFICER, HEAD, SOURCE = "officer.taxation", "head.taxation", "officer.market_regulation"
REVIEWER, OPERATOR, MONITOR = "reviewer", "operator", "monitor"
PASSWORD = "reader-of-the-story"
REQUEST = {
    "scenario": "核对纳税人登记",
    "service_items": "320107009000",
    "purpose": "办理税务登记时核对企业登记信息，申请人不再提交营业执照",
    "legal_basis": "《税收征收管理法》第十五条",
    "use-uscc": "定位企业记录",
    "use-industry_code": "判断所属行业适用的税种",
    "valid_from": "2026-11-20",
    "valid_until": "2027-11-19",
    "contact": "信息中心 李专",
}
CHOICES = {"purpose_code": "case_handling", "format": "json"}


class Clock:
    """A clock that the story turns on."""

    def __init__(self):
        self.at = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)

    def __call__(self):
        return self.at

    def pass_(self, **given):
        self.at += timedelta(**given)


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def portal_world(portal_world, clock):
    """The demo's world, by the story's clock."""
    return replace(portal_world, clock=clock)


@pytest.fixture(scope="module")
def department(postgres_server, tmp_path_factory):
    """The registration system of a small city: URL for its owner, and for who may only read."""
    where = Systems(postgres_server.url(), tmp_path_factory.mktemp("city"))
    build(where, 1_000, reader_password=PASSWORD, only=[ENTRY])
    reader = connections(where, "http://127.0.0.1:9", PASSWORD)[CONNECTION]
    return postgres_server.url("yishu_market"), reader


@pytest.fixture(scope="module")
def load(portal_world, clock, department):
    """Pulls, checks and publishes the entry, as its DAG does."""
    url = portal_world.engine.url.render_as_string(hide_password=False)
    kind = portal_world.release().entry(ENTRY).source.kind
    known = {CONNECTION: Connection(CONNECTION, kind, department[1])}
    ctx = PipelineContext(portal_world.settings, portal_world.release(), url, known, clock)

    def run(run_id):
        for stage in (run_pull, run_validate, run_publish):
            done = stage(ENTRY, run_id, ctx)
        return done["rows"]

    return run


@pytest.fixture(scope="module")
def channels(portal_world, clock) -> Iterator[str]:
    """Address of the server of the channels, over the same ledger and library."""
    house = house_of(portal_world.settings, portal_world.engine, clock)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(house), "127.0.0.1", port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def read(channels, clock):
    """Asks the channel as the consumer's program does: status, and the rows that came."""

    def ask(token, **where):
        clock.pass_(seconds=30)  # what the server keeps of a token is read anew
        answer = httpx.post(
            f"{channels}/v1/query",
            headers={"Authorization": f"Bearer {token}"},
            json={"purpose": "case_handling", "case_no": "SW20261120001", "where": where},
        )
        return answer.status_code, answer.json().get("rows")

    return ask


class People:
    """The people of the story, each with a page; whoever comes back hours later signs in anew."""

    def __init__(self, browser_page, clock):
        self._open = browser_page
        self._clock = clock
        self._pages = {}
        self._came = {}

    def __getitem__(self, account):
        if account not in self._pages:
            self._pages[account] = page = self._open(account)
            # Questions before a step are answered with yes.
            page.on("dialog", lambda dialog: dialog.accept())
        page = self._pages[account]
        if self._came.get(account) != self._clock():
            page.context.request.post("/sign-in/demo", form={"account": account})
            self._came[account] = self._clock()
        return page


@pytest.fixture
def people(browser_page, clock):
    return People(browser_page, clock)


@pytest.fixture
def take(picture):
    """Numbers the pictures of the story in their order."""
    taken = iter(range(1, 100))
    return lambda page, name: picture(page, f"story-{next(taken):02d}-{name}")


def press(page, text):
    """Press a button and wait for the page that follows, which tells of no problem."""
    with page.expect_navigation() as followed:
        page.get_by_role("button", name=text, exact=True).click()
    assert followed.value.ok, page.inner_text("main")


def fill_request(page):
    for name, text in REQUEST.items():
        page.locator(f"[name='{name}']").fill(text)
    for name, value in CHOICES.items():
        page.locator(f"select[name='{name}']").select_option(value)


def file_request(people, take):
    """The officer files, the head consents; where the request is."""
    officer = people[OFFICER]
    officer.goto("/sharing")
    with officer.expect_navigation():
        officer.get_by_role("link", name="企业登记基本信息").first.click()
    fill_request(officer)
    take(officer, "form")
    press(officer, "检查并保存")
    path = "/" + officer.url.split("/", 3)[3]
    consent_and_submit(people, path)
    return path


def consent_and_submit(people, path):
    """The head agrees, and the officer hands it in."""
    people[HEAD].goto(path)
    press(people[HEAD], "同意提交")
    people[OFFICER].goto(path)
    press(people[OFFICER], "提交")


def return_once(people, take, path):
    """The reviewer wants it completed, the officer hands it in again."""
    reviewer, officer = people[REVIEWER], people[OFFICER]
    reviewer.goto("/sharing")
    take(reviewer, "inbox")
    with reviewer.expect_navigation():
        reviewer.get_by_role("link", name=path.rpartition("/")[2]).click()
    reviewer.get_by_label("需要补正的全部内容").fill("请说明行业门类代码用于哪个税种")
    take(reviewer, "decision")
    press(reviewer, "退回补正")
    officer.goto(path)
    assert officer.get_by_text("请说明行业门类代码用于哪个税种").is_visible()
    take(officer, "returned")
    with officer.expect_navigation():
        officer.get_by_role("link", name="修改申请").click()
    officer.locator("[name='use-industry_code']").fill("判断是否适用消费税")
    press(officer, "检查并保存")
    consent_and_submit(people, path)


def approve_and_open(people, take, path):
    """The reviewer approves, the operator opens; the channel's page and its token."""
    reviewer, operator = people[REVIEWER], people[OPERATOR]
    reviewer.goto(path)
    press(reviewer, "同意")
    operator.goto(path)
    with operator.expect_navigation():
        operator.get_by_role("link", name=re.compile(r"^GT\d{8}$")).first.click()
    channel = "/" + operator.url.split("/", 3)[3]
    press(operator, "开通")
    take(operator, "opened")
    token = re.search(r"ys1\.[\w.~-]+", operator.inner_text("main")).group()
    return channel, token


def object_to(page, take, key):
    """The monitor objects to one value of one row; where the objection is."""
    page.goto("/objections")
    with page.expect_navigation():
        page.get_by_role("link", name="提出异议").click()
    page.locator("select[name='entry']").select_option(ENTRY)
    press(page, "下一步")
    page.locator("select[name='column']").select_option("industry_code")
    page.locator("[name='key']").fill(key)
    page.locator("[name='summary']").fill("行业门类与营业执照所载经营范围不符")
    press(page, "提出")
    take(page, "objection")
    return "/" + page.url.split("/", 3)[3]


def step(page, path, name, note=""):
    page.goto(path)
    page.get_by_label("说明", exact=True).fill(note)
    press(page, name)


def correct_at_the_source(department, key, value):
    with psycopg.connect(department[0]) as owner:
        done = owner.execute(
            "update public.e_baseinfo set industryphy = %s where uniscid = %s", (value, key)
        )
        assert done.rowcount == 1


def told(page):
    page.goto("/notices")
    return page.inner_text("main")


def close(page, take, channel):
    page.goto(channel)
    page.locator("#f-close").fill("用途已实现")
    press(page, "关闭")
    take(page, "closed")


@pytest.mark.requirement("SHR-09", "QUA-04")
def test_from_request_to_correction_and_close(  # noqa: PLR0917 - fixtures have names
    people, take, clock, load, read, department
):
    """Filed, returned once, approved, opened, read, objected to, corrected, told, closed, 403."""
    load("first")
    path = file_request(people, take)
    clock.pass_(hours=3)
    return_once(people, take, path)
    clock.pass_(days=3)
    channel, token = approve_and_open(people, take, path)

    status, rows = read(token)
    assert status == 200
    assert set(rows[0]) == {"uscc", "industry_code"}
    key, wrong = rows[0]["uscc"], rows[0]["industry_code"]
    right = next(one["industry_code"] for one in rows if one["industry_code"] != wrong)

    objection = object_to(people[MONITOR], take, key)
    clock.pass_(hours=1)
    step(people[REVIEWER], objection, "受理")
    number = objection.rpartition("/")[2]
    assert number in told(people[SOURCE])
    step(people[SOURCE], objection, "核实", "经核对登记档案，情况属实")
    correct_at_the_source(department, key, right)
    clock.pass_(hours=1)
    step(people[SOURCE], objection, "更正", "已在准入系统更正行业门类")
    take(people[SOURCE], "corrected")
    clock.pass_(hours=12)
    load("second")

    assert read(token, uscc=key) == (200, [{"uscc": key, "industry_code": right}])
    assert number in told(people[MONITOR])
    assert channel.rpartition("/")[2] in told(people[OFFICER])
    take(people[OFFICER], "told")
    step(people[MONITOR], objection, "关闭")
    assert people[MONITOR].get_by_text("李专").count() == 2, "verified and corrected, by name"
    take(people[MONITOR], "objection-closed")

    close(people[OPERATOR], take, channel)
    assert read(token)[0] == 403
    people[OFFICER].goto(path)
    assert people[OFFICER].get_by_text("通道已关闭").is_visible()
    take(people[OFFICER], "timeline")
