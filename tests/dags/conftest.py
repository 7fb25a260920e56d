"""DAG files parsed as Airflow parses them: in a fresh process, here without any network."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.load import load_catalog
from catalog.release import compile_release, write_release

ROOT = Path(__file__).resolve().parents[2]
NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:9/none"

PARSE = """
import json, socket, sys

def refused(*args, **kwargs):
    raise AssertionError("a DAG file opened a connection")

import airflow.sdk
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG
socket.socket.connect = refused

def schedule(dag):
    timetable = dag.timetable
    conditions = getattr(timetable, "asset_condition", None)
    inner = getattr(timetable, "timetable", timetable)
    return {
        "kind": type(timetable).__name__,
        "cron": getattr(inner, "expression", None),
        "time_zone": str(getattr(inner, "timezone", None)),
        "at_once": getattr(inner, "run_immediately", None),
        "assets": sorted(a.uri for a in conditions.objects) if conditions else [],
        "condition": type(conditions).__name__,
    }

def task(one):
    return {
        "owner": one.owner,
        "pool": one.pool,
        "retries": one.retries,
        "delay": one.retry_delay.total_seconds(),
        "longest_delay": one.max_retry_delay.total_seconds(),
        "backoff": one.retry_exponential_backoff,
        "timeout": one.execution_timeout.total_seconds() if one.execution_timeout else None,
        "after": sorted(one.upstream_task_ids),
        "outlets": {a.uri: a.extra for a in one.outlets},
    }

dags = {}
import runpy
for path in sys.argv[1:]:
    names = runpy.run_path(path)
    for dag in {id(v): v for v in names.values() if isinstance(v, DAG)}.values():
        assert dag.dag_id not in dags, dag.dag_id
        dags[dag.dag_id] = {
            "doc": dag.doc_md,
            "tags": sorted(dag.tags),
            "catchup": dag.catchup,
            "active": dag.max_active_runs,
            "paused": dag.is_paused_upon_creation,
            "schedule": schedule(dag),
            "deadlines": [
                {"after": one.interval.total_seconds(), "tells": one.callback.path}
                for one in dag.deadline or []
            ],
            "run_types": dag.allowed_run_types and sorted(t.value for t in dag.allowed_run_types),
            "params": dict(dag.params),
            "tasks": {one.task_id: task(one) for one in dag.tasks},
        }
heavy = {"great_expectations", "pandas", "deltalake", "pyarrow", "duckdb"} & set(sys.modules)
print(json.dumps({"dags": dags, "heavy": sorted(heavy)}))
"""

Parsed = dict[str, Any]
Parse = Callable[..., Parsed]


@pytest.fixture(scope="session")
def content() -> dict[str, Any]:
    """The content of a release of the example city's catalog."""
    catalog, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return compile_release(catalog, date(2026, 3, 2))


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """Parse all DAG files for a release; ``asked`` is the DAG that a task process asks for."""

    def parsed(content: dict[str, Any], asked: str | None = None) -> Parsed:
        var = tmp_path_factory.mktemp("var")
        write_release(var / "releases", content)
        environment = {
            **os.environ,
            "YISHU_VAR_DIR": str(var),
            "AIRFLOW_HOME": str(var / "airflow"),
            "AIRFLOW_CONFIG": str(ROOT / "airflow.cfg"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": NO_DATABASE,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": NO_DATABASE,
        }
        if asked:
            environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = asked
        files = sorted(map(str, (ROOT / "dags").glob("*.py")))
        done = subprocess.run(
            [sys.executable, "-c", PARSE, *files],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: Parsed = json.loads(done.stdout.splitlines()[-1])
        return found

    return parsed


@pytest.fixture(scope="session")
def city(parse: Parse, content: dict[str, Any]) -> Parsed:
    """The DAGs of the example city's whole catalog."""
    return parse(content)
