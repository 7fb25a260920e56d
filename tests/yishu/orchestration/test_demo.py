"""The city through Airflow's real scheduler: nothing is called past it, nothing is left behind."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.embedded import embedded_postgres, ledger_url
from yishu.ledger import Ledger
from yishu.library import commits, unified_table
from yishu.orchestration import demo, services
from yishu.orchestration.environment import USER, password
from yishu.orchestration.errors import BackfillRefused, ComponentFailed
from yishu.orchestration.rest import AirflowApi
from yishu.secrets import read_connections, write_connections
from yishu.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

YISHU = Path(sys.executable).parent / "yishu"
SMALLEST = "1000"

SECRETS = (
    "airflow_fernet_key",
    "airflow_jwt_secret",
    "airflow_api_secret",
    "postgres_password",
)
EVER = datetime(2000, 1, 1, tzinfo=UTC)
CHOSEN = "chosen p@ss"
"""The reading role's password, given from outside."""


class Monitoring:
    """A receiver of OpenTelemetry's metrics, over HTTP, as a bureau runs one."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_packed = self.headers.get("Content-Encoding") == "gzip"
                received.append(gzip.decompress(body) if is_packed else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """What Airflow's configuration says to send its metrics here."""
        return {
            "OTEL_ON": "True",
            "OTEL_HOST": "127.0.0.1",
            "OTEL_PORT": str(self._server.server_port),
            "OTEL_SSL_ACTIVE": "False",
            "OTEL_INTERVAL_MILLISECONDS": "1000",
        }

    def names(self) -> set[str]:
        """The metrics that were sent so far."""
        requests = [ExportMetricsServiceRequest.FromString(body) for body in list(self.received)]
        return {
            metric.name
            for request in requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def settings(server_folder: Path) -> Iterator[Settings]:
    """An installation whose demo is running."""
    settings = Settings(var_dir=server_folder / "demo")
    yield settings
    demo.clean(settings)
    assert processes_of(settings) == []


@pytest.fixture(scope="module")
def shown(settings: Settings) -> dict[str, Any]:
    """What the first demo showed."""
    return run_demo(settings)


@pytest.fixture(scope="module")
def manifest(settings: Settings, shown: dict[str, Any]) -> dict[str, Any]:
    """What the city's generator knows of its own data and faults."""
    text = (settings.var_dir / "city" / "manifest.json").read_text("utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


@pytest.fixture(scope="module")
def api(settings: Settings, shown: dict[str, Any]) -> AirflowApi:
    return AirflowApi(services.ui_url(settings), USER, password(settings))


def run_demo(settings: Settings) -> dict[str, Any]:
    given = {"YISHU_READER_PASSWORD": CHOSEN}
    done = subprocess.run(
        [str(YISHU), "demo", "--size", SMALLEST, "--json"],
        env={**os.environ, **given, "YISHU_VAR_DIR": str(settings.var_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert "Starting Airflow" in done.stderr or "Running" in done.stderr
    return found


def processes_of(settings: Settings) -> list[str]:
    """Command lines of all processes that belong to an installation."""
    found = []
    for process in psutil.process_iter():
        try:
            belongs = process.environ().get("YISHU_VAR_DIR") == str(settings.var_dir)
            named = any(str(settings.var_dir) in word for word in process.cmdline())
        except psutil.Error:
            continue
        if (belongs or named) and process.pid != os.getpid():
            found.append(" ".join(process.cmdline()))
    return found


@pytest.mark.requirement("SHR-16")
def test_every_entry_and_subject_is_published_by_a_run_that_the_scheduler_shows(
    shown: dict[str, Any], manifest: dict[str, Any], api: AirflowApi
) -> None:
    published = {row["entry_id"]: row for row in shown["entries"]}
    counts = {
        name: (row["read"], row["quarantined"], row["published"]) for name, row in published.items()
    }
    expected = {
        name: (truth["read"], truth["quarantined"], truth["published"])
        for name, truth in manifest["entries"].items()
    }
    runs = api.runs_since(datetime(2000, 1, 1, tzinfo=UTC))

    assert counts == expected
    assert {run.dag_id for run in runs if run.state == "success"} >= {
        *manifest["entries"],
        *(f"subject-{name}" for name in manifest["subjects"]),
    }
    # The first run of each is the scheduler's own: nobody triggered it.
    assert all(run.run_id.startswith(("scheduled__", "asset_triggered__")) for run in runs)


def test_the_departments_are_read_with_the_password_that_was_chosen(
    settings: Settings, shown: dict[str, Any]
) -> None:
    known = read_connections(settings.connections_path)

    assert make_url(known["market_regulation_db"]).password == CHOSEN
    assert not (settings.secrets_dir / "reader_password").exists()


def test_every_subject_has_the_rows_that_the_city_holds(
    shown: dict[str, Any], manifest: dict[str, Any]
) -> None:
    rows = {row["subject_id"]: row["rows"] for row in shown["subjects"]}

    assert rows == {name: truth["rows"] for name, truth in manifest["subjects"].items()}


def test_tasks_find_the_heavy_libraries_loaded_by_the_scheduler(
    settings: Settings, shown: dict[str, Any]
) -> None:
    scheduler = services.processes(settings).find("scheduler")
    assert scheduler is not None
    workers = scheduler.children()

    assert workers
    for process in (scheduler, *workers):
        mapped = " ".join(part.path for part in process.memory_maps())
        assert "libarrow" in mapped


def test_no_secret_is_in_any_log_or_lineage_event(
    settings: Settings, shown: dict[str, Any]
) -> None:
    secrets = [(settings.secrets_dir / name).read_text().strip() for name in SECRETS]
    secrets += [password(settings), CHOSEN]
    told = [
        path
        for folder in ("logs", "lineage", "run")
        for path in (settings.var_dir / folder).rglob("*")
        if path.is_file()
        and any(secret in path.read_text("utf-8", errors="replace") for secret in secrets)
    ]

    assert len(secrets) == len(SECRETS) + 2
    assert told == []


def test_the_demo_again_changes_nothing_in_the_library(
    settings: Settings, shown: dict[str, Any]
) -> None:
    def versions(facts: dict[str, Any]) -> dict[str, Any]:
        return {row["subject_id"]: (row["version"], row["rows"]) for row in facts["subjects"]}

    again = run_demo(settings)

    assert versions(again) == versions(shown)
    assert again["failed"] == []


@pytest.mark.requirement("COL-04")
def test_a_newly_published_entry_has_its_dag_and_its_pool_within_seconds(
    settings: Settings, api: AirflowApi
) -> None:
    catalog, _ = load_catalog(settings.catalog_dir)
    content = compile_release(catalog, date(2026, 3, 2))
    entry = deepcopy(content["entries"]["taxation.taxpayer"])
    entry |= {"id": "taxation.arrears", "update_cycle": "on_demand"}
    entry["source"]["connection"] = "taxation_ledger"
    content["entries"]["taxation.arrears"] = entry
    write_release(settings.releases_dir, content)

    assert services.announce_release(settings)

    deadline = time.monotonic() + 60
    while "taxation.arrears" not in api.dags() and time.monotonic() < deadline:
        time.sleep(1)
    assert api.dags()["taxation.arrears"].next_run is None
    assert api.pools()["taxation_ledger"] == 2


WAITING, FOLLOWED = "taxation.arrears", "civil_affairs.followed"


@pytest.fixture(scope="module")
def monitoring() -> Iterator[Monitoring]:
    """What a bureau's monitoring is sent."""
    running = Monitoring()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def docked(
    settings: Settings, shown: dict[str, Any], server_folder: Path, monitoring: Monitoring
) -> Path:
    """Two more entries: one waits for its deliveries, one is pulled by changes; their folder."""
    folder = server_folder / "docked"
    (folder / "drop").mkdir(parents=True)
    known = read_connections(settings.connections_path)
    with (
        sqlite3.connect(make_url(known["civil_affairs_db"]).database or "") as whole,
        sqlite3.connect(folder / "followed.db") as followed,
    ):
        whole.backup(followed)
        followed.execute("alter table shzz_djxx add column updated_at text")
        followed.execute("update shzz_djxx set updated_at = '2025-06-01 08:00:00'")
    more = {"arrears_drop": str(folder / "drop"), "followed_db": f"sqlite:///{folder}/followed.db"}
    write_connections(settings.connections_path, {**known, **more})
    write_release(settings.releases_dir, two_more_entries(settings))
    with pytest.MonkeyPatch.context() as environment:
        for name, value in monitoring.settings.items():
            environment.setenv(f"AIRFLOW__METRICS__{name}", value)
        # Airflow is started anew: it had no triggerer, since no entry waited.
        services.start(settings, services.airflow_url(embedded_postgres(settings)))
    return folder


def two_more_entries(settings: Settings) -> dict[str, Any]:
    catalog, _ = load_catalog(settings.catalog_dir)
    content = compile_release(catalog, date(2026, 3, 3))
    waiting = deepcopy(content["entries"]["taxation.taxpayer"])
    waiting |= {"id": WAITING, "update_cycle": "on_demand"}
    waiting["source"] |= {"connection": "arrears_drop", "arrival": "done_marker"}
    followed = deepcopy(content["entries"]["civil_affairs.social_organisation"])
    followed |= {"id": FOLLOWED, "update_cycle": "yearly"}
    followed["source"] |= {
        "connection": "followed_db",
        "mode": "incremental",
        "watermark": {"column": "updated_at", "overlap": 60},
    }
    content["entries"] |= {WAITING: waiting, FOLLOWED: followed}
    content["systems"]["followed_db"] = {
        "id": "followed_db",
        "name": "社会组织登记系统副本",
        "department": "civil_affairs",
        "slots": 1,
    }
    return content


def until(what: Callable[[], Any], seconds: float = 180) -> Any:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.5)
    return found


def ended(api: AirflowApi, dag_id: str, run_id: str = "") -> str | None:
    """How the named run, or the latest, ended; None while it has not."""
    runs = [one for one in api.runs_since(EVER) if one.dag_id == dag_id and run_id in one.run_id]
    return None if not runs or any(run.is_active for run in runs) else runs[-1].state


@pytest.mark.requirement("COL-04")
def test_a_wait_holds_no_worker_and_ends_when_the_delivery_is_there(
    settings: Settings, docked: Path, api: AirflowApi
) -> None:
    until(lambda: WAITING in api.dags())
    api.trigger(WAITING, "delivery-1")
    until(lambda: api.task_states(EVER).get("deferred"))
    # It waits, and holds neither worker nor slot: others run meanwhile.
    api.trigger("civil_affairs.social_organisation", "meanwhile")
    assert until(lambda: ended(api, "civil_affairs.social_organisation", "meanwhile")) == "success"
    assert api.task_states(EVER).get("deferred") == 1
    (delivery,) = (settings.var_dir / "city").rglob("nsrxx_*.csv")

    shutil.copy(delivery, docked / "drop" / delivery.name)
    (docked / "drop" / f"{delivery.name}.done").touch()

    assert until(lambda: ended(api, WAITING)) == "success"
    published = commits(settings.library_dir, unified_table(WAITING))
    assert [commit.run_id for commit in published] == ["delivery-1"]


@pytest.mark.requirement("COL-09")
def test_changes_follow_each_other_and_airflow_fills_in_the_past(
    settings: Settings, docked: Path, api: AirflowApi
) -> None:
    """The first run is the scheduler's own; then a change; then two dates of the past."""
    assert until(lambda: ended(api, FOLLOWED)) == "success"
    assert api.pools()["followed_db"] == 1
    with sqlite3.connect(docked / "followed.db") as followed:
        change = "update shzz_djxx set updated_at = ? where rowid = ?"
        followed.executemany(change, [("2026-02-03 09:00:00", 1), ("2026-02-03 10:00:00", 2)])

    api.trigger(FOLLOWED, "changes-1")
    assert until(lambda: ended(api, FOLLOWED, "changes-1")) == "success"
    api.backfill(FOLLOWED, datetime(2024, 12, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert until(lambda: ended(api, FOLLOWED, "backfill")) == "success"

    table = unified_table(FOLLOWED)
    newest, *_, first = commits(settings.library_dir, table)
    assert first.run_id.startswith("scheduled__")
    assert newest.rows == first.rows, "nothing lost, nothing doubled"
    url = make_url(ledger_url(settings)).set(drivername="postgresql+psycopg")
    ledger = Ledger(create_engine(url))
    receipts = {
        run.run_id: ledger.receipt(run.run_id, FOLLOWED) for run in ledger.last_runs(10, FOLLOWED)
    }
    assert receipts["changes-1"].rows == 2
    past = {name: one.rows for name, one in receipts.items() if "__backfill_" in name}
    assert sorted(past.values()) == [0, first.read - 2], "none in 2024, all unchanged of 2025"


def test_a_full_pull_is_not_filled_in_by_dates(docked: Path, api: AirflowApi) -> None:
    with pytest.raises(BackfillRefused, match="does not allow backfill"):
        api.backfill("taxation.taxpayer", EVER, datetime(2026, 2, 1, tzinfo=UTC))


def test_monitoring_is_sent_rows_and_ages(
    docked: Path, api: AirflowApi, monitoring: Monitoring
) -> None:
    api.unpause("alarms")
    api.trigger("alarms", "look")

    assert until(lambda: ended(api, "alarms", "look")) == "success"

    told = until(lambda: {"airflow.yishu.entries.overdue"} <= monitoring.names() and monitoring)
    assert {
        "airflow.yishu.pull.rows",
        "airflow.yishu.validate.quarantined",
        "airflow.yishu.publish.rows",
        "airflow.yishu.entry.lag_seconds",
    } <= told.names()


def test_a_scheduler_that_died_is_named_with_the_end_of_its_log(
    settings: Settings, shown: dict[str, Any]
) -> None:
    scheduler = services.processes(settings).find("scheduler")
    assert scheduler is not None
    family = [scheduler, *scheduler.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)

    with pytest.raises(ComponentFailed, match="airflow scheduler") as error:
        services.require_alive(settings)

    assert "scheduler.log" in error.value.remedy
    assert error.value.found.count("\n") > 3


def test_stopping_leaves_nothing_running(settings: Settings, shown: dict[str, Any]) -> None:
    demo.stop(settings)

    assert processes_of(settings) == []
