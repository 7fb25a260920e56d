"""Governed run: legal entities from PostgreSQL to a published Delta table, checks and all.

Every contender reads the same table of 12 columns, runs the same checks (uniqueness and check
digit among them), sets the failing rows aside with all their reasons, and writes the others.
Yishu does more than is asked of its peers: it standardises spellings, keeps what it landed, and
tells ledger and lineage. The floor copies the table and checks nothing.

``--size`` is the number of legal entities, 5 million unless said.
"""

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from harness import (
    ROOT,
    VAR,
    Options,
    Run,
    Section,
    Series,
    compare,
    markdown,
    measure,
    require_equal,
)
from result import Leftovers, delta_files, facts
from source import ENTRY, make_source

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate
from yishu.library import unified_table
from yishu.library.place import Place

TITLE = "Governed run"
SIZE = 5_000_000
FOLDER = VAR / "governed_run"
CONTENDERS = ROOT / "bench" / "contenders"
PEERS_VENV = ROOT / "var" / "bench-venv"
PEERS_LOCK = ROOT / "requirements" / "bench-lock.txt"

FLOOR = "floor: ADBC, write_deltalake"
OURS = "Yishu"
BY_HAND = "A: read_sql, GX, to_parquet"
DLT_PYARROW = "B: dlt pyarrow, GX"
DLT_CONNECTORX = "B: dlt connectorx, GX"
ENGINEER = "C: ADBC, GX, write_deltalake"
SAME = ("kept", "aside", "failing", "digest")
"""What every contender but the floor must have in common; ``result.facts`` says how it is read."""


def run(options: Options) -> Section:
    """Measure all contenders on one source and compare those that did the same."""
    peers_python()
    shutil.rmtree(FOLDER / "runs", ignore_errors=True)
    (FOLDER / "runs").mkdir(parents=True)
    with _server() as server:
        options.say("building the source")
        source = make_source(server, FOLDER / "city", options.size or SIZE)
        asked = FOLDER / "task.json"
        asked.touch(mode=0o600)
        asked.write_text(json.dumps(_asked(server, source.url)), "utf-8")
        series = compare(_contenders(asked), options)
    governed = [one for one in series if one.name != FLOOR]
    for fact in SAME:
        require_equal(governed, fact)
    floor = next(one for one in series if one.name == FLOOR)
    if require_equal([floor], "rows") != source.rows:
        raise SystemExit("not comparable: the floor did not copy every row")
    if require_equal(governed, "aside") != source.faulty:
        raise SystemExit("not comparable: not the faulty rows alone were set aside")
    return Section(TITLE, _body(series, source.rows, governed[0].runs[0].result))


def peers_python() -> Path:
    """The Python of the peers' own environment, made from its lock when there is none yet."""
    python = PEERS_VENV / "bin" / "python"
    stamp = PEERS_VENV / "lock.txt"
    wanted = PEERS_LOCK.read_text("utf-8")
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS_VENV], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--requirement", PEERS_LOCK], check=True)
    stamp.write_text(wanted, "utf-8")
    return python


@contextmanager
def _server() -> Any:
    server = EmbeddedPostgres(VAR / "postgres", "bench-on-loopback")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _asked(server: EmbeddedPostgres, url: str) -> dict[str, Any]:
    loaded, faults = load_catalog(ROOT / "catalog")
    if faults:
        raise SystemExit(f"the catalog has {len(faults)} faults; see `yishu catalog check`")
    releases = FOLDER / "releases"
    write_release(releases, compile_release(loaded, date(2026, 1, 1)))
    items = {item.source_column: item for item in loaded.entries[ENTRY].items}
    codes = {
        column: sorted(loaded.code_lists[item.code_list].codes)
        for column, item in items.items()
        if item.code_list
    }
    return {
        "url": url,
        "codes": codes,
        "ledger": empty_ledger(server, "ledger"),
        "releases": str(releases),
    }


def empty_ledger(server: EmbeddedPostgres, name: str) -> str:
    """URL of an empty ledger: one that knows runs of another size would stop such jumps."""
    with psycopg.connect(server.url(), autocommit=True) as session:
        session.execute(f"drop database if exists {name}")
    url = server.ensure_database(name)
    migrate.upgrade(url)
    return url


