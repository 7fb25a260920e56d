"""Portal: page loads at 20 users at once, with many entries, requests and journal records.

The example city's entries are adopted under many ids and released; requests and journal records
are written by statements of their own, five and a hundred for each entry; one request in fifty
waits for a decision, with its clock. `yishu portal` itself answers, with as many processes as the
machine has cores; each user keeps one connection and asks for one page after the other, without a
pause. ``--size`` is the number of entries; 10,000 unless said.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import httpx
from catalog_process import _copies
from harness import ROOT, VAR, Options, Section, markdown
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.model import Catalog
from catalog.release import compile_release, write_release
from yishu.embedded import embedded_postgres
from yishu.ledger import migrate
from yishu.portal.demo import add_people
from yishu.settings import Settings

TITLE = "Portal: pages at 20 users"
SIZE, USERS, ASKED, WORKERS = 10_000, 20, 10, 2
GOAL_MS, GOAL_BYTES = 200, 300_000
START_SECONDS = 180
PAGES = (
    ("/", "officer.taxation"), ("/", "reviewer"), ("/catalog", "officer.taxation"),
    ("/catalog?q=登记", "officer.taxation"),
    ("/catalog/entries/taxation.taxpayer", "officer.taxation"), ("/compile", "officer.taxation"),
    ("/review", "reviewer"), ("/register", "reviewer"), ("/register/disputes", "reviewer"),
    ("/sharing", "officer.taxation"), ("/sharing", "reviewer"),
    ("/sharing/SQ00000050", "reviewer"),
    ("/sharing/new/market_regulation.enterprise_registration", "officer.taxation"),
    ("/demands", "officer.taxation"), ("/clocks", "reviewer"), ("/cards", "reviewer"),
    ("/notices", "reviewer"), ("/quality", "monitor"),
    ("/quality/entries/taxation.taxpayer", "monitor"), ("/objections", "monitor"),
    ("/objections/new", "monitor"), ("/lineage", "auditor"), ("/journal", "auditor"),
    ("/journal?account=reviewer", "auditor"), ("/rules", "admin"), ("/administration", "admin"),
    ("/exchange", "officer.taxation"), ("/account", "officer.taxation"),
)  # fmt: skip
"""Pages, each as somebody whose work it is."""

_ABOUT = (
    "Milliseconds from the first byte of the question to the last of the page, over all users; "
    f"goal: p95 under {GOAL_MS} ms at {USERS} users on 2 cores, and no page over "
    f"{GOAL_BYTES:,} bytes. Server, database and users share this machine."
)


def run(options: Options) -> Section:
    """Measure at one size."""
    size, folder = options.size or SIZE, VAR / "portal_load"
    shutil.rmtree(folder, ignore_errors=True)
    settings = Settings(var_dir=folder, catalog_dir=ROOT / "catalog")
    server = embedded_postgres(settings)
    server.start()
    try:
        address = server.ensure_database("ledger")
        migrate.upgrade(address)
        url = make_url(address).set(drivername="postgresql+psycopg")
        _fill(settings, url.render_as_string(hide_password=False), size)
        options.say(f"{size} entries, {5 * size} requests, {100 * size} records")
        rows = _served(settings, url.render_as_string(hide_password=False))
    finally:
        server.stop()
    header = [f"{size:,} entries", "as", "median", "p95", "slowest", "bytes"]
    missed = [row[0] for row in rows if row[3] > GOAL_MS or row[5] > GOAL_BYTES]
    verdict = f"Missed by: {', '.join(missed)}." if missed else "Kept by every page."
    return Section(TITLE, "\n\n".join([_ABOUT, markdown(header, rows), verdict]))


def _fill(settings: Settings, url: str, size: int) -> None:
    files = load_catalog(settings.catalog_dir)[0]
    copies = {one.id: one for one in files.entries.values()}
    copies |= {one.id: one for one in _copies(files, max(size - len(copies), 0))}
    grown = Catalog.model_construct(**{**dict(files), "entries": copies})
    write_release(settings.releases_dir, compile_release(grown, date(2026, 11, 1)))
    engine = create_engine(url)
    with engine.begin() as connection:
        add_people(connection, files, date(2026, 1, 1))
        connection.execute(text(_REQUESTS), {"most": 5 * size})
        connection.execute(text(_CLOCKS))
        connection.execute(text(_OPENED))
        connection.execute(text(_RECORDS), {"most": 100 * size})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    engine.dispose()


_REQUESTS = """
insert into ledger.share_request (request_id, kind, state, consumer_org, provider_orgs, profiles,
    form, filed_by, filed_at, received_at, returned_times, approval_level)
