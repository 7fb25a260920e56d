"""Quality: a year's scores, the month's report and the reject file, from many entries and runs.

``--size`` is the number of entries, 2,000 unless said, each with 365 runs of six checks of which
two fail; the reject file has 500 rows an entry. Runs are put into the ledger's tables by SQL, as
`Ledger.record_verdict` would, since only the reading is measured.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
from catalog_scale import make_catalog
from harness import ROOT, VAR, Options, Run, Section, Series, compare, markdown, measure

from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate

TITLE = "Quality figures"
FOLDER = VAR / "quality_figures"
HEADER = ("step", "median s", "spread s", "s without imports", "peak MB")
DAYS = 365
REJECTED_PER_ENTRY = 500

FILL = """
set session_replication_role = replica;
create temporary table planned as
select entry_id, day, format('%%s-%%s', entry_id, day::date) as run_id
from unnest(cast(%(entries)s as text[])) as entry_id,
    generate_series(timestamptz '2026-01-01 01:30+08', '2026-12-31 01:30+08', '1 day') as day
order by day, entry_id;
insert into ledger.run (run_id, object_id, kind, state, release_id, started_at, finished_at)
select run_id, entry_id, 'entry', 'succeeded', 'bench', day, day from planned;
insert into ledger.pull_receipt (
    run_id, entry_id, department_id, connection_id, system_kind, place, rows, bytes, digest,
    new_columns, pulled_at
)
select run_id, entry_id, split_part(entry_id, '.', 1), 'c', 'sql', 't', 1000, 1, 'd', '{}', day
from planned;
insert into ledger.verdict (
    run_id, entry_id, rows, quarantined, passed, max_quarantined_share, decided_at
)
select run_id, entry_id, 1000, 3, true, 0.2, day from planned;
insert into ledger.check_result (
    run_id, entry_id, check_id, kind, dimension, severity, columns, counted, failed, text_zh
)
select run_id, entry_id, 'field.' || number, 'format',
    (array['conformity', 'completeness', 'accuracy'])[1 + number %% 3], 'fail', '{field}', 1000,
    case when number < 2 then 1 + number else 0 end, '必须符合规则'
from planned, generate_series(0, 5) as number;
insert into ledger.run_dimension
select run_id, entry_id, dimension, day, count(*), sum(counted), sum(failed), sum(waived)
from planned inner join ledger.check_result using (run_id, entry_id)
group by run_id, entry_id, dimension, day
order by day, entry_id;
insert into ledger.library_commit (
    run_id, object_id, layer, table_name, version, read, inserted, updated, unchanged, deleted,
    quarantined, superseded, rows, committed_at
)
select run_id, entry_id, 'unified', 'unified/' || entry_id, 1, 1000, 0, 0, 997, 0, 3, 0, 997, day
from planned;
"""
TABLES = ("run", "pull_receipt", "verdict", "check_result", "run_dimension", "library_commit")


def run(options: Options) -> Section:
    """Measure scores, report and reject file."""
    size = options.size or 2_000
    shutil.rmtree(FOLDER, ignore_errors=True)
    server = EmbeddedPostgres(FOLDER / "postgres", "of-the-benchmark")
    server.start()
    try:
        lines = _measured(_ledger(server, size, options), size, options)
    finally:
        server.stop()
    about = (
        f"{size:,} entries x {DAYS} runs of 6 checks in the ledger. Whole processes, imports "
        "included; memory without the database. Goals: scores under 10 s, report under 20 s."
    )
    return Section(TITLE, f"{about}\n\n{markdown(HEADER, lines)}")


def _measured(environment: dict[str, str], size: int, options: Options) -> list[list[object]]:
    rejected = size * REJECTED_PER_ENTRY
    contenders = {
        "scores of 12 months": partial(_scores, environment, size),
        "`yishu quality report`": partial(_report, environment),
        **{
            f"reject file, {form}, {rejected:,} rows": partial(_reject, rejected, form)
            for form in ("csv", "xlsx")
        },
    }
    return [
        [one.name, one.median, one.spread, _own(one), f"{one.peak_mb:.0f}"]
        for one in compare(contenders, options)
    ]


def _own(step: Series) -> str:
    is_told = all("imports" in run.result for run in step.runs)
    return f"{step.without_imports:.1f}" if is_told else ""


def _ledger(server: EmbeddedPostgres, size: int, options: Options) -> dict[str, str]:
    """An installation whose ledger has a year of runs of so many entries."""
    grown = make_catalog(FOLDER / "city", size)
    yishu = str(Path(sys.executable).with_name("yishu"))
    url = server.ensure_database("figures")
    environment = {
        "YISHU_VAR_DIR": str(grown.var),
        "YISHU_CATALOG_DIR": str(grown.root),
        "YISHU_DATABASE_URL": url.replace("postgresql+psycopg", "postgresql"),
    }
    measure(
        [yishu, "catalog", "release", "--json"], {**grown.environment, **environment}, tells=False
    )
    migrate.upgrade(url)
    options.say(f"filling the ledger with {size * DAYS:,} runs")
    entries = [".".join(path.with_suffix("").parts[-2:]) for path in _entries(grown.root)]
    with psycopg.connect(environment["YISHU_DATABASE_URL"], autocommit=True) as opened:
        with psycopg.ClientCursor(opened) as cursor:
            cursor.execute(FILL, {"entries": entries})
        for table in TABLES:
            opened.execute(f"vacuum analyze ledger.{table}")
    return environment


def _entries(root: Path) -> Iterator[Path]:
    yield from sorted(root.glob("entries/*/*.yaml"))


def _scores(environment: dict[str, str], size: int, _: int) -> Run:
    command = [sys.executable, str(ROOT / "bench" / "contenders" / "year_scores.py")]
    done = measure(command, environment)
    if done.result["runs"] != size * DAYS:
        raise SystemExit(f"{done.result['runs']} runs of {size * DAYS} were counted")
    return done


def _report(environment: dict[str, str], _: int) -> Run:
    yishu = str(Path(sys.executable).with_name("yishu"))
    target = FOLDER / "report.html"
    command = [yishu, "quality", "report", "--month", "2026-11", "--to", str(target), "--json"]
    done = measure(command, environment, tells=False)
    if "部门排名" not in target.read_text("utf-8"):
        raise SystemExit("the report says nothing")
    return done


def _reject(rows: int, form: str, _: int) -> Run:
    folder = FOLDER / "reject"
    folder.mkdir(parents=True, exist_ok=True)
    script = str(ROOT / "bench" / "contenders" / "reject_rows.py")
    command = [sys.executable, script, str(rows), str(folder), form]
    if not (folder / "quarantine").exists():
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # makes the rows once
    done = measure(command)
    if done.result["rows"] != rows:
        raise SystemExit(f"{done.result['rows']} rows of {rows} were written")
    return done
