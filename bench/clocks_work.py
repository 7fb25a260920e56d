"""One round of `clocks_scale.py` in a process of its own: ``sweep URL`` or ``status NUMBER``."""

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from yishu.clocks import BEIJING, ClockEvent, EventKind, WorkingDays, statuses
from yishu.clocks.table import read_table
from yishu.governance.clock_rules import ClockRules, by_rule, clock_rules
from yishu.governance.promises import NewClock, open_clocks
from yishu.governance.sweep import sweep
from yishu.ledger.bulk import insert_all
from yishu.ledger.models import ClockEventRow

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 10, 27, 8, 0, tzinfo=BEIJING)
PROMISES = ("catalog_update", "request_reply_conditional", "correction")
DAYS = 40
_BATCH = 20_000


def rules() -> ClockRules:
    """The rules of the example city."""
    catalog, _ = load_catalog(ROOT / "catalog")
    calendar = WorkingDays(read_table(ROOT / "catalog" / "working_days"))
    return clock_rules(
        catalog,
        calendar,
        profile="wuxi_2022",
        authority="big_data_bureau",
        operator="command_centre",
    )


def fill(url: str, size: int) -> None:
    """Open so many clocks, and submit a tenth of them."""
    actor = by_rule("bench")
    orgs = sorted(rules().departments)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    for first in range(0, size, _BATCH):
        news = [_new(number, orgs) for number in range(first, min(size, first + _BATCH))]
        with engine.begin() as connection:
            ids = open_clocks(connection, news, actor)
            insert_all(
                connection,
                ClockEventRow,
                [
                    {"clock_id": id_, "at": NOW - timedelta(days=1), "kind": "submitted",
                     "working_days": 0, "actor": actor.account}
                    for id_ in ids[::10]
                ],
            )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
    engine.dispose()


def _new(number: int, orgs: list[str]) -> NewClock:
    received = NOW - timedelta(days=number % DAYS, seconds=number)
    promise = PROMISES[number % len(PROMISES)]
    org = orgs[number % len(orgs)]
    return NewClock(promise, "wuxi_2022", "file", f"{org}.{number}", org, "bench", received)


def sweep_all(url: str) -> dict[str, object]:
    """Sweep once; what it took and did."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    by = rules()
    statements: list[str] = []
    with engine.connect():  # the connection itself is no part of a sweep
        pass
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    began = time.perf_counter()
    with engine.begin() as connection:
        done = sweep(connection, by, NOW)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "clocks": done.clocks,
        "statements": len(statements),
        "cards": done.yellow + done.red,
        "orders": done.orders,
        "reminders": done.reminders,
    }


def status_all(size: int) -> dict[str, object]:
    """Compute the status of so many clocks with one or two events."""
    by = rules()
    promises = [by.promise("wuxi_2022", name) for name in PROMISES]
    clocks = []
    for number in range(size):
        opened = ClockEvent(EventKind.OPENED, NOW - timedelta(days=number % DAYS, seconds=number))
        events = [opened]
        if number % 10 == 0:
            events.append(ClockEvent(EventKind.SUBMITTED, NOW - timedelta(days=1)))
        clocks.append((promises[number % len(promises)], events))
    began = time.perf_counter()
    found = sum(1 for _ in statuses(clocks, by.calendar, NOW))
    return {"seconds": time.perf_counter() - began, "clocks": found}


if __name__ == "__main__":
    what, given = sys.argv[1:3]
    facts = sweep_all(given) if what == "sweep" else status_all(int(given))
    sys.stdout.write(json.dumps(facts) + "\n")
