"""The wait for a delivery: the trigger in an event loop of its own, and the task around it."""

import asyncio
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.orchestration import services
from yishu.orchestration.arrival import ArriveOperator, DeliveryTrigger
from yishu.pipeline.delivery import arrived_in
from yishu.pipeline.store import run_folder
from yishu.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
ENTRY = "taxation.taxpayer"
SOURCE = {
    "connection": "tax_drop",
    "kind": "csv",
    "path": "rows_*.csv",
    "arrival": "done_marker",
    "settle_seconds": 1,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drop folder that Airflow knows as ``tax_drop``."""
    drop = tmp_path / "drop"
    drop.mkdir()
    known = {"conn_type": "fs", "extra": {"path": str(drop)}}
    monkeypatch.setenv("AIRFLOW_CONN_TAX_DROP", json.dumps(known))
    return drop


def trigger(*, seconds: float = 30, taken: Any = None, **more: Any) -> DeliveryTrigger:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    made = DeliveryTrigger(ENTRY, SOURCE | more, taken, until.isoformat())
    path, arguments = made.serialize()
    # As the triggerer does it, with what can be written into a database.
    assert path == "yishu.orchestration.arrival.DeliveryTrigger"
    return DeliveryTrigger(**json.loads(json.dumps(arguments)))


def events(one: DeliveryTrigger, *acts: Callable[[], Any]) -> list[dict[str, Any]]:
    """What a trigger says, while acts are done one after the other, 0.5 s apart."""

    async def act() -> None:
        for do in acts:
            await asyncio.sleep(0.5)
            do()

    async def both() -> list[dict[str, Any]]:
        acting = asyncio.create_task(act())
        said = [event.payload async for event in one.run()]
        await acting
        return said

    return asyncio.run(both())


def test_the_trigger_fires_when_the_marker_follows_its_data(folder: Path) -> None:
    data = folder / "rows_1.csv"

    (said,) = events(
        trigger(),
        lambda: data.write_text("a\n1"),
        lambda: data.write_text("a\n1\n"),
        (folder / "rows_1.csv.done").touch,
    )

    assert (said["seen"]["name"], said["seen"]["size"]) == ("rows_1.csv", 4)


def test_the_trigger_waits_until_a_file_has_settled(folder: Path) -> None:
    data = folder / "rows_1.csv"
    began = datetime.now(UTC)

    (said,) = events(
        trigger(arrival="stable_size"),
        *(lambda n=n: data.write_text("a\n" + "1\n" * n) for n in range(4)),
    )

    assert said["seen"]["size"] == 8
    assert datetime.now(UTC) - began > timedelta(seconds=3)


def test_the_trigger_does_not_fire_for_what_was_taken(folder: Path) -> None:
    data = folder / "rows_1.csv"
    data.write_text("a\n1\n")
    (first,) = events(trigger(arrival="present"))

    (said,) = events(
        trigger(arrival="present", taken=first["seen"]), lambda: data.write_text("a\n22\n")
    )

    assert said["seen"]["size"] == 5


def test_an_overdue_delivery_ends_the_wait_with_what_to_do(folder: Path) -> None:
    (said,) = events(trigger(seconds=1))

    assert "no new delivery" in said["fault"]
    assert "Remedy: ask the department" in said["fault"]


def test_a_share_that_is_away_for_a_while_is_waited_for(folder: Path) -> None:
    folder.rmdir()

    def come_back() -> None:
        folder.mkdir()
        (folder / "rows_1.csv").write_text("a\n")

    (said,) = events(trigger(arrival="present"), come_back)

    assert said["seen"]["name"] == "rows_1.csv"


def test_waiting_ends_when_it_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"conn_type": "sftp", "host": "127.0.0.1", "login": "li", "password": "not-seen"}
    monkeypatch.setenv("AIRFLOW_CONN_TAX_DROP", json.dumps(known))

    (said,) = events(trigger())

    assert "SRC_MISDESCRIBED" in said["fault"]
    assert "not-seen" not in said["fault"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """An installation whose release lets one entry wait, or none."""

    def release(**source: Any) -> Settings:
        catalog, faults = load_catalog(ROOT / "catalog")
        assert not faults
        content = deepcopy(compile_release(catalog, date(2026, 3, 2)))
        content["entries"][ENTRY]["source"] |= source
        monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path / "var"))
        made = Settings()
        write_release(made.releases_dir, content)
        return made

    return release


def context(run_id: str) -> dict[str, Any]:
    return {"run_id": run_id}


def test_the_task_gives_its_worker_back_and_leaves_what_arrived_for_the_pull(
    settings: Callable[..., Settings],
) -> None:
    here = settings(arrival="stable_size", wait_hours=2)
    task = ArriveOperator(task_id="arrive", entry_id=ENTRY)
    earlier = run_folder(here.var_dir, ENTRY, "earlier")
    taken = {"name": "taxpayers_1.csv", "size": 1, "changed_ns": 2, "inode": 3}
    earlier.write_text("receipt.json", json.dumps({"delivery": taken}))

    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context("now"))

    waits = deferred.value.trigger
    assert deferred.value.method_name == "arrived"
    assert waits.taken == taken
    assert waits.source["arrival"] == "stable_size"
    left = datetime.fromisoformat(waits.until) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)

    new = taken | {"name": "taxpayers_2.csv"}
    task.arrived(context("now"), {"seen": new})
    seen = arrived_in(run_folder(here.var_dir, ENTRY, "now"))
    assert seen is not None
    assert seen.record() == new


def test_a_run_that_has_pulled_does_not_wait_again(settings: Callable[..., Settings]) -> None:
    here = settings(arrival="present")
    run_folder(here.var_dir, ENTRY, "now").write_text("receipt.json", "{}")

    waited = ArriveOperator(task_id="arrive", entry_id=ENTRY).execute(context("now"))

    assert waited is None, "it would have been deferred"


def test_a_fault_of_the_wait_fails_the_task_at_once(settings: Callable[..., Settings]) -> None:
    settings(arrival="present")
    task = ArriveOperator(task_id="arrive", entry_id=ENTRY)

    with pytest.raises(AirflowFailException, match="overdue"):
        task.arrived(context("now"), {"fault": "overdue"})


def test_the_triggerer_runs_only_for_a_release_in_which_an_entry_waits(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    always = {"scheduler", "dag-processor", "api-server"}

    assert set(services.components(settings())) == always
    assert set(services.components(settings(arrival="present"))) == always | {"triggerer"}
    nothing = Settings(var_dir=tmp_path / "nothing")
    assert set(services.components(nothing)) == always
