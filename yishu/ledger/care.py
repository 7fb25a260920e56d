"""What the ledger keeps so that systems are treated with care and guards can be answered.

A *decision* is a person's word that lets one run through a guard that stopped it. A *contact* is
one attempt at a department system: it answered, it did not, or it is being tried again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from yishu.ledger.errors import LedgerError, RunNotStarted, TimeWithoutZone
from yishu.ledger.models import Base, Contact, Decision
from yishu.ledger.records import Records
from yishu.ledger.statements import query
from yishu.redact import redact


class DecisionKind(StrEnum):
    """What a person may decide about a run."""

    VOLUME = "volume"


class ContactOutcome(StrEnum):
    """How an attempt at a system went; ``trial``: one pull is let through to see."""

    REACHED = "reached"
    UNREACHABLE = "unreachable"
    TRIAL = "trial"


@dataclass(frozen=True)
class DecisionFacts:
    """A person let one run of one object through a guard.

    Attributes:
        reason: Why, in the person's words.
        decided_by: Who.
        facts: The counts that the decision was about.
    """

    run_id: str
    object_id: str
    kind: DecisionKind
    reason: str
    decided_by: str
    decided_at: datetime
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ContactFacts:
    """One attempt at a department system, for the entry ``object_id``."""

    connection_id: str
    happened_at: datetime
    run_id: str
    object_id: str
    outcome: ContactOutcome


@dataclass(frozen=True)
class LastContact:
    """When a system last answered, and when it was last tried; None: never."""

    connection_id: str
    reached_at: datetime | None
    tried_at: datetime | None


class CareRecords(Records):
    """The part of the ledger that guards and breakers use."""

    def record_decision(self, fact: DecisionFacts) -> None:
        """A person decided; told twice, the first word stands.

        Raises:
            RunNotStarted: there is no such run.
            LedgerError: the decision has no reason.
            TimeWithoutZone: a moment without its zone.
        """
        values = {**_values(fact), "reason": redact(fact.reason)}
        try:
            with self.transaction() as connection:
                _add(connection, Decision, values)
        except IntegrityError as error:
            raise _refused(fact, error) from None

    def decision(self, run_id: str, object_id: str, kind: DecisionKind) -> DecisionFacts | None:
        """What was decided about a run, or None."""
        found = self._rows("decision", run_id=run_id, object_id=object_id, kind=kind)
        return DecisionFacts(**{**found[0], "kind": kind}) if found else None

    def record_contact(self, fact: ContactFacts) -> None:
        """A system was tried.

        Raises:
            TimeWithoutZone: a moment without its zone.
        """
        with self.transaction() as connection:
            _add(connection, Contact, _values(fact))

    def knock(
        self,
        connection_id: str,
        judge: Callable[[Sequence[ContactFacts]], ContactFacts | None] = lambda _: None,
    ) -> Sequence[ContactFacts]:
        """What happened with a system since it last answered, oldest first.

        Args:
            connection_id: The system.
            judge: Sees those contacts and may add one; of several processes that ask at the same
                time, each sees what the one before it added.
        """
        with self.transaction() as connection:
            lock = text("select pg_advisory_xact_lock(hashtext('contact'), hashtext(:id))")
            connection.execute(lock, {"id": connection_id})
            rows = connection.execute(
                query("contacts_since_reached"), {"connection_id": connection_id}
            )
            contacts = [_contact(_plain(row)) for row in rows]
            added = judge(contacts)
            if added is not None:
                _add(connection, Contact, _values(added))
        return contacts

    def last_contacts(self) -> dict[str, LastContact]:
        """Each system that was ever tried, by connection id."""
        found = [LastContact(**row) for row in self._rows("last_contacts")]
        return {one.connection_id: one for one in found}

    def _rows(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        with self.reading() as connection:
            return [_plain(row) for row in connection.execute(query(name), parameters)]


def _add(connection: Connection, table: type[Base], values: Mapping[str, Any]) -> None:
    connection.execute(insert(table).values(values).on_conflict_do_nothing())


def _contact(row: dict[str, Any]) -> ContactFacts:
    return ContactFacts(**{**row, "outcome": ContactOutcome(row["outcome"])})


def _values(fact: DecisionFacts | ContactFacts) -> dict[str, Any]:
    values = asdict(fact)
    for name, value in values.items():
        if isinstance(value, datetime):
            if value.utcoffset() is None:
                raise TimeWithoutZone(
                    name,
                    found=value.isoformat(),
                    expected="a moment with its time zone",
                    remedy="take it from datetime.now(UTC), never from a clock without a zone",
                )
            values[name] = value.astimezone(UTC)
    return values


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
    }


def _refused(fact: DecisionFacts, error: IntegrityError) -> LedgerError:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    is_reason = constraint == "ck_decision_reason"
    return (LedgerError if is_reason else RunNotStarted)(
        fact.object_id,
        found="a decision without a reason" if is_reason else "a decision about no run",
        expected="the reason in words" if is_reason else f"a run {fact.run_id} of this entry",
        remedy="say why the run may go on" if is_reason else "name a run that was stopped",
    )
