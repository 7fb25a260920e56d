"""Waits, changes and back-fill by Airflow's real scheduler, triggerer and workers."""

import contextlib
import gzip
import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from yishu.embedded import embedded_postgres, ledger_url
from yishu.governance.notices import inbox
from yishu.ledger import Ledger, migrate
from yishu.ledger.journal import Actor
from yishu.ledger.seal import signing_key
from yishu.library import commits, unified_table
from yishu.orchestration import services
from yishu.orchestration.environment import USER, password
from yishu.orchestration.errors import BackfillRefused
from yishu.orchestration.rest import AirflowApi
from yishu.secrets import write_connections
from yishu.settings import Settings
from yishu.sharing import deciding, filing, opening, usecheck
from yishu.sharing.form import RequestForm
from yishu.sharing.house import House, find
from yishu.sharing.installed import house_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[3]
EVER = datetime(2000, 1, 1, tzinfo=UTC)
WAITING, FOLLOWED, WHOLE = (
    "taxation.taxpayer",
    "civil_affairs.social_organisation",
    "transport.road_transport_licence",
)
"""One waits for its deliveries, one is pulled by changes, one as a whole and by hand alone."""
FIRST_ROW = "rowid = (select min(rowid) from shzz_djxx)"


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
def monitoring() -> Iterator[Monitoring]:
    """What a bureau's monitoring is sent."""
    running = Monitoring()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def settings(server_folder: Path) -> Iterator[Settings]:
    """An installation of its own."""
    settings = Settings(var_dir=server_folder / "scheduled", catalog_dir=ROOT / "catalog")
    yield settings
    services.stop(settings)
    embedded_postgres(settings).stop()


@pytest.fixture(scope="module")
def folder(server_folder: Path, city: Any) -> Path:
    """Where the departments keep their data: a drop folder and a database that changes."""
    folder = server_folder / "docked"
    (folder / "drop").mkdir(parents=True)
    (folder / "handed").mkdir()
    whole = make_url(city.urls["civil_affairs_db"]).database or ""
    with sqlite3.connect(whole) as before, sqlite3.connect(folder / "followed.db") as followed:
        before.backup(followed)
        followed.execute("alter table shzz_djxx add column updated_at text")
        followed.execute("update shzz_djxx set updated_at = '2025-06-01 08:00:00'")
        followed.execute(
            f"update shzz_djxx set updated_at = '2025-07-01 08:00:00' where {FIRST_ROW}"
        )
    return folder


@pytest.fixture(scope="module")
def api(settings: Settings, folder: Path, city: Any, monitoring: Monitoring) -> AirflowApi:
    """A running Airflow that tells the monitoring its numbers."""
    urls = dict(city.urls) | {
        "taxation_drop": str(folder / "drop"),
        "hr_drop": str(folder / "handed"),
        "civil_affairs_db": f"sqlite:///{folder}/followed.db",
    }
    write_connections(settings.connections_path, urls)
    write_release(settings.releases_dir, three_entries())
    migrate.upgrade(ledger_url(settings))
    with pytest.MonkeyPatch.context() as environment:
        for name, value in monitoring.settings.items():
            environment.setenv(f"AIRFLOW__METRICS__{name}", value)
        url = services.start(settings, services.airflow_url(settings))
    return AirflowApi(url, USER, password(settings))


def three_entries() -> dict[str, Any]:
    """The content of a release."""
    catalog, _ = load_catalog(ROOT / "catalog")
    content = compile_release(catalog, date(2026, 3, 3))
    content["subjects"] = {}
    content["entries"] = {
        name: deepcopy(content["entries"][name]) for name in (WAITING, FOLLOWED, WHOLE)
    }
    for name in (WAITING, WHOLE):
        content["entries"][name]["update_cycle"] = "on_demand"
    content["entries"][WAITING]["source"]["arrival"] = "done_marker"
    content["entries"][FOLLOWED]["update_cycle"] = "yearly"
    content["entries"][FOLLOWED]["source"] |= {
        "mode": "incremental",
        "watermark": {"column": "updated_at", "overlap": 60},
    }
    content["systems"]["civil_affairs_db"]["slots"] = 1
    return content