select 'SQ' || lpad(n::text, 8, '0'), 'new', case when n % 50 = 0 then 'submitted' else 'withdrawn'
    end, 'taxation', array['market_regulation'], array['wuxi_2022'],
    jsonb_build_object('object_id', 'market_regulation.enterprise_registration',
        'scenario', '核对登记 ' || n), 'p-officer-taxation', now() - n % 12 * interval '1 day',
    now() - n % 12 * interval '1 day', 0, 'single'
from generate_series(1, :most) as n
"""
_CLOCKS = """
insert into ledger.clock (clock_id, promise, profile, object_kind, object_id, holder_org, cause,
    received_at)
select 'clk-' || request_id, 'request_reply_conditional', 'wuxi_2022', 'share_request', request_id,
    'big_data_bureau', 'wuxi_2022:big_data_bureau', received_at
from ledger.share_request where state = 'submitted'
"""
_OPENED = """
insert into ledger.clock_event (clock_id, at, kind, actor)
select clock_id, received_at, 'opened', 'officer.taxation' from ledger.clock
"""
_RECORDS = """
insert into ledger.journal (person, account, role, org, action, object_kind, object_id, at, hash)
select 'p', 'officer.taxation', 'department_officer', 'taxation', 'compile_entry', 'entry',
    'taxation.e' || n % 1000, now() - n * interval '1 minute', md5(n::text)
from generate_series(1, :most) as n
"""


def _served(settings: Settings, url: str) -> list[list[Any]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from yishu.cli import app; app()", "portal", "--demo"]
    command += ["--port", str(port), "--workers", str(WORKERS)]
    own = {
        "YISHU_VAR_DIR": str(settings.var_dir),
        "YISHU_CATALOG_DIR": str(settings.catalog_dir),
        "YISHU_DATABASE_URL": url,
    }
    with (settings.var_dir / "portal.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log
        )
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(base)
        return [_page(base, path, account) for path, account in PAGES]
    finally:
        process.terminate()
        process.wait(20)


def _wait(base: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{base}/sign-in", timeout=30, trust_env=False)
        except httpx.TransportError as error:
            last = error
            time.sleep(1)
        else:
            return
    raise SystemExit(f"the portal did not answer within {START_SECONDS} s: {last!r}")


def _page(base: str, path: str, account: str) -> list[Any]:
    with ThreadPoolExecutor(USERS) as pool:
        found = list(pool.map(_user, [base] * USERS, [path] * USERS, [account] * USERS))
    times = sorted(one for times, _ in found for one in times)
    p95 = times[int(0.95 * len(times)) - 1]
    return [path, account, statistics.median(times), p95, times[-1], found[0][1]]


def _user(base: str, path: str, account: str) -> tuple[list[float], int]:
    times, length = [], 0
    with httpx.Client(base_url=base, timeout=60, trust_env=False) as client:
        client.post("/sign-in/demo", data={"account": account})
        client.get(path)
        for _ in range(ASKED):
            start = time.perf_counter()
            answer = client.get(path)
            times.append(1000 * (time.perf_counter() - start))
            if not answer.is_success:
                raise SystemExit(f"{path}: {answer.status_code}")
            length = len(answer.content)
    return times, length
