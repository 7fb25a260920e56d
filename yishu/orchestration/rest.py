"""The few calls of Airflow's public REST API (``/api/v2``) that watching a run needs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from yishu.orchestration.errors import BackfillRefused

_PAGE = 100
"""Airflow's greatest page (``[api] maximum_page_limit``)."""

ACTIVE_STATES = frozenset({"queued", "running"})


@dataclass(frozen=True)
class DagRun:
    """One run of one DAG as Airflow tells it; ``ended`` is None while it runs."""

    dag_id: str
    run_id: str
    state: str
    queued: datetime | None
    started: datetime | None
    ended: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether the run has not ended."""
        return self.state in ACTIVE_STATES

    @property
    def seconds(self) -> float | None:
        """How long the run took; None while it runs."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True)
class Dag:
    """A DAG as Airflow knows it; ``next_run`` is when the scheduler makes its next run."""

    is_paused: bool
    next_run: datetime | None


class AirflowApi:
    """A client of one API server; signs in when first needed.

    Args:
        url: Where the API server is, without a path.
        user: Name to sign in with; health needs none.
        password: Its password.
        transport: How requests travel; None is HTTP.
    """

    def __init__(
        self,
        url: str,
        user: str = "",
        password: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._user = user
        self._password = password
        # The server is on this machine: no proxy of the environment is asked.
        self._http = httpx.Client(base_url=url, timeout=20.0, trust_env=False, transport=transport)
        self._token: str | None = None

    def not_healthy(self, since: datetime, *, triggerer: bool = False) -> list[str]:
        """The parts that have not shown a sign of life since then; the triggerer if asked."""
        try:
            reply = self._http.get("/api/v2/monitor/health", timeout=5.0)
            reply.raise_for_status()
        except httpx.HTTPError:
            return ["API server"]
        health = reply.json()
        beats = {
            "scheduler": (health["scheduler"] or {}).get("latest_scheduler_heartbeat"),
            "DAG processor": (health["dag_processor"] or {}).get("latest_dag_processor_heartbeat"),
        }
        if triggerer:
            beats["triggerer"] = (health["triggerer"] or {}).get("latest_triggerer_heartbeat")
        return [
            name
            for name, beat in beats.items()
            if beat is None or datetime.fromisoformat(beat) < since
        ]

    def dags(self) -> dict[str, Dag]:
        """The DAGs that their files still build, by id."""
        return {
            dag["dag_id"]: Dag(dag["is_paused"], _moment(dag["next_dagrun_run_after"]))
            for dag in self._all("/dags", "dags", {})
        }

    def pools(self) -> dict[str, int]:
        """Slots of each pool, by name."""
        return {pool["name"]: pool["slots"] for pool in self._all("/pools", "pools", {})}

    def import_errors(self) -> dict[str, str]:
        """What went wrong, by DAG file."""
        faults = self._all("/importErrors", "import_errors", {})
        return {str(fault["filename"]): str(fault["stack_trace"]) for fault in faults}

    def runs_since(self, moment: datetime) -> list[DagRun]:
        """All runs that were queued or due since then, oldest first, and those still active."""
        recent = self._all(
            "/dags/~/dagRuns", "dag_runs", {"updated_at_gte": moment.isoformat(), "order_by": "id"}
        )
        runs = (_dag_run(found) for found in recent)
        return [run for run in runs if run.is_active or (run.queued or moment) >= moment]

    def task_states(self, states: Iterable[str], moment: datetime) -> dict[str, int]:
        """How many task instances updated since then are in each of those states, if any are."""
        path = "/dags/~/dagRuns/~/taskInstances"
        query = {"updated_at_gte": moment.isoformat(), "limit": "1"}
        counts = {
            state: int(self._get(path, {**query, "state": state})["total_entries"])
            for state in states
        }
        return {state: count for state, count in counts.items() if count}

    def publications(self, moment: datetime) -> dict[tuple[str, str], datetime]:
        """When each run, by DAG id and run id, published since then."""
        query = {"timestamp_gte": moment.isoformat()}
        return {
            (event["source_dag_id"], event["source_run_id"]): datetime.fromisoformat(
                event["timestamp"]
            )
            for event in self._all("/assets/events", "asset_events", query)
        }

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self._http.patch(
            f"/api/v2/dags/{dag_id}", json={"is_paused": False}, headers=self._headers()
        ).raise_for_status()

    def backfill(self, dag_id: str, begin: datetime, end: datetime) -> int:
        """Have Airflow fill in the past dates of a DAG, the oldest first and one at a time; its id.

        Dates that already ran are run again.

        Raises:
            BackfillRefused: Airflow has no such DAG, no date of its schedule in between, another
                back-fill of it under way, or may not back-fill it.
        """
        reply = self._http.post(
            "/api/v2/backfills",
            json={
                "dag_id": dag_id,
                "from_date": begin.isoformat(),
                "to_date": end.isoformat(),
                "max_active_runs": 1,
                "reprocess_behavior": "completed",
            },
            headers=self._headers(),
        )
        if reply.is_client_error:
            raise BackfillRefused(
                dag_id,
                found=f"Airflow's answer {reply.status_code}: {reply.json().get('detail', '')}",
                expected="an entry pulled by changes, with an update cycle, and dates in the past",
                remedy="correct the dates, or fill in the past here, without --airflow",
            )
        return int(reply.raise_for_status().json()["id"])

    def trigger(self, dag_id: str, run_id: str, logical_date: datetime | None = None) -> None:
        """Start a run by hand, of a date where one is given; asking twice starts one."""
        reply = self._http.post(
            f"/api/v2/dags/{dag_id}/dagRuns",
            json={
                "dag_run_id": run_id,
                "logical_date": logical_date.isoformat() if logical_date else None,
            },
            headers=self._headers(),
        )
        if reply.status_code != httpx.codes.CONFLICT:
            reply.raise_for_status()

    def _all(self, path: str, key: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._get(path, {**query, "limit": str(_PAGE), "offset": str(offset)})
            yield from page[key]
            offset += len(page[key])
            if not page[key] or offset >= page["total_entries"]:
                return

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        reply = self._http.get(f"/api/v2{path}", params=query, headers=self._headers())
        reply.raise_for_status()
        answer: dict[str, Any] = reply.json()
        return answer

    def _headers(self) -> dict[str, str]:
        if self._token is None:
            reply = self._http.post(
                "/auth/token", json={"username": self._user, "password": self._password}
            )
            reply.raise_for_status()
            self._token = str(reply.json()["access_token"])
        return {"Authorization": f"Bearer {self._token}"}


def _dag_run(found: Mapping[str, Any]) -> DagRun:
    return DagRun(
        dag_id=found["dag_id"],
        run_id=found["dag_run_id"],
        state=found["state"],
        queued=_moment(found["queued_at"]),
        started=_moment(found["start_date"]),
        ended=_moment(found["end_date"]),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
