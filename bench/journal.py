"""Journal: how fast 8 writers append, and how long sealing, export and proof of the journal take.

Each writer is a process that appends one record a transaction, on the embedded server with fsync
on. The rest of ``--size`` records (1,000,000 unless said) is appended in larger transactions, not
timed.
The chain is asserted intact before a figure is printed.
"""

import multiprocessing
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier

from harness import VAR, Options, Section, markdown
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.roles import Action, Role
from yishu.embedded import embedded_postgres
from yishu.ledger import migrate
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.seal import read_public_key
from yishu.ledger.upkeep import export_to, seal_all, verify_file
from yishu.settings import Settings

TITLE = "Journal"
SIZE = 1_000_000
WRITERS = 8
TIMED = 2_000
"""Appends of each writer that are timed."""

AT = datetime(2026, 1, 1, tzinfo=UTC)
_ACTOR = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")
_ABOUT = (
    f"{WRITERS} processes append at the same time, a transaction a record; then all records are "
    "sealed, exported and proven from the file. Goals: 2,000 appends a second; a million records "
    "proven in under 60 s."
)


def run(options: Options) -> Section:
    """Measure appending, sealing, exporting and proving."""
    size = max(options.size or SIZE, WRITERS * TIMED)
    folder = VAR / "journal"
    shutil.rmtree(folder, ignore_errors=True)
    settings = Settings(var_dir=folder)
    server = embedded_postgres(settings)
    server.start()
    try:
        return _measured(server.ensure_database("ledger"), settings, size, options)
    finally:
        server.stop()


def _measured(url: str, settings: Settings, size: int, options: Options) -> Section:
    migrate.upgrade(url)
    rate = _write(url, TIMED, 1)
    options.say(f"{rate:,.0f} appends a second")
    rest = -(-(size - WRITERS * TIMED) // WRITERS)
    _write(url, rest, 500)
    engine = create_engine(_driver(url))
    file = settings.var_dir / "journal.jsonl"
    sealing = _timed(lambda: seal_all(engine, settings, AT))
    exporting = _timed(lambda: export_to(engine, file))
    key = read_public_key(settings.secrets_dir / "journal_key.pub")
    started = time.perf_counter()
    proof = verify_file(file, key, None)
    proving = time.perf_counter() - started
    engine.dispose()
    if proof.broken or proof.records != WRITERS * (TIMED + rest):
        raise SystemExit(f"the journal is not intact: {proof}")
    rows: list[list[object]] = [
        [f"append, {WRITERS} writers (records a second)", round(rate)],
        ["seal (s)", sealing],
        ["export (s)", exporting],
        ["prove from the file (s)", proving],
    ]
    header = [f"{proof.records:,} records", ""]
    return Section(TITLE, "\n\n".join([_ABOUT, markdown(header, rows)]))


def _write(url: str, each: int, together: int) -> float:
    """Let every writer append so many records; all of them a second, connecting not counted."""
    if each <= 0:
        return 0.0
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WRITERS + 1)
    writers = [
        context.Process(target=_writer, args=(url, each, together, number, barrier))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    barrier.wait()
    started = time.perf_counter()
    for writer in writers:
        writer.join()
    seconds = time.perf_counter() - started
    if any(writer.exitcode for writer in writers):
        raise SystemExit("a writer failed")
    return WRITERS * each / seconds


def _writer(url: str, each: int, together: int, number: int, barrier: Barrier) -> None:
    engine = create_engine(_driver(url))
    with engine.connect() as connection:
        connection.rollback()
        barrier.wait()
        for one in range(each):
            name = f"taxation.e{number}_{one}"
            after = {"version": one, "state": "draft"}
            action = Action.COMPILE_ENTRY
            act = Act(_ACTOR, action, "catalog_entry", name, AT, "新规", None, after)
            append(connection, act)
            if (one + 1) % together == 0:
                connection.commit()
        connection.commit()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _driver(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
