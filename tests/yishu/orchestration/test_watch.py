"""A release counts as published when entries have run, subjects were built, and all is released."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from catalog.load import load_catalog
from catalog.model import Catalog
from catalog.vocabulary import LateDepartment
from yishu.orchestration.errors import ComponentFailed
from yishu.orchestration.rest import AirflowApi
from yishu.orchestration.watch import Progress, until_published

ROOT = Path(__file__).resolve().parents[3]
BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)
RELEASE = "library-release"
LICENCES = ("health.medical_licence", "transport.road_transport_licence")


def at(seconds: int) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat()


def dag(name: str, next_run: str | None = at(0)) -> dict[str, Any]:
    return {"dag_id": name, "is_paused": False, "next_dagrun_run_after": next_run}


def run(name: str, began: int, ended: int | None, state: str = "success") -> dict[str, Any]:
    return {
        "dag_id": name,
        "dag_run_id": f"r{began}",
        "state": state,
        "queued_at": at(began),
        "start_date": at(began),
        "end_date": None if ended is None else at(ended),
    }


def publication(name: str, began: int, moment: int) -> dict[str, Any]:
    return {"source_dag_id": name, "source_run_id": f"r{began}", "timestamp": at(moment)}


@pytest.fixture(scope="module")
def two_licences() -> Catalog:
    """A catalog of two entries that are both sources of the subject ``e_licence``."""
    catalog, _ = load_catalog(ROOT / "catalog")
    return catalog.model_copy(
        update={
            "entries": {name: catalog.entries[name] for name in LICENCES},
            "subjects": {"e_licence": catalog.subjects["e_licence"]},
        }
    )


class Airflow:
    """Answers as Airflow's API does, one state after the other as it is asked for runs."""

    def __init__(self, *states: list[dict[str, Any]]) -> None:
        self.states = list(states)
        self.dags = [dag(name) for name in (*LICENCES, "subject-e_licence", RELEASE)]
        self.faults: list[dict[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.triggered: list[str] = []
        self.refusals: list[int] = []

    def api(self) -> AirflowApi:
        return AirflowApi("http://airflow", transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/auth/token":
            return httpx.Response(201, json={"access_token": "t"})
        if request.method == "POST":
            self.triggered.append(path.split("/")[4])
            if self.triggered[-1] == RELEASE:
                self.states = [[*self.states[0], run(RELEASE, 50, 52)]]
            return httpx.Response(200)
        if path.endswith("/events") and self.refusals:
            return httpx.Response(self.refusals.pop())
        return httpx.Response(200, json=self.page(path.rpartition("/")[2]))

    def page(self, kind: str) -> Mapping[str, Any]:
        if kind == "dagRuns":
            found = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return {"dag_runs": found, "total_entries": len(found)}
        names = {
            "dags": ("dags", self.dags),
            "importErrors": ("import_errors", self.faults),
            "events": ("asset_events", self.events),
            "taskInstances": ("task_instances", []),
        }
        name, rows = names[kind]
        return {name: rows, "total_entries": len(rows)}


def watch(airflow: Airflow, catalog: Catalog, shown: list[Progress] | None = None) -> Any:
    return until_published(
        airflow.api(),
        catalog,
        since=BEGAN,
        alive=lambda: None,
        show=(shown if shown is not None else []).append,
    )


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yishu.orchestration.watch._POLL_SECONDS", 0.0)


def test_a_subject_built_before_the_last_publication_is_waited_for(two_licences: Catalog) -> None:
    first, second = LICENCES
    entries = [run(first, 1, 5), run(second, 1, 9)]
    too_early = [*entries, run("subject-e_licence", 6, 8)]
    caught_up = [*too_early, run("subject-e_licence", 10, 12)]
    airflow = Airflow(entries, *[too_early] * 9, caught_up)
    airflow.events = [publication(first, 1, 5), publication(second, 1, 9)]

    outcome = watch(airflow, two_licences)

    assert outcome.subjects["e_licence"].started == BEGAN + timedelta(seconds=10)
    assert set(outcome.entries) == set(LICENCES)


def test_events_that_cannot_be_told_yet_are_asked_for_again(two_licences: Catalog) -> None:
    """Airflow answers 500 while a run that an event made waits to be started."""
    first, second = LICENCES
    done = [run(first, 1, 5), run(second, 1, 9), run("subject-e_licence", 10, 12)]
    airflow = Airflow(done)
    airflow.events = [publication(first, 1, 5), publication(second, 1, 9)]
    airflow.refusals = [500, 500]
    assert set(watch(airflow, two_licences).entries) == set(LICENCES)

    airflow.refusals = [403]
    with pytest.raises(httpx.HTTPStatusError):
        watch(airflow, two_licences)


@pytest.mark.parametrize(("look", "pause"), [(1, 9), (60, 10)])
def test_a_look_that_takes_long_is_followed_by_a_long_pause(
    two_licences: Catalog, monkeypatch: pytest.MonkeyPatch, look: int, pause: float
) -> None:
    """Tasks wait for the same API server, and people for news."""
    first, second = LICENCES
    done = [run(first, 1, 5), run(second, 1, 9), run("subject-e_licence", 10, 12)]
    clock, pauses = itertools.count(step=look), []
    time = SimpleNamespace(monotonic=lambda: float(next(clock)), sleep=pauses.append)
    monkeypatch.setattr("yishu.orchestration.watch.time", time)

    watch(Airflow([], done), two_licences)

    assert pauses
    assert set(pauses) == {pause}


def test_entries_that_the_scheduler_will_not_start_now_are_triggered(two_licences: Catalog) -> None:
    first, second = LICENCES
    done = [run(first, 1, 5), run(second, 1, 9), run("subject-e_licence", 10, 12)]
    airflow = Airflow([], done)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    airflow.dags = [dag(first, tomorrow), dag(second), dag("subject-e_licence", None), dag(RELEASE)]

    watch(airflow, two_licences)

    assert airflow.triggered == [first, RELEASE]


@pytest.mark.parametrize(("began", "asked"), [(11, [RELEASE]), (13, [])])
def test_it_ends_with_a_release_of_the_last_build_asked_for_unless_there_is_one(
    two_licences: Catalog, began: int, asked: list[str]
) -> None:
    first, second = LICENCES
    runs = [run(first, 1, 5), run(second, 1, 9), run("subject-e_licence", 10, 12)]
    airflow = Airflow([*runs, run(RELEASE, began, began + 1)])
    airflow.events = [publication(first, 1, 5), publication(second, 1, 9)]

    released = watch(airflow, two_licences).released

    assert airflow.triggered == asked
    assert released.started >= BEGAN + timedelta(seconds=12)


def test_an_entry_that_failed_ends_the_wait_and_is_named(two_licences: Catalog) -> None:
    first, second = LICENCES
    runs = [run(first, 1, 5, "failed"), run(second, 1, 9), run("subject-e_licence", 10, 12)]
    airflow = Airflow(runs)
    airflow.events = [publication(second, 1, 9)]
    shown: list[Progress] = []

    outcome = watch(airflow, two_licences, shown)

    assert outcome.entries[first].state == "failed"
    assert (shown[-1].entries_done, shown[-1].subjects_done, shown[-1].failed) == (2, 1, 1)


def test_a_subject_that_waits_for_all_is_not_waited_for_when_a_source_failed(
    two_licences: Catalog,
) -> None:
    first, second = LICENCES
    subject = two_licences.subjects["e_licence"]
    waiting = two_licences.model_copy(
        update={
            "subjects": {
                "e_licence": subject.model_copy(
                    update={"late_department": LateDepartment.WAIT_FOR_ALL}
                )
            }
        }
    )
    airflow = Airflow([run(first, 1, 5, "failed"), run(second, 1, 9)])
    airflow.events = [publication(second, 1, 9)]

    assert watch(airflow, waiting).subjects == {}


def test_a_dag_file_that_cannot_be_read_is_an_error_at_once(two_licences: Catalog) -> None:
    airflow = Airflow([])
    airflow.dags = []
    airflow.faults = [{"filename": "entries.py", "stack_trace": "CAT_NO_RELEASE"}]

    with pytest.raises(ComponentFailed, match="CAT_NO_RELEASE"):
        watch(airflow, two_licences)
