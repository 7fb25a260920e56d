"""Pull: from a department system to landed Parquet, each kind beside what others would write.

Every contender brings the same 12 columns of the same rows into Parquet. Yishu does more than is
asked of its peers: it compares the source's columns with the catalog first, and flushes, hashes and
records what it landed.

``--size`` is the number of legal entities, 5 million unless said.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
from governed_run import CONTENDERS, _server, peers_python
from harness import ROOT, VAR, Options, Run, Section, Series, compare, markdown, measure
from result import FIELDS
from source import TABLE, make_source

sys.path.append(str(CONTENDERS))

from pull_source import (
    CHANGED,
    STAMPED,
    begin_changing,
    border,
    fill_sqlite,
    go_on_changing,
    mariadb,
    write_csv,
)

from catalog.load import load_catalog
from catalog.model import Catalog, CatalogEntry, SourceSpec
from yishu.pipeline.publish import publish_entry
from yishu.pipeline.pull import pull
from yishu.pipeline.store import run_folder
from yishu.pipeline.validate import validate_landed
from yishu.sources.protocol import Connection

TITLE = "Pull"
SIZE = 5_000_000
FOLDER = VAR / "pull"
ENTRY = "market_regulation.enterprise_registration"
NOW = STAMPED + timedelta(days=2)

RAW, ONE, TWO = "ADBC to Parquet", "Yishu, PostgreSQL", "Yishu, PostgreSQL, 2 ranges"
CONNECTORX = "ConnectorX, 2 partitions"
MARIADB, MARIADB_PEER = "Yishu, MariaDB", "pandas.read_sql, MariaDB"
SQLITE, SQLITE_PEER = "Yishu, SQLite", "pandas.read_sql, SQLite"
CSV, CSV_PEER, CSV_CHUNKS = "Yishu, CSV", "pandas.read_csv, pyarrow", "pandas.read_csv, C in chunks"
CHANGES = "Yishu, PostgreSQL, 1 % changed"


def run(options: Options) -> Section:
    """Measure all kinds in one go, in turn."""
    peers = str(peers_python())
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "runs").mkdir(parents=True)
    with _server() as server:
        options.say("building the sources")
        made = make_source(server, FOLDER / "city", options.size or SIZE)
        drop = write_csv(server, FOLDER / "files")
        whole = FOLDER / "files" / "rows.csv"
        fill_sqlite(whole, FOLDER / "files" / "rows.db")
        with mariadb(whole, FOLDER / "mariadb") as mariadb_url:
            postgresql = {"kind": "postgresql", "table": f"public.{TABLE}"}
            sql = {"kind": "sql", "table": TABLE}
            sqlite = f"sqlite:///{FOLDER / 'files' / 'rows.db'}"
            tasks = {
                "pg": {"url": made.url, "source": postgresql, "border": border(server)},
                "pg2": {"url": made.url, "source": postgresql | {"ranges": 2}},
                "maria": {"url": mariadb_url, "source": sql, "peer_url": _pymysql(mariadb_url)},
                "sqlite": {"url": sqlite, "source": sql, "peer_url": sqlite},
                "csv": {"url": str(drop), "source": _CSV},
                "changes": _changing(server, made.url),
            }
            catalog, _ = load_catalog(ROOT / "catalog")
            asked = {name: _write(name, task, catalog) for name, task in tasks.items()}
            series = compare(_contenders(asked, peers), options)
    by_name = {one.name: one for one in series}
    _require_equal([one for one in series if one.name != CHANGES], made.rows)
    return Section(TITLE, _body(by_name, made.rows))


_CSV = {"kind": "csv", "path": "rows_*.csv", "encoding": "gb18030"}


def _contenders(asked: Mapping[str, Path], peers: str) -> dict[str, Callable[[int], Run]]:
    ours = partial(_run, [sys.executable, "pull_ours.py"])
    pandas = partial(_run, [sys.executable, "pull_pandas.py"])
    read_csv = partial(_run, [sys.executable, "pull_pandas_csv.py"])
    return {
        RAW: partial(_run, [sys.executable, "pull_adbc.py"], asked["pg"], ()),
        ONE: partial(ours, asked["pg"], ()),
        CONNECTORX: partial(_run, [peers, "pull_connectorx.py"], asked["pg"], ()),
        TWO: partial(ours, asked["pg2"], ()),
        MARIADB_PEER: partial(pandas, asked["maria"], ()),
        MARIADB: partial(ours, asked["maria"], ()),
        SQLITE_PEER: partial(pandas, asked["sqlite"], ()),
        SQLITE: partial(ours, asked["sqlite"], ()),
        CSV_PEER: partial(read_csv, asked["csv"], ("pyarrow",)),
        CSV_CHUNKS: partial(read_csv, asked["csv"], ("chunks",)),
        CSV: partial(ours, asked["csv"], ()),
        CHANGES: partial(ours, asked["changes"], ()),
    }


def _run(command: Sequence[str], asked: Path, more: Sequence[str], number: int) -> Run:
    """Run a contender once, take the content of what it landed, and remove it."""
    python, script = command
    name = "-".join([Path(script).stem, asked.stem, *more, str(number)])
    folder = FOLDER / "runs" / name
    done = measure([python, str(CONTENDERS / script), str(asked), str(folder), *more])
    found = {"content": _content(done.result["files"])}
    shutil.rmtree(folder)
    return replace(done, result={**done.result, **found})


def _write(name: str, task: Mapping[str, Any], catalog: Catalog) -> Path:
    path = FOLDER / f"{name}.json"
    path.touch(mode=0o600)
    entry = _entry(catalog, task["source"]).model_dump(mode="json", exclude_none=True)
    path.write_text(json.dumps({"now": NOW.isoformat(), "entry": entry, **task}), "utf-8")
    return path


def _entry(catalog: Catalog, source: Mapping[str, Any]) -> CatalogEntry:
    spec = SourceSpec.model_validate({"connection": "bench", **source})
    return catalog.entries[ENTRY].model_copy(update={"source": spec})


def _pymysql(url: str) -> str:
    return url.replace("mysql://", "mysql+pymysql://", 1) + "?charset=utf8mb4"


def _changing(server: Any, url: str) -> dict[str, Any]:
    """A library that has come to the last stamp, and a table that has changed since."""
    source = {
        "kind": "postgresql",
        "table": f"public.{CHANGED}",
        "mode": "incremental",
        "watermark": {"column": "updated_at", "overlap": 3600},
    }
    begin_changing(server, str(urlsplit(url).username))
    catalog, _ = load_catalog(ROOT / "catalog")
    _publish(_entry(catalog, source), catalog, url)
    go_on_changing(server)
    return {"url": url, "source": source, "library": str(FOLDER / "library")}


def _publish(entry: CatalogEntry, catalog: Catalog, url: str) -> None:
    folder, library = run_folder(FOLDER / "first", ENTRY, "first"), FOLDER / "library"
    connection = Connection("bench", entry.source.kind, url)
    pull(entry, connection, folder, run_id="first", now=STAMPED, library=library)
    validate_landed(entry, catalog, folder)
    publish_entry(entry, folder, library, committed_at=STAMPED)


def _content(files: Sequence[str]) -> list[Any]:
    """Rows, and a digest of their values in any order; an empty text counts as none, as in CSV."""
    with duckdb.connect(":memory:") as session:
        listed = ", ".join(f"'{file}'" for file in files)
        rows = f"read_parquet([{listed}])"
        have = {name for name, *_ in session.execute(f"describe select * from {rows}").fetchall()}
        texts = ", ".join(
            _text(ours if ours in have else theirs, ours) for ours, theirs in FIELDS.items()
        )
        found = session.execute(
            f"SELECT count(*), sum(hash(concat_ws(chr(31), {texts}))::HUGEINT)::VARCHAR FROM {rows}"
        ).fetchone()
        return list(found or ())


def _text(column: str, field: str) -> str:
    kinds = {"registered_capital": "DECIMAL(18, 2)"}
    kinds |= dict.fromkeys(("established_on", "term_end_on", "approved_on"), "DATE")
    plain = f"nullif({column}::VARCHAR, '')"
    return f"coalesce({plain}::{kinds.get(field, 'VARCHAR')}::VARCHAR, chr(0))"


def _require_equal(series: Sequence[Series], rows: int) -> None:
    found = {json.dumps(run.result["content"]) for one in series for run in one.runs}
    if len(found) != 1 or json.loads(next(iter(found)))[0] != rows:
        lines = "\n".join(f"  {one.name}: {one.runs[0].result['content']}" for one in series)
        raise SystemExit(f"not comparable, {rows} rows were asked for:\n{lines}")


def _body(by_name: Mapping[str, Series], rows: int) -> str:
    lines = [
        [one.name, one.median, one.spread, one.without_imports, one.cpu, f"{one.peak_mb:.0f}"]
        for one in by_name.values()
    ]
    header = ["contender", "median s", "spread s", "without imports s", "CPU s", "peak MB"]
    changed = by_name[CHANGES].runs[0].result["rows"]
    about = (
        f"{rows:,} rows of 12 columns, into Parquet; equal content in all but the last line, which "
        f"brings the {changed:,} rows that changed since its last pull (the stamp is indexed). "
        "Seconds are those of the whole process."
    )
    return "\n\n".join([about, markdown(header, lines), _goals(by_name)])


def _goals(by_name: Mapping[str, Series]) -> str:
    """Wanted and found: whole processes, and without imports."""

    def ratio(goal: str, wanted: str, over: str, under: str) -> list[str]:
        a, b = by_name[over], by_name[under]
        without = a.without_imports / b.without_imports
        return [
            goal,
            wanted,
            f"{a.median / b.median:.2f}",
            f"{without:.2f}",
            f"{a.cpu / b.cpu:.2f}",
        ]

    fastest = min(CSV_PEER, CSV_CHUNKS, key=lambda name: by_name[name].median)
    ours = [one for name, one in by_name.items() if name.startswith("Yishu")]
    peak = max(ours, key=lambda one: one.peak_mb)
    lines = [
        ratio("one stream, time to ADBC", "at most 1.1", ONE, RAW),
        ratio("2 ranges, times faster than ConnectorX", "more than 1", CONNECTORX, TWO),
        ratio("MariaDB, times faster", "at least 3", MARIADB_PEER, MARIADB),
        ratio("SQLite, times faster", "at least 3", SQLITE_PEER, SQLITE),
        ratio(f"CSV, times faster than {fastest}", "at least 3", fastest, CSV),
        ratio("1 % changed, time to a full pull", "at most 0.05", CHANGES, ONE),
        [f"peak MB ({peak.name})", "at most 400", *[f"{peak.peak_mb:.0f}"] * 2, ""],
    ]
    return markdown(["goal", "wanted", "found", "found, without imports", "CPU"], lines)
