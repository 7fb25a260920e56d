"""A portal over an empty ledger and the example's catalog: clients by role, and a real browser.

``client(role)`` asks as an account of the demo; ``browser_page(role)`` is a page of a real Chromium
that is signed in the same way, on a server that really listens.
"""

import html
import os
import re
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import sync_playwright
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from expectations.rulebook import SUITES
from transforms.types import arrow_type
from yishu.governance import accounts, publication
from yishu.ledger import migrate
from yishu.library import publish_snapshot, unified_table
from yishu.portal import api_tokens, demo
from yishu.portal.app import create_app
from yishu.portal.world import World
from yishu.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = os.environ.get("YISHU_SCREENSHOTS")
"""A folder to which browser tests write pictures of pages; unset: none are written."""

ACCOUNTS = {
    Role.DEPARTMENT_OFFICER: "officer.taxation",
    Role.DEPARTMENT_HEAD: "head.taxation",
    Role.PROVIDER_REVIEWER: "provider.taxation",
    Role.AUTHORITY_REVIEWER: "reviewer",
    Role.CENTRE_OPERATOR: "operator",
    Role.SERVICE_AUTHORITY: "service",
    Role.QUALITY_MONITOR: "monitor",
    Role.AUDITOR: "auditor",
    Role.ADMINISTRATOR: "admin",
}


@pytest.fixture(scope="session")
def loaded_catalog():
    """The example catalog, as its files have it."""
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return loaded


@pytest.fixture(scope="session")
def portal_template(postgres_server, loaded_catalog) -> str:
    """A database with the catalog adopted and every account there; others are copies of it."""
    name = f"portal_{secrets.token_hex(4)}"
    url = postgres_server.ensure_database(name)
    migrate.upgrade(url)
    engine = create_engine(_driven(url), poolclass=NullPool)
    with engine.begin() as connection:
        demo.add_people(connection, loaded_catalog, date(2026, 1, 1))
        reviewer = accounts.find(connection, "reviewer", date(2026, 11, 1))
        publication.adopt(connection, loaded_catalog, reviewer, NOW - timedelta(days=19))
    return name


def _driven(url):
    return make_url(url).set(drivername="postgresql+psycopg")


@pytest.fixture(scope="module")
def portal_world(copied, portal_template, loaded_catalog, tmp_path_factory) -> World:
    """A demo's world: the example catalog released, every account there, nothing else done."""
    settings = Settings(var_dir=tmp_path_factory.mktemp("portal"), catalog_dir=ROOT / "catalog")
    write_release(settings.releases_dir, compile_release(loaded_catalog, date(2026, 11, 1)))
    engine = create_engine(_driven(copied(portal_template)))
    return World(settings, engine, lambda: NOW, demo=True)


@pytest.fixture(scope="module")
def client(portal_world) -> Callable[..., TestClient]:
    """Makes a client signed in as a role (or an account by name; None: nobody).

    It follows no redirect. ``client.csrf`` is what forms must carry as ``csrf``,
    ``client.account`` through which account it asks.
    """
    app = create_app(portal_world)

    def make(who: Role | str | None = None) -> TestClient:
        made = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        made.csrf = ""
        if who is not None:
            made.account = account = ACCOUNTS[who] if isinstance(who, Role) else who
            assert made.post("/sign-in/demo", data={"account": account}).status_code == 303
            made.csrf = made.get("/").text.split('"X-CSRF-Token": "')[1].split('"')[0]
        return made

    return make


@pytest.fixture(scope="module")
def ask(portal_world, client):
    """Asks the API as an account."""
    asker = client()

    def asked(account, method, path, **given):
        with portal_world.engine.begin() as connection:
            actor = accounts.find(connection, account, portal_world.today())
            token = api_tokens.make(connection, actor, "test", 1, portal_world.clock())
        headers = {"Authorization": f"Bearer {token}"}
        return asker.request(method, f"/api/v1{path}", headers=headers, **given)

    return asked


@pytest.fixture(scope="module")
def own_suites(tmp_path_factory):
    """``own_suites(world)``: the same world with decisions about checks of its own."""

    def make(world):
        folder = tmp_path_factory.mktemp("rules") / "suites"
        shutil.copytree(SUITES, folder)
        return replace(world, suites=folder)

    return make


@pytest.fixture(scope="session")
def publish_row():
    """``publish_row(world, entry_id, **values)``: a version of an entry that has one row."""

    def publish(world, entry_id, **values):
        entry = world.release().entry(entry_id)
        provenance = [(name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")]
        columns = [(item.field, arrow_type(item)) for item in entry.items]
        schema = pa.schema([*columns, *provenance, ("_landed_row", pa.int64())])
        origin = {"_provider_org": entry.provider_org, "_entry_id": entry_id, "_run_id": "first"}
        row = {**values, **origin, "_landed_row": 0}
        batches = [pa.RecordBatch.from_pylist([row], schema=schema)]
        publish_snapshot(
            world.settings.library_dir, unified_table(entry_id), schema, batches,
            key=list(entry.key), run_id="first", committed_at=world.clock(), read=1,
        )  # fmt: skip

    return publish


@pytest.fixture(scope="module")
def portal_url(portal_world) -> Iterator[str]:
    """Address of the portal on a server that really listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = uvicorn.Config(create_app(portal_world), "127.0.0.1", port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium.

    Not a session's: while Playwright lives, its event loop counts as running in this thread, and
    code of other folders that runs one of its own is refused.
    """
    if CHROMIUM is None:
        pytest.skip("no browser on this machine: install the Debian package chromium")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium, portal_url):
    """Makes a browser's page signed in as a role; at the end no page may have complained.

    ``page.goto("/catalog")`` takes paths. ``page.complaints`` are errors of its console; a test
    that expects one (a refusal's status is one) clears them.
    """
    contexts = []
    pages = []

    def make(who: Role | str, width: int = 1280):
        context = chromium.new_context(
            base_url=portal_url, locale="zh-CN", viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        account = ACCOUNTS[who] if isinstance(who, Role) else who
        context.request.post("/sign-in/demo", form={"account": account})
        page = context.new_page()
        page.complaints = []
        page.on(
            "console",
            lambda said: page.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        pages.append(page)
        return page

    yield make
    complaints = [each for page in pages for each in page.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def picture():
    """Takes a picture of a page when ``YISHU_SCREENSHOTS`` names a folder."""

    def take(page, name: str) -> None:
        if SCREENSHOTS:
            Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=True)

    return take


def _fields_of(text: str) -> dict[str, str]:
    """What a browser would send of the form of that page."""
    found = dict(re.findall(r'<input[^>]*name="(r\d+c\d+|edit)"[^>]*value="([^"]*)"', text))
    found |= dict(
        re.findall(r'<textarea[^>]*name="(r\d+c\d+)"[^>]*>([^<]*)</textarea>', text, re.DOTALL)
    )
    for name, options in re.findall(r'<select[^>]*name="(r\d+c\d+)".*?>(.*?)</select>', text, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen.group(1) if chosen else ""
    return {name: html.unescape(value) for name, value in found.items()}


@pytest.fixture(scope="session")
def compile_form():
    """``compile_form(client, entry_id, **changes)``: the form of an entry as a browser sends it."""

    def fill(asker, entry_id: str, **changes: str) -> dict[str, str]:
        form = _fields_of(asker.get(f"/compile/{entry_id}").text)
        said = {"csrf": asker.csrf, "cause": "element_change", "cause_note": "新增用途",
                "changed_on": "2026-11-18"}  # fmt: skip
        return {**form, **said, **changes}

    return fill
