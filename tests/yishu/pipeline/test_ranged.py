"""A pull in ranges: parts that follow each other, each pulled again alone, or all anew."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from catalog.load import load_catalog
from catalog.model import SourceSpec
from catalog.release import compile_release, write_release
from catalog.vocabulary import SystemKind
from yishu.library import content_digest, unified_table
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.landing import landed, landed_files
from yishu.pipeline.ranged import land_ranges
from yishu.pipeline.store import RunFolder, run_folder
from yishu.sources import Connection, SourceError

COLUMNS = {"number": "k", "filler": "v"}
ROOT = Path(__file__).resolve().parents[3]
ENTERPRISE = "market_regulation.enterprise_registration"
ALLOWED = 300_000
"""Bytes that the network lets through: enough for the first range; the second has 32 million."""

CHILD = """
import json, sys
from pathlib import Path
from catalog.model import SourceSpec
from yishu.pipeline.ranged import land_ranges
from yishu.pipeline.store import run_folder
from yishu.sources import Connection

task = json.loads(sys.argv[1])
spec = SourceSpec(connection="db", kind="postgresql", table="t", ranges=2)
folder = run_folder(Path(task["var"]), "a.b", "run")
connection = Connection("db", spec.kind, task["url"])
land_ranges(spec, connection, {"number": "k", "filler": "v"}, "k", folder)
"""


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


def land(url: str, folder: RunFolder, ranges: int = 2) -> int:
    spec = SourceSpec(connection="db", kind=SystemKind.POSTGRESQL, table="t", ranges=ranges)
    return land_ranges(spec, Connection("db", spec.kind, url), COLUMNS, "k", folder)


def numbers(folder: RunFolder) -> list[int]:
    return list(landed(folder).column("number").to_pylist())


def wait_for(reached: Callable[[], bool]) -> None:
    for _ in range(600):
        if reached():
            return
        time.sleep(0.05)
    raise TimeoutError


def is_blocked(url: str) -> bool:
    """Whether the server waits for a reader that takes nothing more."""
    with psycopg.connect(url) as server:
        found = server.execute(
            "select count(*) from pg_stat_activity "
            "where wait_event = 'ClientWrite' and datname = current_database()"
        ).fetchone()
    return found != (0,)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return run_folder(tmp_path, "a.b", "run")


@pytest.fixture
def database(fresh_database: str) -> str:
    """A table whose second half is long."""
    run(
        fresh_database,
        "create table t (k int, v text)",
        "insert into t select g, case when g > 500 then repeat(md5(g::text), 2000) else 'x' end "
        "from generate_series(1, 1000) g",
    )
    return fresh_database


def test_the_parts_are_the_table_in_the_order_of_their_ranges(
    database: str, folder: RunFolder
) -> None:
    assert land(database, folder, ranges=4) == 1000

    assert len(landed_files(folder)) == 4
    assert numbers(folder) == list(range(1, 1001))
    rows = landed(folder)
    assert rows.rows == 1000
    assert [(group.start, group.stop) for group in rows.groups()][-1][1] == 1000
    found = [number for group in rows.groups() for number in group.read()["number"].to_pylist()]
    assert found == list(range(1, 1001))


def test_an_empty_table_lands_with_its_schema(fresh_database: str, folder: RunFolder) -> None:
    run(fresh_database, "create table t (k int, v text)")

    assert land(fresh_database, folder) == 0
    assert landed(folder).schema.names == ["number", "filler"]


def test_a_part_is_for_its_owner_alone(database: str, folder: RunFolder) -> None:
    land(database, folder)

    files = list(folder.parts.iterdir())
    assert {file.name for file in files} == {"plan.json", "part-000.parquet", "part-001.parquet"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_range_that_breaks_is_read_again_and_the_others_are_not(
    database: str, folder: RunFolder, network: Callable[[str], Any], caplog: Any
) -> None:
    bad = network(database)
    bad.stall(after=ALLOWED)
    first = folder.parts / "part-000.parquet"
    done: list[int] = []
    pull = threading.Thread(target=lambda: done.append(land(bad.url(database), folder)))
    pull.start()
    wait_for(first.exists)
    wait_for(lambda: is_blocked(database))
    before = first.stat()
    run(
        database,
        "delete from t",
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where state = 'active' and datname = current_database() and pid <> pg_backend_pid()",
    )
    bad.flow()
    pull.join()

    assert done == [1000]
    assert numbers(folder) == list(range(1, 1001))
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert "range 1 broke and is read again" in caplog.text


def killed_midway(url: str, folder: RunFolder, var: Path) -> None:
    """Run a pull in a process of its own, and kill it when its first range is landed."""
    task = json.dumps({"url": url, "var": str(var)})
    child = subprocess.Popen([sys.executable, "-c", CHILD, task])
    wait_for((folder.parts / "part-000.parquet").exists)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (folder.parts / "part-001.parquet").exists()


@pytest.mark.slow
def test_after_a_kill_only_missing_ranges_are_pulled_while_the_snapshot_stands(
    database: str, folder: RunFolder, tmp_path: Path, network: Callable[[str], Any], caplog: Any
) -> None:
    """The server does not learn of the death, as the network keeps its end of the connection."""
    caplog.set_level(logging.INFO)
    bad = network(database)
    bad.stall(after=ALLOWED)
    killed_midway(bad.url(database), folder, tmp_path)
    before = (folder.parts / "part-000.parquet").stat()
    run(database, "update t set k = k + 5000")

    assert land(database, folder) == 1000

    after = (folder.parts / "part-000.parquet").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert numbers(folder) == list(range(1, 1001))
    assert "1 of 2 ranges are kept" in caplog.text


@pytest.mark.slow
def test_after_a_kill_all_is_pulled_anew_when_the_snapshot_has_ended(
    database: str, folder: RunFolder, tmp_path: Path, network: Callable[[str], Any], caplog: Any
) -> None:
    bad = network(database)
    bad.stall(after=ALLOWED)
    killed_midway(bad.url(database), folder, tmp_path)
    bad.close()
    run(
        database,
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()",
        "update t set k = k + 5000",
    )

    assert land(database, folder) == 1000

    assert sorted(numbers(folder)) == list(range(5001, 6001))
    assert "all 2 are pulled anew" in caplog.text


def test_the_error_of_the_range_that_failed_is_the_one_to_see(
    fresh_database: str, folder: RunFolder
) -> None:
    run(
        fresh_database,
        "create table t (k int, v numeric(9,2))",
        "insert into t select g, case g when 900 then numeric 'NaN' else g end "
        "from generate_series(1, 1000) g",
    )

    with pytest.raises(SourceError, match="column v"):
        land(fresh_database, folder)


def test_an_entry_in_ranges_comes_to_the_same_as_in_one_stream(
    city: Any, make_world: Any, published_city: Any, tmp_path: Path
) -> None:
    """Counts, the quarantined rows and what is published; only the order of the rows differs."""
    loaded, _ = load_catalog(ROOT / "catalog")
    entry = loaded.entries[ENTERPRISE]
    source = entry.source.model_copy(update={"ranges": 3})
    entries = {**loaded.entries, ENTERPRISE: entry.model_copy(update={"source": source})}
    changed = loaded.model_copy(update={"entries": entries})
    release = write_release(tmp_path / "releases", compile_release(changed, date(2026, 11, 1)))
    ctx = make_world(release=release)

    done = {
        "pull": run_pull(ENTERPRISE, "ranged", ctx),
        "validate": run_validate(ENTERPRISE, "ranged", ctx),
        "publish": run_publish(ENTERPRISE, "ranged", ctx),
    }

    plain, every = published_city
    truth = city.manifest.entries[ENTERPRISE]
    assert done["pull"]["rows"] == truth.read
    assert done["validate"]["quarantined"] == truth.quarantined
    assert done["publish"]["rows"] == truth.published == every[ENTERPRISE]["publish"]["rows"]
    table = unified_table(ENTERPRISE)
    assert content_digest(ctx.settings.library_dir, table) == content_digest(
        plain.settings.library_dir, table
    )
    folder = run_folder(ctx.settings.var_dir, ENTERPRISE, "ranged")
    bad = pq.read_table(folder.quarantined)
    rows = landed(folder)
    for field in entry.key:
        column = rows.column(field).to_pylist()
        assert [column[row] for row in bad["_row"].to_pylist()] == bad[field].to_pylist()
