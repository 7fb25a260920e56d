"""The city through Airflow's real scheduler: nothing is called past it, nothing is left behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.orchestration import demo, services
from yishu.orchestration.environment import USER, password
from yishu.orchestration.errors import ComponentFailed
from yishu.orchestration.rest import AirflowApi
from yishu.secrets import read_connections
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
CHOSEN = "chosen p@ss"
"""The reading role's password, given from outside."""


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
    first = {run.dag_id: run.run_id for run in reversed(runs)}
    assert all(one.startswith(("scheduled__", "asset_triggered__")) for one in first.values())


def test_the_demo_ends_with_a_library_release_of_all_that_was_built(
    shown: dict[str, Any], manifest: dict[str, Any]
) -> None:
    built = {f"subject/{row['subject_id']}": row["version"] for row in shown["subjects"]}

    assert shown["library_release"]["versions"] == built
    assert len(built) == len(manifest["subjects"])


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


def test_the_portal_is_up_over_a_city_where_things_have_happened(shown: dict[str, Any]) -> None:
    portal = shown["portal"]

    assert httpx.get(f"{portal['url']}/sign-in", trust_env=False).is_success
    assert min(shown["story"].values()) > 0
    roles = [step["role"] for step in portal["tour"]]
    assert {roles.count(role) for role in roles} == {5}


def test_the_demo_again_changes_nothing_in_the_library(
    settings: Settings, shown: dict[str, Any]
) -> None:
    def versions(facts: dict[str, Any]) -> dict[str, Any]:
        return {row["subject_id"]: (row["version"], row["rows"]) for row in facts["subjects"]}

    again = run_demo(settings)

    assert versions(again) == versions(shown)
    assert again["library_release"] == shown["library_release"]
    assert max(again["story"].values()) == 0
    assert again["portal"] == shown["portal"]
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
