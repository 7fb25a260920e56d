"""The ledger: what was done and decided, told by the pipeline, read by people.

Each ``record_*`` call is one transaction and safe to repeat: a stage that was killed after its work
and before its record simply records again on the re-run. Nothing here reads a clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from yishu.ledger.care import CareRecords
from yishu.ledger.errors import CountsRefused, LedgerError, RunNotStarted, TimeWithoutZone
from yishu.ledger.facts import (
    CheckFacts,
    CommitFacts,
    ContributionFacts,
    Layer,
    ProfileFacts,
    PullFacts,
    RefusalFacts,
    RunFinished,
    RunKind,
    RunStarted,
    RunState,
    Stage,
    VerdictFacts,
)
from yishu.ledger.lineage import record_events
from yishu.ledger.models import (
    Base,
    CheckResult,
    ColumnProfile,
    LibraryCommit,
    PullReceipt,
    Refusal,
    Run,
    RunDimension,
    SubjectContribution,
    Verdict,
)
from yishu.ledger.quarantine import QuarantineRecords
from yishu.ledger.rows import (
    CheckDifference,
    DeliveryRow,
    DimensionRow,
    EntryRow,
    RunQuality,
    RunRow,
    SubjectRow,
    Summary,
)
from yishu.ledger.statements import query
from yishu.redact import redact

_FOREIGN_KEY_VIOLATION = "23503"
_CHECK_VIOLATION = "23514"
# What a repeated record does not move: the run began, and the rows were published, only once.
_KEPT = {"started_at", "committed_at"}


class Ledger(CareRecords, QuarantineRecords):
    """Facts in, readings out."""

    def record_run_started(self, fact: RunStarted) -> None:
        """A run began; begun again it is running again, and its first beginning stands.

        Raises:
            TimeWithoutZone: a moment without its zone.
        """
        again = {
            "state": RunState.RUNNING,
            **dict.fromkeys(("finished_at", "stage", "error_code", "error_message")),
        }
        with self._writing(fact.object_id) as connection:
            _keep(connection, Run, {**_values(fact), **again})

    def record_run_finished(self, fact: RunFinished) -> None:
        """A run ended, well or not.

        Raises:
            RunNotStarted: it was never recorded as started.
            TimeWithoutZone: a moment without its zone.
        """
        values = _values(fact)
        if fact.error_message is not None:
            values["error_message"] = redact(fact.error_message)
        key = (Run.run_id == fact.run_id) & (Run.object_id == fact.object_id)
        with self._writing(fact.object_id) as connection:
            done = connection.execute(update(Run).where(key).values(values))
            if done.rowcount == 0:
                raise _not_started(fact.object_id)

    def record_pull(self, fact: PullFacts) -> None:
        """A pull landed its rows.

        Raises:
            RunNotStarted: its run was never recorded as started.
            TimeWithoutZone: a moment without its zone.
        """
        with self._writing(fact.entry_id) as connection:
            _keep(connection, PullReceipt, _values(fact))

    def record_verdict(self, fact: VerdictFacts) -> None:
        """A validation decided; the results of its checks replace those recorded before.

        Raises:
            RunNotStarted: its run was never recorded as started.
            CountsRefused: more rows quarantined or failed than there were.
            TimeWithoutZone: a moment without its zone.
        """
        values = _values(fact)
        checks, profiles = values.pop("checks"), values.pop("profiles")
        key = {"run_id": fact.run_id, "entry_id": fact.entry_id}
        with self._writing(fact.entry_id) as connection:
            _keep(connection, Verdict, values)
            _replace(connection, CheckResult, key, checks)
            _replace(connection, RunDimension, key, _dimensions(fact))
            _replace(connection, ColumnProfile, key, profiles)

    def record_commit(self, fact: CommitFacts) -> None:
        """A commit to the library happened.

        Raises:
            RunNotStarted: its run was never recorded as started.
            CountsRefused: the rows read are not all accounted for.
            TimeWithoutZone: a moment without its zone.
        """
        with self._writing(fact.object_id) as connection:
            _keep(connection, LibraryCommit, _commit_values(fact))

    def record_subject(self, fact: CommitFacts, given: Sequence[ContributionFacts]) -> None:
        """A subject was built; what its entries gave replaces what was recorded before.

        Raises:
            RunNotStarted: its run was never recorded as started.
            CountsRefused: an entry's rows are not all contributed or listed as not linked.
            TimeWithoutZone: a moment without its zone.
        """
        key = {"run_id": fact.run_id, "subject_id": fact.object_id}
        with self._writing(fact.object_id) as connection:
            _keep(connection, LibraryCommit, _commit_values(fact))
            _replace(connection, SubjectContribution, key, [asdict(one) for one in given])

    def record_refusal(self, fact: RefusalFacts) -> None:
        """Something was refused; told twice, the first record stands.

        Raises:
            TimeWithoutZone: a moment without its zone.
        """
        values = _values(fact)
        values |= {name: redact(values[name]) for name in ("found", "expected", "remedy")}
        with self._writing(fact.object_id) as connection:
            connection.execute(insert(Refusal).values(values).on_conflict_do_nothing())

    def last_runs(self, limit: int = 20, object_id: str | None = None) -> list[RunRow]:
        """The latest runs, newest first, of one object or of all."""
        found = self._read("last_runs", limit=limit, object_id=object_id)
        return [_run_row(row) for row in found]

    def running_runs(self) -> list[RunRow]:
        """Runs that began and did not end, as far as was told, oldest first."""
        return [_run_row(row) for row in self._read("running_runs")]

    def run(self, run_id: str, object_id: str) -> RunRow | None:
        """One run, or None."""
        found = self._read("run", run_id=run_id, object_id=object_id)
        return _run_row(found[0]) if found else None

    def receipt(self, run_id: str, entry_id: str) -> PullFacts | None:
        """What the pull of a run brought, or None."""
        found = self._read("receipt", run_id=run_id, entry_id=entry_id)
        return PullFacts(**_mapping(found[0])) if found else None

    def last_receipt(self, entry_id: str) -> PullFacts | None:
        """What the latest pull of an entry brought, or None."""
        found = self._read("last_receipt", entry_id=entry_id)
        return PullFacts(**_mapping(found[0])) if found else None

    def last_commit(self, object_id: str) -> CommitFacts | None:
        """The latest publication of an entry or a subject, or None."""
        found = self._read("last_commit", object_id=object_id)
        if not found:
            return None
        values = _mapping(found[0])
        return CommitFacts(**{**values, "layer": Layer(values["layer"])})

    def deliveries(self) -> dict[str, DeliveryRow]:
        """Each published entry's last publication, by entry id."""
        rows = [DeliveryRow(**_mapping(row)) for row in self._read("deliveries")]
        return {row.entry_id: row for row in rows}

    def delivery_before(self, entry_id: str, before: datetime) -> datetime | None:
        """When the source was read for an entry's last publication before a moment; or None."""
        found = self._read("delivery_before", entry_id=entry_id, before=before)
        moment: datetime | None = _mapping(found[0])["pulled_at"]
        return moment

    def verdict(self, entry_id: str, run_id: str | None = None) -> VerdictFacts | None:
        """What validation decided in a run, or in the latest, its worst checks first; or None."""
        found = self._read("verdict", entry_id=entry_id, run_id=run_id)
        if not found:
            return None
        verdict = _mapping(found[0])
        rows = self._read("check_results", entry_id=entry_id, run_id=verdict["run_id"])
        lists = ("columns", "waivers")
        checks = (
            {**row, **{name: tuple(row[name]) for name in lists}} for row in map(_mapping, rows)
        )
        verdict["blocked_by"] = tuple(verdict["blocked_by"])
        return VerdictFacts(**verdict, checks=tuple(CheckFacts(**check) for check in checks))

    def quality_trend(self, entry_id: str, limit: int = 30) -> list[RunQuality]:
        """The latest validated runs of an entry, oldest first."""
        found = self._read("quality_trend", entry_id=entry_id, limit=limit)
        return [RunQuality(**_mapping(row)) for row in found]

    def compare_runs(
        self, before: str, after: str, entry_id: str | None = None
    ) -> list[CheckDifference]:
        """Checks that came out otherwise in two runs, of the entries that both validated.

        Raises:
            RunNotStarted: no entry was validated in both runs.
        """
        entries = {one: self._validated(one) for one in (before, after)}
        common = set.intersection(*entries.values())
        if not common or (entry_id is not None and entry_id not in common):
            raise RunNotStarted(
                entry_id or f"{before}, {after}",
                found="no entry that both runs validated",
                expected="two runs that validated the same entry",
                remedy="list them with `yishu runs ENTRY`",
            )
        found = self._read("compare_runs", before=before, after=after, entry_id=entry_id)
        return [CheckDifference(**_mapping(row)) for row in found]

    def _validated(self, run_id: str) -> set[str]:
        return {row.entry_id for row in self._read("validated_in", run_id=run_id)}

    def profiles(
        self, entry_id: str, run_id: str | None = None, before: datetime | None = None
    ) -> tuple[ProfileFacts, ...]:
        """Column profiles of a run, or of the latest that passed with a pull before a moment."""
        rows = self._read("profiles", entry_id=entry_id, run_id=run_id, before=before)
        found = ({**row, "top": tuple(map(tuple, row["top"]))} for row in map(_mapping, rows))
        return tuple(ProfileFacts(**row) for row in found)

    def earlier_volumes(self, entry_id: str, before: datetime, most: int = 120) -> list[int]:
        """Rows of an entry's full pulls that passed before a moment, newest first."""
        rows = self._read("earlier_volumes", entry_id=entry_id, before=before, most=most)
        return [row.rows for row in rows]

    def commits_of(self, run_id: str) -> list[CommitFacts]:
        """What a run published, by object."""
        rows = map(_mapping, self._read("commits_of", run_id=run_id))
        return [
            CommitFacts(**{"table": row.pop("table_name"), **row, "layer": Layer(row["layer"])})
            for row in rows
        ]

    def contributions(self, run_id: str, subject_id: str) -> list[ContributionFacts]:
        """What each entry gave to a subject in a run, by entry."""
        rows = self._read("contributions", run_id=run_id, subject_id=subject_id)
        return [ContributionFacts(**_mapping(row)) for row in rows]

    def published_versions(self) -> set[tuple[str, int]]:
        """Table and version of every publication on record."""
        return {(row.table_name, row.version) for row in self._read("published_versions")}

    def refusals(self, limit: int = 50) -> list[RefusalFacts]:
        """What was refused, newest first."""
        rows = map(_mapping, self._read("refusals", limit=limit))
        return [RefusalFacts(**{**row, "stage": _stage(row["stage"])}) for row in rows]

    def summary(self) -> Summary:
        """The state of the whole: entries, subjects, quality by dimension."""
        entries = map(_mapping, self._read("summary_entries"))
        subjects = map(_mapping, self._read("summary_subjects"))
        quality = map(_mapping, self._read("summary_quality"))
        return Summary(
            tuple(EntryRow(**{**row, "state": RunState(row["state"])}) for row in entries),
            tuple(SubjectRow(**row) for row in subjects),
            tuple(DimensionRow(**row) for row in quality),
        )

    def _read(self, name: str, **parameters: Any) -> Sequence[Row[Any]]:
        with self.reading() as connection:
            return connection.execute(query(name), parameters).all()

    def record_lineage(self, event: Mapping[str, Any]) -> None:
        """Lineage told an event; the same event again changes nothing."""
        with self.transaction() as connection:
            record_events(connection, [event])

    @contextmanager
    def _writing(self, object_id: str) -> Iterator[Connection]:
        try:
            with self.transaction() as connection:
                yield connection
        except IntegrityError as error:
            raise _refused(object_id, error) from error


