"""Clocks: the sweep over many open ones, and the status of many more.

The sweep runs on an embedded PostgreSQL of its own, each round on a fresh copy of the same ledger:
clocks of three promises, received over forty days, a tenth of them submitted, so that the sweep
issues cards, orders supervision, reminds and writes digests. Its statements are counted at a
hundredth of the size and at the full one; the two counts have to be equal. The status is
computed in memory, without a database.

``--size`` is the number of open clocks of the sweep; ten times as many have their status computed.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import psycopg
from clocks_work import fill
from harness import ROOT, VAR, Options, Run, Section, compare, markdown, measure

from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate

TITLE = "Clocks"
SIZE = 100_000
FOLDER = VAR / "clocks_scale"
GOALS = {"sweep": 30.0, "status": 5.0}
"""Seconds, at the full size."""

_ABOUT = (
    "Sweep: one transaction with cards, orders, reminders, digests, and its commit. Status: "
    "events in memory to status. Imports are left out of both; memory is that of the whole process."
)


def run(options: Options) -> Section:
    """Measure sweep and status."""
    size = options.size or SIZE
    server = EmbeddedPostgres(FOLDER / "postgres", "of-the-benchmark")
    server.start()
    try:
        lines = list(_measured(server, size, options))
    finally:
        server.stop()
    header = ["what", "clocks", "median s", "spread s", "peak MB", "statements", "goal s"]
    return Section(TITLE, "\n\n".join([_ABOUT, markdown(header, lines)]))


def _measured(server: EmbeddedPostgres, size: int, options: Options) -> Iterator[list[object]]:
    few = _sweep(server, max(500, size // 100), 0).result["statements"]
    contenders = {
        "sweep": partial(_sweep, server, size),
        "status": partial(_status, size * 10),
    }
    for one in compare(contenders, options):
        facts = one.runs[0].result
        if one.name == "sweep" and facts["statements"] != few:
            raise SystemExit(f"{facts['statements']} statements for {size} clocks, {few} for few")
        yield [
            one.name,
            f"{facts['clocks']:,}",
            one.median,
            one.spread,
            f"{one.peak_mb:.0f}",
            facts.get("statements", "none"),
            GOALS[one.name],
        ]


def _sweep(server: EmbeddedPostgres, size: int, number: int) -> Run:
    template = f"clocks_{size}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        asked = "select 1 from pg_database where datname = %s"
        if connection.execute(asked, [template]).fetchone() is None:
            url = server.ensure_database(template)
            migrate.upgrade(url)
            fill(url, size)
        name = f"{template}_round"
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    return _work("sweep", server.url(name), str(number))


def _status(size: int, number: int) -> Run:
    return _work("status", str(size), str(number))


def _work(*arguments: str) -> Run:
    command = [sys.executable, str(ROOT / "bench" / "clocks_work.py"), *arguments]
    done = measure(command)
    return replace(done, seconds=done.result["seconds"])
