"""Errors of the pipeline become Airflow's, connections of Airflow the pipeline's."""

from collections.abc import Callable
from typing import Any

PARTS = 'found="a", expected="b", remedy="c"'


def test_only_an_error_that_time_cannot_mend_is_not_retried(
    in_airflow: Callable[[str], Any],
) -> None:
    raised = in_airflow(f"""
import json
from catalog.errors import NotCataloged
from yishu.orchestration.tasks import permanent_errors_fail_at_once
from yishu.sources.errors import SourceUnreachable

def what(error):
    try:
        with permanent_errors_fail_at_once():
            raise error
    except Exception as seen:
        return type(seen).__name__, str(seen)

print(json.dumps([
    what(NotCataloged("x.y", {PARTS})),
    what(SourceUnreachable("x_db", {PARTS})),
    what(ConnectionError("gone")),
]))
""")

    assert [name for name, _ in raised] == [
        "AirflowFailException",
        "SourceUnreachable",
        "ConnectionError",
    ]
    assert raised[0][1] == "[CAT_NOT_CATALOGED] x.y: found a; expected b. Remedy: c"


def test_an_airflow_connection_becomes_the_url_that_a_source_opens(
    in_airflow: Callable[[str], Any],
) -> None:
    urls = in_airflow("""
import json
from airflow.sdk import Connection
from yishu.orchestration.connections import airflow_url

print(json.dumps([
    airflow_url(Connection(conn_id="a", conn_type="postgres", host="h", port=5433, login="reader",
                           password="p@ss/word", schema="market")),
    airflow_url(Connection(conn_id="b", conn_type="fs", extra=json.dumps({"path": "/drops/tax"}))),
    airflow_url(Connection(conn_id="c", conn_type="http", host="h", port=8090)),
]))
""")

    assert urls[0] == "postgresql://reader:p%40ss%2Fword@h:5433/market"
    assert urls[1] == "/drops/tax"
    assert urls[2].startswith("http://h:8090")


def test_the_scheduler_alone_loads_what_tasks_need(in_airflow: Callable[[str], Any]) -> None:
    found = in_airflow("""
import json, runpy, sys
sys.argv = ["airflow", "dag-processor"]
names = runpy.run_path("yishu/orchestration/preload/airflow_local_settings.py")
lines = [
    ["airflow", "scheduler"],
    ["/v/bin/airflow", "scheduler", "--skip-serve-logs"],
    ["-m", "scheduler"],
    ["airflow", "dag-processor"],
    ["pytest", "scheduler"],
    ["airflow"],
]
print(json.dumps([[names["is_scheduler"](line) for line in lines],
                  "great_expectations" in sys.modules]))
""")

    assert found == [[True, True, True, False, False, False], False]


def test_a_task_finds_all_stages_loaded_and_imports_none_again(
    in_airflow: Callable[[str], Any],
) -> None:
    missing = in_airflow("""
import json, runpy, sys
names = runpy.run_path("yishu/orchestration/preload/airflow_local_settings.py")
names["_load_task_modules"]()
loaded = set(sys.modules)
import yishu.pipeline
for stage in yishu.pipeline.__all__:
    getattr(yishu.pipeline, stage)
print(json.dumps(sorted(set(sys.modules) - loaded)))
""")

    assert missing == []
