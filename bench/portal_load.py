"""Portal: page loads at 20 users at once, with many entries, requests and journal records.

The example city's entries are adopted under many ids and released; requests and journal records
are written by statements of their own, five and a hundred for each entry. A real server process
answers; each user keeps one connection and asks one page after the other. ``--size`` is the number
of entries; 10,000 unless said.
"""

import shutil
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

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
SIZE, USERS, ASKED, PORT = 10_000, 20, 10, 8_197
GOAL_MS = 200
START_SECONDS = 180
PAGES = {
    "/": "officer.taxation", "/catalog": "officer.taxation", "/catalog?q=登记": "officer.taxation",
    "/catalog/entries/taxation.taxpayer": "officer.taxation", "/sharing": "reviewer",
    "/clocks": "reviewer", "/quality": "monitor", "/objections": "monitor", "/journal": "auditor",
    "/lineage": "auditor", "/register": "reviewer",
}  # fmt: skip
_ABOUT = (
    "Milliseconds from the first byte of the question to the last of the page, over all users; "
    f"goal: p95 under {GOAL_MS} ms at {USERS} users on 2 cores. Server, database and users share "
    "this machine."
)
_SERVER = """
import sys, uvicorn
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import create_engine
from yishu.portal.app import create_app
from yishu.portal.world import World
from yishu.settings import Settings
settings = Settings(var_dir=Path(sys.argv[1]))
engine = create_engine(sys.argv[2], pool_size=20)
app = create_app(World(settings, engine, lambda: datetime.now(UTC), demo=True))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), log_level="warning", access_log=False,
            timeout_keep_alive=60)
"""


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
    header = [f"{size:,} entries", "median", "p95", "slowest", "bytes"]
    return Section(TITLE, "\n\n".join([_ABOUT, markdown(header, rows)]))


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
        'scenario', '核对登记 ' || n), 'p-officer-taxation', now(), now(), 0, 'single'
from generate_series(1, :most) as n
"""
_RECORDS = """
insert into ledger.journal (person, account, role, org, action, object_kind, object_id, at, hash)
select 'p', 'officer.taxation', 'department_officer', 'taxation', 'compile_entry', 'entry',
    'taxation.e' || n % 1000, now() - n * interval '1 minute', md5(n::text)
from generate_series(1, :most) as n
"""


def _served(settings: Settings, url: str) -> list[list[object]]:
    command = [sys.executable, "-c", _SERVER, str(settings.var_dir), url, str(PORT)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait()
        return [_page(path, account) for path, account in PAGES.items()]
    finally:
        process.terminate()
        process.wait(10)


def _wait() -> None:
    deadline = time.monotonic() + START_SECONDS
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{PORT}/sign-in", timeout=30, trust_env=False)
        except httpx.TransportError as error:
            last = error
            time.sleep(1)
        else:
            return
    raise SystemExit(f"the portal did not answer within {START_SECONDS} s: {last!r}")


def _page(path: str, account: str) -> list[object]:
    with ThreadPoolExecutor(USERS) as pool:
        found = list(pool.map(_user, [path] * USERS, [account] * USERS))
    times = sorted(one for times, _ in found for one in times)
    p95 = times[int(0.95 * len(times)) - 1]
    return [path, statistics.median(times), p95, times[-1], found[0][1]]


def _user(path: str, account: str) -> tuple[list[float], int]:
    times, length = [], 0
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=60, trust_env=False) as client:
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
