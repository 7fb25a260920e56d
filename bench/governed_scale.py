"""Governed run at scale: ten times the rows, and one row in a hundred new or changed.

Yishu alone, since what it must beat stands in the section on the governed run. Every run is a
process of its own that pulls, checks and publishes the same entry of 12 columns. The table that
changes has stamps; what its pulls by changes come to is compared with a full run of the same rows.

``--size`` is the number of legal entities, 5 million unless said.
"""

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from governed_run import CONTENDERS, _asked, _server, empty_ledger
from harness import ROOT, VAR, Options, Run, Section, markdown, measure
from result import Leftovers, delta_files, facts
from source import DATABASE, ENTRY, TABLE, make_source

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.embedded import EmbeddedPostgres
from yishu.library import unified_table
from yishu.library.place import Place

TITLE = "Governed run at scale"
SIZE, TIMES = 5_000_000, 10
ONE_IN = 100
MORE = f"{TIMES} times the rows"
FOLDER = VAR / "governed_scale"
CHANGING = "e_stamped"
SHARE_GOAL, MEMORY_GOAL = 0.1, 2048

_FIRST, _LATER = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
_PART = f"mod(hashtext(uniscid)::bigint + 2147483648, {ONE_IN})"
"""Which hundredth of the keys a row is in."""

_SINGLE = f"(select distinct on (uniscid) * from {TABLE}) as single"
"""One row a key: among changes the later one of two counts, in a full pull both are set aside."""


def run(options: Options) -> Section:
    """Full runs of both sizes, and the changes of the smaller one in between."""
    size = options.size or SIZE
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    runs: dict[str, Run] = {}
    with _server() as server:
        options.say("building the source")
        source = make_source(server, FOLDER / "city", size)
        asked = _asked(server, source.url)
        full = _write("full", {**asked, "ledger": empty_ledger(server, "ledger_full")})
        runs["all rows"] = _measured(full, "all", "first", options)
        shutil.rmtree(FOLDER / "all")
        own = {"releases": _stamped_release(), "ledger": empty_ledger(server, "ledger_changes")}
        by_changes = _write("changes", {**asked, **own})
        _begin(server, str(urlsplit(source.url).username))
        runs["all rows, for pulls by changes"] = _measured(by_changes, "stamped", "first", options)
        _add_new(server)
        runs["1 % new"] = _measured(by_changes, "stamped", "new", options)
        _change(server)
        runs["1 % changed"] = _measured(by_changes, "stamped", "changed", options)
        _require_as_full(server, full, options)
        options.say(f"building {TIMES} times as many rows")
        source_of_many = make_source(server, FOLDER / "city", size * TIMES, is_compact=False)
        own = {"url": source_of_many.url, "ledger": empty_ledger(server, "ledger_many")}
        runs[MORE] = _measured(_write("many", {**asked, **own}), "many", "first", options)
    shutil.rmtree(FOLDER)
    return Section(TITLE, _body(runs, source.rows))


def _write(name: str, asked: dict[str, Any]) -> Path:
    path = FOLDER / f"{name}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(asked), "utf-8")
    return path


def _stamped_release() -> str:
    """A release whose entry is pulled by its stamps."""
    loaded, _ = load_catalog(ROOT / "catalog")
    entry = loaded.entries[ENTRY]
    source = entry.source.model_copy(update={"table": f"public.{CHANGING}"})
    spec = {**source.model_dump(exclude_none=True), "mode": "incremental"}
    spec |= {"watermark": {"column": "updated_at", "overlap": 3600}, "reconcile_hours": 168}
    changing = entry.model_copy(update={"source": type(source).model_validate(spec)})
    entries = {**loaded.entries, ENTRY: changing}
    releases = FOLDER / "releases"
    release = compile_release(loaded.model_copy(update={"entries": entries}), _FIRST.date())
    write_release(releases, release)
    return str(releases)