def until(what: Callable[[], Any], seconds: float = 300) -> Any:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # A busy server may answer late; it is asked again.
        with contextlib.suppress(httpx.TransportError):
            if found := what():
                return found
        time.sleep(0.5)
    raise AssertionError("it did not come about")


def trigger(api: AirflowApi, dag_id: str, run_id: str) -> None:
    """Start a run by hand; asking twice starts one."""
    until(lambda: api.trigger(dag_id, run_id) is None)


def ended(api: AirflowApi, dag_id: str, run_id: str = "") -> str | None:
    """How the named run, or the latest, ended; None while it has not."""
    runs = [one for one in api.runs_since(EVER) if one.dag_id == dag_id and run_id in one.run_id]
    return None if not runs or any(run.is_active for run in runs) else runs[-1].state


@pytest.mark.requirement("COL-04")
def test_a_wait_holds_no_worker_and_ends_when_the_delivery_is_there(
    settings: Settings, folder: Path, city: Any, api: AirflowApi
) -> None:
    until(lambda: WAITING in api.dags())
    trigger(api, WAITING, "delivery-1")
    until(lambda: api.task_states(["deferred"], EVER))
    # It waits, and holds neither worker nor slot: others run meanwhile.
    trigger(api, WHOLE, "meanwhile")
    assert until(lambda: ended(api, WHOLE, "meanwhile")) == "success"
    assert api.task_states(["deferred"], EVER) == {"deferred": 1}
    (delivery,) = city.folder.rglob("nsrxx_*.csv")

    shutil.copy(delivery, folder / "drop" / delivery.name)
    (folder / "drop" / f"{delivery.name}.done").touch()

    assert until(lambda: ended(api, WAITING)) == "success"
    published = commits(settings.library_dir, unified_table(WAITING))
    assert [commit.run_id for commit in published] == ["delivery-1"]


