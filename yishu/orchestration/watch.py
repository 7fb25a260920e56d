"""Waiting until Airflow has published a release: entries, their subjects, and all together."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from catalog.model import CatalogView
from catalog.vocabulary import LateDepartment
from yishu.orchestration import naming
from yishu.orchestration.errors import ComponentFailed, NotReady
from yishu.orchestration.rest import AirflowApi, DagRun

_POLL_SECONDS = 1.0
_PAUSES_A_LOOK = 9
"""A pause is so many times as long as the look before it: with hundreds of entries one look keeps a
core of the API server busy for a second, and tasks wait for that server."""

_LONGEST_PAUSE_SECONDS = 10.0
"""Nobody waits longer for news, also after a look at which hundreds of runs were started."""

_LONGEST_SECONDS = 3600.0
_IDLE_POLLS = 3
"""The scheduler takes a moment between a publication and the run that follows from it."""

UNDER_WAY = ("running", "queued", "up_for_retry")
"""States of tasks that are worth showing while one waits."""


@dataclass(frozen=True)
class Progress:
    """How far a release is.

    Attributes:
        entries: Entries of the release.
        entries_done: Those whose run has ended, well or badly.
        subjects: Subjects that have a published source.
        subjects_done: Those whose last run has ended; they run again when more arrives.
        failed: Runs that have ended badly.
        tasks: Task instances under way, by state.
    """

    entries: int
    entries_done: int
    subjects: int
    subjects_done: int
    failed: int
    tasks: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """The run of each entry that was waited for and the last run of each subject, by id.

    Attributes:
        released: The last run that released the library; None where there was nothing to release.
    """

    entries: Mapping[str, DagRun]
    subjects: Mapping[str, DagRun]
    released: DagRun | None


def until_published(
    api: AirflowApi,
    release: CatalogView,
    *,
    since: datetime,
    alive: Callable[[], None],
    show: Callable[[Progress], None],
) -> Outcome:
    """Wait for one run of every entry since a moment and for the subjects that follow from them.

    It ends with a library release that holds them all, asked for unless there is one already.
    Entries that the scheduler does not start by itself, since they ran before or have no cycle,
    are triggered. A run that fails is waited for with its retries; judging it is the caller's.

    Raises:
        ComponentFailed: a DAG file cannot be read, or ``alive`` says that a process has ended.
        NotReady: it took longer than an hour.
    """
    watch = _Watch(api, release, since)
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (began := time.monotonic()) < deadline:
        alive()
        try:
            if watch.all_seen():
                watch.trigger_idle()
                runs = api.runs_since(since)
                outcome = watch.outcome(runs)
                show(watch.progress(outcome))
                if watch.is_finished(outcome, runs):
                    return outcome
        except httpx.TransportError:
            pass  # The server is busy; whether it still runs is asked above.
        except httpx.HTTPStatusError as error:
            # Asset events cannot be told while a run that one of them made waits to be started.
            if not error.response.is_server_error:
                raise
        pause = _PAUSES_A_LOOK * (time.monotonic() - began)
        time.sleep(min(max(_POLL_SECONDS, pause), _LONGEST_PAUSE_SECONDS))
    raise NotReady(
        "the runs of the release",
        found=f"some have not ended after {_LONGEST_SECONDS / 60:.0f} minutes",
        expected="every entry and subject published",
        remedy="see Airflow's UI; a source that is down is tried again with growing delays",
    )


@dataclass
class _Watch:
    """What has been seen so far."""

    api: AirflowApi
    release: CatalogView
    since: datetime
    seen: bool = False
    triggered: bool = False
    idle_polls: int = 0
    asked_to_release: bool = False

    def __post_init__(self) -> None:
        found = naming.contributors(self.release)
        self.sources = {name: entries for name, entries in found.items() if entries}
        self.dag_ids = {naming.entry_dag_id(entry): entry for entry in self.release.entries}

    def all_seen(self) -> bool:
        """Whether Airflow knows every DAG of the release."""
        if not self.seen:
            for file, fault in self.api.import_errors().items():
                raise _unreadable(file, fault)
            expected = {*self.dag_ids, *map(naming.subject_dag_id, self.sources)}
            expected.add(naming.RELEASE_DAG_ID)
            self.seen = expected <= set(self.api.dags())
        return self.seen

    def trigger_idle(self) -> None:
        """Start the entries that the scheduler will not start now by itself, once."""
        if self.triggered:
            return
        dags = self.api.dags()
        # Asked in this order, a run that is made in between is seen.
        ran = {run.dag_id for run in self.api.runs_since(self.since)}
        for dag_id in self.dag_ids:
            dag = dags[dag_id]
            if dag.is_paused:
                self.api.unpause(dag_id)
            is_due = dag.next_run is not None and dag.next_run <= datetime.now(UTC)
            if dag_id not in ran and not is_due:
                self.api.trigger(dag_id, self._own_run_id)
        self.triggered = True

    def outcome(self, runs: Sequence[DagRun]) -> Outcome:
        """The last run of each entry and subject; ``runs`` are the oldest first."""
        entries = {self.dag_ids[run.dag_id]: run for run in runs if run.dag_id in self.dag_ids}
        subjects = {
            name: run
            for run in runs
            if (name := naming.subject_of(run.dag_id)) is not None and name in self.sources
        }
        released = [run for run in runs if run.dag_id == naming.RELEASE_DAG_ID]
        return Outcome(entries, subjects, released[-1] if released else None)

    def progress(self, outcome: Outcome) -> Progress:
        """How far that is."""
        last = [*outcome.entries.values(), *outcome.subjects.values()]
        return Progress(
            entries=len(self.dag_ids),
            entries_done=sum(not run.is_active for run in outcome.entries.values()),
            subjects=len(self.sources),
            subjects_done=sum(not run.is_active for run in outcome.subjects.values()),
            failed=sum(run.state == "failed" for run in last),
            tasks=self.api.task_states(UNDER_WAY, self.since),
        )

    def is_finished(self, outcome: Outcome, runs: Sequence[DagRun]) -> bool:
        """Whether all entries have run, nothing runs, and no publication is left unused."""
        if len(outcome.entries) < len(self.dag_ids) or any(run.is_active for run in runs):
            self.idle_polls = 0
            return False
        published = self.api.publications(self.since)
        if all(self._has_caught_up(name, outcome, runs, published) for name in self.sources):
            self.idle_polls += 1
        return self.idle_polls >= _IDLE_POLLS and self._is_released(outcome)

    def _is_released(self, outcome: Outcome) -> bool:
        """Whether the library was released after the last subject was built; if not, asks once."""
        built = [run.ended for run in outcome.subjects.values() if run.state == "success"]
        last = max((moment for moment in built if moment), default=None)
        began = outcome.released.started if outcome.released else None
        if last is None or (began is not None and began >= last):
            return True
        if not self.asked_to_release:
            self.api.trigger(naming.RELEASE_DAG_ID, self._own_run_id)
            self.asked_to_release = True
        return False

    @property
    def _own_run_id(self) -> str:
        return f"demo__{self.since:%Y-%m-%dT%H:%M:%S}"

    def _has_caught_up(
        self,
        subject: str,
        outcome: Outcome,
        runs: Sequence[DagRun],
        published: Mapping[tuple[str, str], datetime],
    ) -> bool:
        """Whether the subject was built after the last publication of each of its sources.

        Airflow joins publications that come in quick succession into one run and names some of
        them as its causes only, so the causes do not tell.
        """
        last = (outcome.entries[entry] for entry in self.sources[subject])
        moments = [
            moment
            for run in last
            if run.state == "success" and (moment := published.get((run.dag_id, run.run_id)))
        ]
        waits = self.release.subjects[subject].late_department is LateDepartment.WAIT_FOR_ALL
        if not moments or (waits and len(moments) < len(self.sources[subject])):
            return True
        dag_id = naming.subject_dag_id(subject)
        starts = [run.started for run in runs if run.dag_id == dag_id and run.started]
        return bool(starts) and max(starts) >= max(moments)


def _unreadable(file: str, fault: str) -> ComponentFailed:
    return ComponentFailed(
        f"the DAG file {file}",
        found=f"an error while reading it:\n{fault}",
        expected="DAGs for every entry and subject of the release",
        remedy="mend what the error says; often the release is missing or damaged",
    )