def _measured(asked: Path, folder: str, run_id: str, options: Options) -> Run:
    command = [sys.executable, str(CONTENDERS / "governed.py"), str(asked)]
    done = measure([*command, str(FOLDER / folder), run_id])
    options.say(f"{folder}, {run_id}: {done.seconds:.1f} s, {done.peak_mb:.0f} MB")
    return done


def _kept(folder: str) -> list[Any]:
    """Number and content digest of the published rows."""
    aside = next((FOLDER / folder).glob("quarantine/**/rows.parquet"))
    table = Place(FOLDER / folder / "library", unified_table(ENTRY))
    found = facts(Leftovers(delta_files(table.path), aside, is_ours=True))
    return [found["kept"], found["digest"]]


def _begin(server: EmbeddedPostgres, reader: str) -> None:
    """All rows but a hundredth, with stamps over two years, for a role to read."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(f"drop table if exists {CHANGING}")
        session.execute(f"create table {CHANGING} as select * from {TABLE} where false")
        session.execute(f"alter table {CHANGING} add column updated_at timestamptz")
        session.execute(
            f"insert into {CHANGING} select *, %s + interval '10 seconds' * row_number() over () "
            f"from {_SINGLE} where coalesce({_PART}, 1) <> 0",
            [_FIRST],
        )
        session.execute(f"create index on {CHANGING} (updated_at)")
        session.execute(f'grant select on {CHANGING} to "{reader}"')
    _settle(server)


def _add_new(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(
            f"insert into {CHANGING} select *, %s from {_SINGLE} where {_PART} = 0", [_LATER]
        )
    _settle(server)


def _change(server: EmbeddedPostgres) -> None:
    """Another hundredth gets another address, strewn over the whole table."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(
            f"update {CHANGING} set dom = dom || '一号', updated_at = %s + interval '1 day' "
            f"where {_PART} = 1",
            [_LATER],
        )
    _settle(server)


def _settle(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(f"vacuum (freeze, analyze) {CHANGING}")
        session.execute("checkpoint")


def _require_as_full(server: EmbeddedPostgres, full: Path, options: Options) -> None:
    """After all changes the library holds what a full run of the same rows comes to."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(f"alter table {CHANGING} drop column updated_at")
        session.execute(f"alter table {TABLE} rename to e_before")
        session.execute(f"alter table {CHANGING} rename to {TABLE}")
    _measured(full, "whole", "second", options)
    if _kept("whole") != _kept("stamped"):
        raise SystemExit("not comparable: pulls by changes came to other rows than a full run")
    shutil.rmtree(FOLDER / "whole")


def _body(runs: dict[str, Run], rows: int) -> str:
    lines = [
        [
            name,
            f"{one.result['rows']:,}",
            one.seconds,
            one.without_imports,
            *(one.result["stages"][stage] for stage in ("pull", "validate", "publish")),
            one.cpu_seconds,
            f"{one.peak_mb:.0f}",
        ]
        for name, one in runs.items()
    ]
    header = ["run", "rows then", "s", "without imports", "pull", "validate", "publish", "CPU s"]
    about = (
        f"{rows:,} rows of 12 columns from PostgreSQL, and {TIMES} times as many; Yishu alone, one "
        "run each. After all changes the library holds what a full run of the same rows comes to."
    )
    return "\n\n".join([about, markdown([*header, "peak MB"], lines), _goals(runs)])


def _goals(runs: dict[str, Run]) -> str:
    def ratio(name: str) -> tuple[str, str]:
        over, under = runs[name], runs["all rows"]
        whole = over.seconds / under.seconds
        return f"{whole:.2f}", f"{over.without_imports / under.without_imports:.2f}"

    lines = [
        [f"{name}, to all rows", f"at most {SHARE_GOAL}", *ratio(name)]
        for name in ("1 % new", "1 % changed")
    ]
    lines += [
        [f"{MORE}, to all rows", f"about {TIMES}", *ratio(MORE)],
        [f"peak MB, {MORE}", f"at most {MEMORY_GOAL:,}", f"{runs[MORE].peak_mb:,.0f}", ""],
    ]
    return markdown(["goal", "wanted", "found", "found, without imports"], lines)