@pytest.mark.requirement("COL-09")
def test_changes_follow_each_other_and_airflow_fills_in_the_past(
    settings: Settings, folder: Path, city: Any, api: AirflowApi
) -> None:
    """The first run is the scheduler's own; then a change; then two dates of the past."""
    assert until(lambda: ended(api, FOLLOWED)) == "success"
    assert api.pools()["civil_affairs_db"] == 1
    with sqlite3.connect(folder / "followed.db") as followed:
        last = "where rowid = (select max(rowid) from shzz_djxx)"
        followed.execute(f"update shzz_djxx set updated_at = '2026-02-03 09:00:00' {last}")

    trigger(api, FOLLOWED, "changes-1")
    assert until(lambda: ended(api, FOLLOWED, "changes-1")) == "success"
    api.backfill(FOLLOWED, datetime(2024, 12, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    url = make_url(ledger_url(settings)).set(drivername="postgresql+psycopg")
    ledger = Ledger(create_engine(url))
    # A date that the scheduler has run is run again under the name that Airflow gave it then.
    assert until(lambda: len(_past(ledger)) == 2 and ended(api, FOLLOWED)) == "success"

    table = unified_table(FOLLOWED)
    newest, *_, first = commits(settings.library_dir, table)
    assert first.run_id.startswith("scheduled__")
    assert newest.rows == first.rows, "nothing lost, nothing doubled"
    receipt = ledger.receipt("changes-1", FOLLOWED)
    assert receipt.rows == 2, "the change, and the row of the last stamp"
    assert sorted(_past(ledger)) == [0, first.read - 1], "none in 2024, all unchanged of 2025"


def _past(ledger: Ledger) -> list[int]:
    """Rows of each date that a back-fill has brought so far."""
    names = [run.run_id for run in ledger.last_runs(10, FOLLOWED) if "__backfill_" in run.run_id]
    receipts = [ledger.receipt(name, FOLLOWED) for name in names]
    return [one.rows for one in receipts if one is not None]


@pytest.mark.requirement("SHR-13", "SHR-14")
def test_publication_delivers_what_is_granted_and_the_night_ends_what_is_over(
    settings: Settings, folder: Path, api: AirflowApi
) -> None:
    url = make_url(ledger_url(settings)).set(drivername="postgresql+psycopg")
    house = house_of(settings, create_engine(url), lambda: datetime.now(UTC))
    living = opened(house, days=30)
    last_week = replace(house, clock=lambda: datetime.now(UTC) - timedelta(days=7))
    over = opened(last_week, days=5)

    until(lambda: {"deliver_shares", "expire_grants"} <= set(api.dags()))
    trigger(api, WHOLE, "shared")
    # Nobody starts the delivery: the publication does.
    (told,) = until(lambda: list((folder / "handed").glob(f"{living}*.json")))

    rows = json.loads(told.read_text("utf-8"))["rows"]
    assert rows == commits(settings.library_dir, unified_table(WHOLE))[0].rows > 0
    trigger(api, "expire_grants", "night")
    assert until(lambda: ended(api, "expire_grants", "night")) == "success"
    with house.engine.connect() as connection:
        states = {one: find(connection, one).state for one in (living, over)}
        records, seals = list(usecheck.records(connection)), usecheck.seals(connection)
    assert states == {living: "open", over: "expired"}
    checked = usecheck.check(records, seals, signing_key(settings.secrets_dir).public_key())
    assert checked.sealed_to >= 1
    assert {(row["grant_id"], row["rows"]) for row in records} == {(living, rows)}


def opened(house: House, days: int) -> str:
    """A grant of licences to the drop folder of another department, for so many days."""
    today = house.clock().date()
    form = {
        "object_id": WHOLE,
        "scenario": "参保登记",
        "service_items": ["320106001000"],
        "purpose_code": "statistics",
        "purpose": "核对",
        "legal_basis": "《社会保险法》",
        "elements": [{"field": "licence_no", "use": "参保登记时核对许可证编号"}],
        "mode": "file_download",
        "format": "csv_utf8",
        "destination": "hr_drop",
        "cycle": "daily",
        "contact": "信息中心",
        "valid_from": today.isoformat(),
        "valid_until": (today + timedelta(days=days)).isoformat(),
    }
    officer = Actor("zhao", "zhao@hr", Role.DEPARTMENT_OFFICER, "human_resources")
    head = Actor("qian", "qian@hr", Role.DEPARTMENT_HEAD, "human_resources")
    authority = Actor("li", "li@bd", Role.AUTHORITY_REVIEWER, house.authority)
    operator = Actor("zhou", "zhou@cc", Role.CENTRE_OPERATOR, house.operator)
    with house.engine.begin() as connection:
        desk = house.desk(connection)
        request_id = filing.draft(desk, RequestForm.model_validate(form), officer)
        filing.consent(desk, request_id, head)
        filing.submit(desk, request_id, officer)
        grant_id = deciding.grant(desk, request_id, authority) or ""
        opening.open_channel(desk, grant_id, operator)
    return grant_id


@pytest.mark.requirement("SUP-02")
def test_a_sweep_that_missed_its_time_is_told_to_the_administrator(
    settings: Settings, api: AirflowApi
) -> None:
    """A sweep of two days ago that runs only now: Airflow itself sees that its time is over."""
    dag_id, late = "supervision-daily", datetime.now(UTC) - timedelta(days=2)
    url = make_url(ledger_url(settings)).set(drivername="postgresql+psycopg")
    engine = create_engine(url)

    def told() -> list[str]:
        with engine.connect() as connection:
            found = inbox(connection, role=Role.ADMINISTRATOR)
        return [one.text for one in found if one.key.startswith(f"late_sweep:{dag_id}")]

    until(lambda: dag_id in api.dags())
    assert told() == []
    until(lambda: api.trigger(dag_id, "after-downtime", late) is None)

    (text,) = until(told)

    assert "supervision-daily" in text
    assert until(lambda: ended(api, dag_id, "after-downtime")) == "success"


def test_a_full_pull_is_not_filled_in_by_dates(api: AirflowApi) -> None:
    with pytest.raises(BackfillRefused, match="does not allow backfill"):
        api.backfill(WHOLE, EVER, datetime(2026, 2, 1, tzinfo=UTC))


def test_monitoring_is_sent_rows_and_ages(api: AirflowApi, monitoring: Monitoring) -> None:
    trigger(api, "alarms", "look")

    assert until(lambda: ended(api, "alarms", "look")) == "success"

    told = until(lambda: {"airflow.yishu.entries.overdue"} <= monitoring.names() and monitoring)
    assert {
        "airflow.yishu.pull.rows",
        "airflow.yishu.validate.quarantined",
        "airflow.yishu.publish.rows",
        "airflow.yishu.entry.lag_seconds",
    } <= told.names()
