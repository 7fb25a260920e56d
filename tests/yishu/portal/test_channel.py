"""A channel from its opening to the trace of a row: profile, lines as printed, who got it."""

import html
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from urllib.parse import unquote

import duckdb
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from openpyxl import load_workbook
from playwright.sync_api import expect
from sqlalchemy import select

from catalog.roles import Role
from yishu.governance import accounts
from yishu.ledger.models import JournalRecord
from yishu.sharing import deciding, filing
from yishu.sharing.form import RequestForm
from yishu.sharing.installed import house_of
from yishu.sharing.server import create_app

ENTRY = "market_regulation.enterprise_registration"
USCC = "91320205MA1ABCDE00"
BASH, PYTHON = ("bash", "-ec"), (sys.executable, "-c")
FORM = {
    "object_id": ENTRY,
    "scenario": "核对纳税人登记",
    "service_items": ["320107009000"],
    "purpose_code": "case_handling",
    "purpose": "核对企业登记信息，申请人不再提交营业执照",
    "legal_basis": "《税收征收管理法》第十五条",
    "elements": [{"field": one, "use": f"核对{one}"} for one in ("uscc", "name", "status")],
    "cycle": "daily",
    "valid_from": "2026-11-20",
    "valid_until": "2027-11-19",
    "contact": "信息中心 数据专员",
}


POWER_QUERY = re.compile(
    r'= Table\.PromoteHeaders\(Csv\.Document\(File\.Contents\("…\\([^"]+)"\), '
    r'\[Delimiter=",", Encoding=(\d+)\]\)\)'
)
"""As Microsoft documents it; where the file lies is filled in."""

CODE_PAGES = {"65001": "utf-8", "54936": "gb18030"}