def _keep(connection: Connection, table: type[Base], values: Mapping[str, Any]) -> None:
    """Insert the row, or bring the one with its key to the same values."""
    keys = {column.name for column in table.__table__.primary_key}
    changed = {name: value for name, value in values.items() if name not in keys | _KEPT}
    statement = insert(table).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=sorted(keys), set_=changed))


def _replace(
    connection: Connection,
    table: type[Base],
    key: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Make these the only rows of the table below that part of its key."""
    columns = table.__table__.columns
    connection.execute(
        delete(table).where(*(columns[name] == value for name, value in key.items()))
    )
    if rows:
        connection.execute(insert(table), [{**row, **key} for row in rows])


def _values(fact: Any) -> dict[str, Any]:
    values = asdict(fact)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = _utc(name, value)
    return values


def _dimensions(fact: VerdictFacts) -> list[dict[str, Any]]:
    """The checks of a verdict summed by dimension."""
    decided_at = _utc("decided_at", fact.decided_at)
    sums: dict[str, dict[str, Any]] = {}
    for check in fact.checks:
        start = {"decided_at": decided_at, "checks": 0, "counted": 0, "failed": 0, "waived": 0}
        one = sums.setdefault(check.dimension, {"dimension": check.dimension, **start})
        one["checks"] += 1
        one["counted"] += check.counted
        one["failed"] += check.failed
        one["waived"] += check.waived
    return list(sums.values())


def _commit_values(fact: CommitFacts) -> dict[str, Any]:
    values = _values(fact)
    values["table_name"] = values.pop("table")
    return values


def _utc(name: str, moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise TimeWithoutZone(
            name,
            found=moment.isoformat(),
            expected="a moment with its time zone",
            remedy="take it from datetime.now(UTC), never from a clock without a zone",
        )
    return moment.astimezone(UTC)


def _mapping(row: Row[Any]) -> dict[str, Any]:
    # The session's time zone decides how moments come back; they leave here in UTC.
    values = dict(row._mapping)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    return values


def _run_row(row: Row[Any]) -> RunRow:
    values = _mapping(row)
    values["kind"] = RunKind(values["kind"])
    values["state"] = RunState(values["state"])
    values["stage"] = _stage(values["stage"])
    return RunRow(**values)


def _stage(value: str | None) -> Stage | None:
    return None if value is None else Stage(value)


def _refused(object_id: str, error: IntegrityError) -> LedgerError:
    state = getattr(error.orig, "sqlstate", None)
    if state == _FOREIGN_KEY_VIOLATION:
        return _not_started(object_id)
    kind = CountsRefused if state == _CHECK_VIOLATION else LedgerError
    # Its text would show the whole row; the name of the constraint says which rule it was.
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return kind(
        object_id,
        found=f"a fact against the rule {constraint}",
        expected="counts that add up and states that exist",
        remedy="do not publish this run; compare its counts with yishu/ledger/models/runs.py",
    )


def _not_started(object_id: str) -> RunNotStarted:
    return RunNotStarted(
        object_id,
        found="a fact of a run that is not in the ledger",
        expected="the run recorded as started before anything else of it",
        remedy="call record_run_started first",
    )
