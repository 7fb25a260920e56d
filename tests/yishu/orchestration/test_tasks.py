"""Errors of the pipeline become Airflow's, connections of Airflow the pipeline's."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from catalog.load import load_catalog
from catalog.release import compile_release, write_release

CATALOG = Path(__file__).resolve().parents[3] / "catalog"

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


def test_a_task_finds_all_stages_and_sources_loaded_and_the_ledgers_tables_joined(
    in_airflow: Callable[[str], Any],
) -> None:
    missing, is_joined = in_airflow("""
import json, runpy, sys
from importlib import import_module
names = runpy.run_path("yishu/orchestration/preload/airflow_local_settings.py")
names["_load_task_modules"]()
loaded = set(sys.modules)
import yishu.embedded, yishu.pipeline
from yishu.ledger.models import Base
from yishu.orchestration import connections, factory, sharing
from yishu.sources import MODULES
for stage in yishu.pipeline.__all__:
    getattr(yishu.pipeline, stage)
for module, _ in MODULES.values():
    import_module(module)
print(json.dumps([sorted(set(sys.modules) - loaded),
                  all(mapper.configured for mapper in Base.registry.mappers)]))
""")

    assert missing == []
    assert is_joined


def test_a_task_takes_the_release_that_was_read_before_it_until_a_new_one_is_in_force(
    in_airflow: Callable[[str], Any], tmp_path: Path
) -> None:
    directory = tmp_path / "var" / "releases"
    catalog, _ = load_catalog(CATALOG)
    write_release(directory, compile_release(catalog, date(2026, 1, 1)))

    seen = in_airflow(f"""
import json
from datetime import date
from pathlib import Path
from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.orchestration import release
first = release.current()
again = release.current()
catalog, _ = load_catalog(Path({str(CATALOG)!r}))
write_release(Path({str(directory)!r}), compile_release(catalog, date(2026, 1, 2)))
print(json.dumps([again is first, release.current().released_on.isoformat()]))
""")

    assert seen == [True, "2026-01-02"]