@pytest.fixture(scope="module")
def port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def portal_world(portal_world, port, publish_row):
    """The demo's world with one published row, and a server of channels that really listens."""
    address = f"http://127.0.0.1:{port}"
    world = replace(
        portal_world, settings=portal_world.settings.model_copy(update={"sharing_url": address})
    )
    publish_row(world, ENTRY, uscc=USCC, name="甲贸易有限公司", status="1")
    house = house_of(world.settings, world.engine, world.clock)
    server = uvicorn.Server(
        uvicorn.Config(create_app(house), "127.0.0.1", port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield world
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def opened(portal_world, client):
    """Opens a channel through the portal's own page; gives the grant and the answer's text."""

    def open_(mode, kind, **changed):
        with portal_world.engine.begin() as connection:
            world = portal_world
            desk = house_of(world.settings, world.engine, world.clock).desk(connection)
            who = {
                name: accounts.find(connection, name, world.today())
                for name in ("officer.taxation", "head.taxation", "reviewer")
            }
            form = RequestForm.model_validate({**FORM, "mode": mode, "format": kind, **changed})
            request_id = filing.draft(desk, form, who["officer.taxation"])
            filing.consent(desk, request_id, who["head.taxation"])
            filing.submit(desk, request_id, who["officer.taxation"])
            grant_id = deciding.grant(desk, request_id, who["reviewer"])
        operator = client(Role.CENTRE_OPERATOR)
        path = f"/sharing/channel/{grant_id}/open"
        return grant_id, operator.post(path, data={"csrf": operator.csrf}).text

    return open_


def lines_of(page):
    """The lines for each tool, as the page prints them."""
    found = re.findall(r"<h3[^>]*>(.*?)</h3><pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    return {html.unescape(tool): html.unescape(text) for tool, text in found}


def run(text, folder, token, by):
    """Run lines where a person would, with the token in the environment."""
    command = [*by, text]
    kept = {**os.environ, "TOKEN": token, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        command, cwd=folder, env=kept, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("kind", ["parquet", "csv_utf8", "csv_gb18030", "xlsx"])
def test_the_printed_lines_read_the_file(opened, tmp_path, kind):
    grant_id, page = opened("file_download", kind)
    token, lines = re.search(r"<code>(ys[^<]+|[\w-]{30,})</code>", page).group(1), lines_of(page)

    run(lines["curl"], tmp_path, token, BASH)

    shown = f"{lines['pandas']}\nprint(frame.to_json(orient='records', force_ascii=False))"
    (row,) = json.loads(run(shown, tmp_path, token, PYTHON))
    assert list(row.values())[:2] == [USCC, "甲贸易有限公司"]
    (file,) = tmp_path.glob(f"{grant_id}.*")
    assert ("DuckDB" in lines) == (kind in ("parquet", "csv_utf8"))
    if "DuckDB" in lines:
        query = lines["DuckDB"].replace(f"'{file.name}'", f"'{file}'")
        assert duckdb.sql(query).fetchall()[0][0] == USCC
    assert ("Excel" in lines) == kind.startswith("csv")
    if kind == "xlsx":
        _, first = load_workbook(file).active.iter_rows(values_only=True)
        assert first[:2] == (USCC, "甲贸易有限公司")
    elif "Excel" in lines:
        name, code_page = POWER_QUERY.fullmatch(lines["Excel"]).groups()
        assert name == file.name
        assert "甲贸易有限公司" in file.read_bytes().decode(CODE_PAGES[code_page])


@pytest.mark.requirement("QUA-04")
def test_the_printed_lines_ask_for_a_row_and_its_trace_says_who_got_it(
    opened, client, portal_world, tmp_path
):
    grant_id, page = opened("api", "json")
    token, lines = re.search(r"<code>(ys[^<]+|[\w-]{30,})</code>", page).group(1), lines_of(page)

    def filled(text):
        return text.replace("…", "SW20261120001", 1).replace("…", USCC)

    told = json.loads(run(filled(lines["curl"]), tmp_path, token, BASH))
    assert told["rows"][0]["name"] == "甲贸易有限公司"
    shown = f"{filled(lines['pandas'])}\nprint(len(frame), frame['uscc'][0])"
    assert run(shown, tmp_path, token, PYTHON).strip() == f"1 {USCC}"

    monitor = client(Role.QUALITY_MONITOR)
    assert 'name="key-uscc"' in monitor.get(f"/trace?table={ENTRY}").text
    asked = {"csrf": monitor.csrf, "table": ENTRY, "key-uscc": USCC, "purpose": ""}
    assert monitor.post("/trace", data=asked).status_code == 422
    story = monitor.post("/trace", data={**asked, "purpose": "核对投诉"}).text
    assert grant_id in story
    assert "first" in story
    assert "2026-11-20 09:30" in story.split("数据去向")[1]
    assert "甲贸易有限公司" not in story
    assert (
        "没有这一行"
        in monitor.post("/trace", data={**asked, "purpose": "核对投诉", "key-uscc": "nobody"}).text
    )
    with portal_world.engine.connect() as connection:
        kept = connection.execute(
            select(JournalRecord.object_id, JournalRecord.reason).where(
                JournalRecord.account == "monitor", JournalRecord.object_kind == "row"
            )
        ).all()
    assert [one.reason for one in kept] == ["核对投诉"] * 2
    assert all(one.object_id.startswith(f"{ENTRY}:") and USCC not in one.object_id for one in kept)


def test_a_row_of_others_is_not_followed(client):
    officer = client(Role.DEPARTMENT_OFFICER)

    asked = {"csrf": officer.csrf, "table": ENTRY, "key-uscc": USCC, "purpose": "看看"}

    assert officer.post("/trace", data=asked).status_code == 403
    assert officer.get(f"/trace?table={ENTRY}").status_code == 403
    assert client("officer.market_regulation").get(f"/trace?table={ENTRY}").status_code == 200


def test_the_profile_is_a_file_to_keep(opened, portal_world):
    grant_id, page = opened("batch_exchange", "delta_sharing")

    name, text = re.search(r'download="([^"]+)" href="data:[^,]*,([^"]+)"', page).groups()

    profile = json.loads(unquote(html.unescape(text)))
    assert name == f"{grant_id}.share"
    assert profile["endpoint"] == f"{portal_world.settings.sharing_url}/delta-sharing"
    assert profile["bearerToken"] in page


def test_pages_of_a_channel_and_a_row_in_a_browser(opened, browser_page, picture):
    """With names and purposes as long as people write them; full, empty, wrong and forbidden."""
    long = "核对企业登记信息以便申请人不再提交营业执照" * 8
    grant_id, _ = opened("api", "json", purpose=long, scenario="LONGWORD" * 20)
    path = f"/sharing/channel/{grant_id}"
    page = browser_page(Role.DEPARTMENT_OFFICER)
    page.goto(path)
    assert page.get_by_text("还没有使用记录").is_visible()
    _is_well(page)
    picture(page, "channel-long")
    page.goto("/sharing")
    _is_well(page)

    stranger = browser_page("officer.health")
    assert stranger.goto(path).status == 404
    picture(stranger, "channel-of-others")
    assert stranger.goto(f"/trace?table={ENTRY}").status == 403
    picture(stranger, "trace-forbidden")
    stranger.complaints.clear()

    monitor = browser_page(Role.QUALITY_MONITOR)
    monitor.goto(f"/trace?table={ENTRY}")
    monitor.fill("#f-key-uscc", USCC)
    monitor.fill("#f-purpose", "核对投诉")
    monitor.get_by_role("button", name="查询来源和去向").click()
    expect(monitor.get_by_role("heading", name="数据项来源")).to_be_visible()
    assert USCC not in monitor.url
    _is_well(monitor)
    picture(monitor, "trace-full")
    monitor.goto("/register/disputes")
    _is_well(monitor)
    picture(monitor, "disputes-empty")


def _is_well(page):
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
