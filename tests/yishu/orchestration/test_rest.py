"""The client of Airflow's API reads what that API answers, page by page."""

from datetime import UTC, datetime
from typing import Any

import httpx

from yishu.orchestration.rest import AirflowApi

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def answering(answers: dict[str, Any], asked: list[httpx.Request] | None = None) -> AirflowApi:
    """A client whose server gives these answers by path."""

    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": "t"})
        if request.headers.get("Authorization") != "Bearer t" and "health" not in request.url.path:
            return httpx.Response(401)
        found = answers[request.url.path]
        return found(request) if callable(found) else httpx.Response(200, json=found)

    return AirflowApi("http://airflow", "yishu", "p", httpx.MockTransport(answer))


def health(scheduler: str | None, processor: str | None) -> dict[str, Any]:
    return {
        "/api/v2/monitor/health": {
            "scheduler": {"latest_scheduler_heartbeat": scheduler},
            "dag_processor": {"latest_dag_processor_heartbeat": processor},
        }
    }


def test_a_part_is_healthy_once_it_has_shown_a_sign_of_life_since_it_was_started() -> None:
    stale = health("2026-03-02T11:59:59+00:00", None)
    fresh = health("2026-03-02T12:00:01+00:00", "2026-03-02T12:00:02+00:00")

    assert answering(stale).not_healthy(NOON) == ["scheduler", "DAG processor"]
    assert answering(fresh).not_healthy(NOON) == []


def test_a_server_that_does_not_answer_is_not_healthy() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    api = AirflowApi("http://airflow", transport=httpx.MockTransport(refuse))

    assert api.not_healthy(NOON) == ["API server"]


def test_all_pages_are_read() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        first = int(request.url.params["offset"])
        names = [f"d{n}" for n in range(first, min(first + 100, 250))]
        dags = [{"dag_id": n, "is_paused": False, "next_dagrun_run_after": None} for n in names]
        return httpx.Response(200, json={"dags": dags, "total_entries": 250})

    assert len(answering({"/api/v2/dags": page}).dags()) == 250


def test_runs_of_an_earlier_time_do_not_count_unless_they_still_run() -> None:
    def run(run_id: str, state: str, queued: str) -> dict[str, Any]:
        return {
            "dag_id": "a.b",
            "dag_run_id": run_id,
            "state": state,
            "queued_at": queued,
            "start_date": None,
            "end_date": None,
        }

    runs = [
        run("early", "success", "2026-03-02T11:00:00+00:00"),
        run("early-active", "running", "2026-03-02T11:00:00+00:00"),
        run("late", "failed", "2026-03-02T12:30:00+00:00"),
    ]
    api = answering({"/api/v2/dags/~/dagRuns": {"dag_runs": runs, "total_entries": 3}})

    assert [found.run_id for found in api.runs_since(NOON)] == ["early-active", "late"]


def test_tasks_are_counted_by_the_server_and_not_fetched_to_be_counted() -> None:
    asked: list[httpx.Request] = []
    totals = {"running": 3, "queued": 1_000, "up_for_retry": 0}

    def page(request: httpx.Request) -> httpx.Response:
        total = totals[request.url.params["state"]]
        return httpx.Response(200, json={"task_instances": [{}][:total], "total_entries": total})

    api = answering({"/api/v2/dags/~/dagRuns/~/taskInstances": page}, asked)

    assert api.task_states(totals, NOON) == {"running": 3, "queued": 1_000}
    counted = [request for request in asked if request.url.path.endswith("taskInstances")]
    assert {request.url.params["limit"] for request in counted} == {"1"}


def test_triggering_the_same_run_twice_is_no_error() -> None:
    asked: list[httpx.Request] = []
    api = answering({"/api/v2/dags/a.b/dagRuns": lambda _: httpx.Response(409)}, asked)

    api.trigger("a.b", "demo__1")

    assert "/api/v2/dags/a.b/dagRuns" in {request.url.path for request in asked}


def test_signing_in_happens_once() -> None:
    asked: list[httpx.Request] = []
    api = answering({"/api/v2/dags": {"dags": [], "total_entries": 0}}, asked)

    api.dags()
    api.dags()

    assert [request.url.path for request in asked].count("/auth/token") == 1
