"""Tasks as Airflow calls them, in a process of their own, on the example city."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from deltalake import CommitProperties, write_deltalake

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.library.read import read
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate

ROOT = Path(__file__).resolve().parents[3]
ORGANISATION = "civil_affairs.social_organisation"

CALL = """
import json, os
os.environ |= {environment}
from types import SimpleNamespace
from airflow.utils.types import DagRunType
from yishu.orchestration import tasks

def call(task, *args, **kwargs):
    try:
        return task(*args, **kwargs)
    except Exception as seen:
        return type(seen).__name__ + " " + str(seen)

def build(run_type):
    run = SimpleNamespace(run_type=run_type)
    return call(tasks.build_subject, "legal_entity", run_type.value, run, [], {{}})

print(json.dumps({expression}))
"""

Call = Callable[..., Any]


@pytest.fixture
def world(
    make_world: Callable[[], PipelineContext],
    fresh_database: str,
    tmp_path: Path,
) -> PipelineContext:
    """One published entry; a subject that waits for all its three sources is in the release."""
    catalog, _ = load_catalog(ROOT / "catalog")
    content = compile_release(catalog, date(2026, 11, 2))
    content["subjects"]["legal_entity"]["late_department"] = "wait_for_all"
    write_release(tmp_path / "releases", content)
    ctx = make_world()
    for stage in (run_pull, run_validate, run_publish):
        stage(ORGANISATION, "run-1", ctx)
    return ctx


@pytest.fixture
def call(
    in_airflow: Callable[[str], Any], world: PipelineContext, tmp_path: Path
) -> Callable[..., Any]:
    """Evaluate an expression where the world's tasks can be called."""

    def run(expression: str, **environment: str) -> Any:
        own = {
            "YISHU_VAR_DIR": str(tmp_path),
            "YISHU_DATABASE_URL": world.ledger_url,
            "AIRFLOW__SECRETS__BACKEND": "",
            **environment,
        }
        return in_airflow(CALL.format(environment=own, expression=expression))

    return run


def test_a_subject_that_waits_for_all_is_built_at_the_latest_by_time(call: Call) -> None:
    """A publication does not make it start before the others; the schedule does."""
    expression = "[build(DagRunType.ASSET_TRIGGERED), build(DagRunType.SCHEDULED)]"

    skipped, built = call(expression)

    assert skipped.startswith("AirflowSkipException [LIB_SUBJECT_NOT_READY]")
    assert built["rows"] > 0
    assert built["missing"] == ["market_regulation.enterprise_registration", "taxation.taxpayer"]


def test_a_pull_without_a_connection_fails_for_good_and_is_on_record(
    call: Call, world: PipelineContext
) -> None:
    """No connection, and one that lacks its path: the ledger has both runs."""
    runs = {"none": ORGANISATION, "bad": "taxation.taxpayer"}

    found = call(
        f"[call(tasks.pull, entry, run) for run, entry in {runs}.items()]",
        AIRFLOW_CONN_TAXATION_DROP="fs://",
    )

    assert all("AirflowFailException [RUN_CONNECTION_UNKNOWN]" in text for text in found)
    for run_id, entry_id in runs.items():
        run = world.ledger.run(run_id, entry_id)
        assert run is not None
        assert (run.state, run.error_code) == ("failed", "RUN_CONNECTION_UNKNOWN")


@pytest.mark.requirement("CAT-01")
def test_a_pull_outside_the_catalog_is_refused_and_on_record(
    call: Call, world: PipelineContext
) -> None:
    told = call("call(tasks.pull, 'civil_affairs.marriages', 'run-1')")

    assert told.startswith("AirflowFailException [CAT_NOT_CATALOGED]")
    refusals = world.ledger.refusals()
    assert ("run-1", "civil_affairs.marriages", "CAT_NOT_CATALOGED") in [
        (one.run_id, one.object_id, one.code) for one in refusals
    ]


def test_a_pull_with_a_connection_lands_its_rows(call: Call, city: Any) -> None:
    url = city.urls["civil_affairs_db"].removeprefix("sqlite:///")
    known = f'{{"conn_type": "sqlite", "host": "{url}"}}'

    receipt = call(f"call(tasks.pull, '{ORGANISATION}', 'r2')", AIRFLOW_CONN_CIVIL_AFFAIRS_DB=known)

    assert receipt["rows"] == city.manifest.entries[ORGANISATION].read


@pytest.mark.requirement("SHR-16")
def test_maintenance_reports_what_was_written_past_the_scheduler(
    call: Call, world: PipelineContext
) -> None:
    """A foreign commit in maintenance's name fails nothing; it is returned and on record."""
    root = world.settings.library_dir
    table = f"unified/{ORGANISATION}"
    write_deltalake(
        str(root / "unified" / "civil_affairs" / "social_organisation"),
        read(root, table).slice(0, 1),
        mode="append",
        commit_properties=CommitProperties(custom_metadata={"kind": "maintenance"}),
    )

    done = call("call(tasks.maintain)")

    assert done["side_channels"] == [{"table": table, "version": 1, "run_id": ""}]
    assert (table, "version 1", "LIB_SIDE_CHANNEL") in [
        (one.object_id, one.item, one.code) for one in world.ledger.refusals()
    ]
