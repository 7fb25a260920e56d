"""Small entries: what an entry of ten thousand rows costs under the real scheduler.

A catalog of one entry and its copies, each pulled from one PostgreSQL table, checked and published
by a DAG of its own: Airflow's scheduler, LocalExecutor and API server as an installation has them,
nothing is called past them. What the validation of such an entry costs in a process of its own is
in the section on validation.

``--size`` is the number of entries, 300 unless said.
"""

import re
import shutil
import socket
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from harness import ROOT, VAR, Options, Section, markdown
from source import CONNECTION, ENTRY, make_source
from sqlalchemy import create_engine, text

from yishu import secrets
from yishu.orchestration import demo, services
from yishu.orchestration.rest import DagRun
from yishu.settings import Settings

TITLE = "Small entries under Airflow"
SIZE, ROWS = 300, 10_000
FOLDER = VAR / "small_entries"
GOAL_SECONDS = 1.5
_TASKS = ("pull", "validate", "publish")

_KEY = {
    "id": "legal_entity.uscc",
    "name": "统一社会信用代码",
    "type": "string",
    "meaning": "登记管理部门赋予的唯一代码（GB 32100-2015）",
    "format": "uscc",
    "sensitivity": "none",
}
_ELEMENT_OF = {"uscc": {"element": _KEY["id"]}}
_SUBJECT = {
    "id": "legal_entity",
    "name": "法人主题库",
    "family": "subject_applicant",
    "meaning": "法人和其他组织，每个一行",
    "key": ["uscc"],
    "late_department": "publish_without",
    "columns": [{"field": "uscc", "element": _KEY["id"]}],
}


def run(options: Options) -> Section:
    """Let Airflow run every entry once, and stop it again."""
    entries = options.size or SIZE
    here = Settings(var_dir=FOLDER / "var", catalog_dir=FOLDER / "catalog")
    if here.var_dir.exists():
        demo.clean(here)
    _make_catalog(here.catalog_dir, entries)
    try:
        result = demo.run(here, lambda city: _build(city, here), options.say, port=_free_port())
        tasks = _task_seconds(here)
    finally:
        demo.stop(here)
    if result.failed or len(result.entries) != entries:
        raise SystemExit(f"{len(result.failed)} of {len(result.entries)} runs failed")
    return Section(TITLE, _body(list(result.entries.values()), result.seconds, tasks))


def _make_catalog(root: Path, entries: int) -> None:
    """The city's registers with one entry and its copies, and a subject of the first one's keys."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(
        ROOT / "catalog",
        root,
        ignore=shutil.ignore_patterns("*.py", "__pycache__", "entries", "subjects"),
    )
    department, name = ENTRY.split(".")
    whole = (ROOT / "catalog" / "entries" / department / f"{name}.yaml").read_text("utf-8")
    plain = yaml.safe_load(re.sub(r"(?m)^    element: .*\n", "", whole))
    for number in range(entries):
        at = f"{name}_{number:04}"
        own = {"id": f"{department}.{at}", "resource_code": f"307015020003{number + 1:06}/1"}
        copy = {**plain, **own}
        if not number:
            copy["items"] = [{**one, **_ELEMENT_OF.get(one["field"], {})} for one in copy["items"]]
            element = {**_KEY, "sources": [{"entry": own["id"]}]}
            _write(root / "elements.yaml", {"elements": [element]})
        _write(root / "entries" / department / f"{at}.yaml", copy)
    _write(root / "subjects" / "legal_entity.yaml", _SUBJECT)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")


def _build(city: demo.World, here: Settings) -> None:
    source = make_source(city.postgres, FOLDER / "city", ROWS)
    secrets.write_connections(here.connections_path, {CONNECTION: source.url})


def _task_seconds(here: Settings) -> dict[str, float]:
    """How long each task of an entry ran on average, as Airflow keeps it."""
    engine = create_engine(services.airflow_url(here))
    asked = text(
        "select task_id, avg(duration) from task_instance where task_id = any(:tasks) "
        "and dag_id like :entries group by task_id"
    )
    facts = {"tasks": list(_TASKS), "entries": f"%{ENTRY.split('.')[1]}%"}
    with engine.connect() as connection:
        return {task: float(seconds) for task, seconds in connection.execute(asked, facts)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _body(runs: Sequence[DagRun], laps: dict[str, float], tasks: dict[str, float]) -> str:
    begun = min(run.started for run in runs if run.started)
    ended = max(run.ended for run in runs if run.ended)
    whole = (ended - begun).total_seconds()
    each = statistics.median(run.seconds for run in runs if run.seconds is not None)
    about = (
        f"{len(runs):,} entries of {ROWS:,} rows each, pulled, validated and published once by "
        f"Airflow's LocalExecutor; from the start of the first run to the end of the last "
        f"{whole:.0f} s. Airflow itself took {laps['airflow']:.0f} s to start."
    )
    lines = [
        ["wall seconds an entry, all three stages", whole / len(runs), f"at most {GOAL_SECONDS}"],
        ["median seconds from a run's start to its end", each, ""],
        *([f"mean seconds of the task `{task}`", tasks[task], ""] for task in _TASKS),
    ]
    return f"{about}\n\n{markdown(['what', 's', 'goal'], lines)}"