def _contenders(asked: Path) -> dict[str, Callable[[int], Run]]:
    ours, peers = sys.executable, str(peers_python())
    return {
        FLOOR: partial(_run, [ours, "floor.py"], asked, None),
        OURS: partial(_run, [ours, "governed.py"], asked, _ours),
        BY_HAND: partial(_run, [ours, "by_hand.py"], asked, _parquet),
        DLT_PYARROW: partial(_run, [peers, "dlt_delta.py", "pyarrow"], asked, _dlt),
        DLT_CONNECTORX: partial(_run, [peers, "dlt_delta.py", "connectorx"], asked, _dlt),
        ENGINEER: partial(_run, [ours, "engineer.py"], asked, _delta),
    }


def _run(
    command: list[str], asked: Path, find: Callable[[Path], Leftovers] | None, number: int
) -> Run:
    """Run a contender once in an empty folder, read what it left there, and remove it."""
    python, script, *backend = command
    folder = FOLDER / "runs" / "-".join([Path(script).stem, *backend, str(number)])
    done = measure([python, str(CONTENDERS / script), str(asked), str(folder), *backend])
    found = facts(find(folder)) if find else {}
    shutil.rmtree(folder)
    return replace(done, result={**done.result, **found})


def _ours(folder: Path) -> Leftovers:
    (aside,) = folder.glob("quarantine/**/rows.parquet")
    table = Place(folder / "library", unified_table(ENTRY))
    return Leftovers(delta_files(table.path), aside, is_ours=True)


def _parquet(folder: Path) -> Leftovers:
    return Leftovers([str(folder / "rows.parquet")], folder / "aside.parquet")


def _dlt(folder: Path) -> Leftovers:
    return Leftovers(delta_files(folder / "delta" / "rows"), folder / "aside.parquet")


def _delta(folder: Path) -> Leftovers:
    return Leftovers(delta_files(folder / "table"), folder / "aside.parquet")


def _body(series: list[Series], rows: int, same: Any) -> str:
    by_name = {one.name: one for one in series}
    floor = by_name[FLOOR]
    lines = [
        [
            one.name,
            one.median,
            one.spread,
            one.without_imports,
            one.cpu,
            f"{one.peak_mb:.0f}",
            f"{one.median / floor.median:.2f}",
            f"{one.without_imports / floor.without_imports:.2f}",
        ]
        for one in series
    ]
    header = ["contender", "median s", "spread s", "without imports s", "CPU s", "peak MB"]
    header += ["to floor", "to floor, without imports"]
    stages = [run.result["stages"] for run in by_name[OURS].runs]
    ours = ", ".join(
        f"{stage} {statistics.median(one[stage] for one in stages):.1f} s" for stage in stages[0]
    )
    about = (
        f"{rows:,} rows of 12 columns from PostgreSQL; {same['kept']:,} kept, "
        f"{same['aside']:,} set aside for {len(same['failing'])} different reasons. All but the "
        "floor: equal rows, equal failing keys of each check, equal content digest "
        f"`{same['digest'][:16]}`. Seconds are those of the whole process; without imports, and "
        "without clearing them away at its end, is shown apart: a city's scheduler pays them once."
    )
    table = markdown(header, lines)
    return "\n\n".join([about, table, f"Yishu by stage: {ours}.", _goals(by_name)])


def _goals(by_name: dict[str, Series]) -> str:
    """Wanted and found: whole processes, and without imports."""
    ours = by_name[OURS]

    def ratios(over: Series, under: Series) -> list[str]:
        whole = over.median / under.median
        return [f"{whole:.2f}", f"{over.without_imports / under.without_imports:.2f}"]

    lines = [
        ["time to the floor", "at most 1.5", *ratios(ours, by_name[FLOOR])],
        ["times faster than A", "at least 3", *ratios(by_name[BY_HAND], ours)],
        ["times faster than B, pyarrow", "at least 2", *ratios(by_name[DLT_PYARROW], ours)],
        ["times faster than B, connectorx", "at least 2", *ratios(by_name[DLT_CONNECTORX], ours)],
        ["times faster than C", "more than 1", *ratios(by_name[ENGINEER], ours)],
        ["peak MB", "at most 1,536", f"{ours.peak_mb:,.0f}", f"{ours.peak_mb:,.0f}"],
    ]
    return markdown(["goal", "wanted", "found", "found, without imports"], lines)
