"""The journal: who did what to what, in which role, for which body, with before and after.

``append`` writes into the caller's transaction, so an act and its record are there together or not
at all. Records never hold personal data in clear.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

from catalog.roles import Action, Role
from yishu.ledger.models import JournalRecord

GENESIS = "0" * 64
"""What the first record is chained to."""

_LOCK = 0x6A726E6C
"""Advisory lock number of the end of the chain ("jrnl")."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts: a person through an account, in one role, for one body.

    One person may hold several accounts; separation of duties is by ``person`` and ``org``.
    """

    person: str
    account: str
    role: Role
    org: str


@dataclass(frozen=True)
class Act:
    """One thing done; ``at`` has its zone. ``before`` and ``after`` are JSON without secrets."""

    actor: Actor
    action: Action
    object_kind: str
    object_id: str
    at: datetime
    reason: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def append(connection: Connection, act: Act) -> str:
    """Add the record of an act to the chain, in the caller's transaction; its hash."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    newest = select(JournalRecord.hash).order_by(JournalRecord.number.desc()).limit(1)
    previous = connection.execute(newest).scalar() or GENESIS
    values = _values(act)
    digest = record_hash(values, previous)
    row = {**values, "at": act.at, "previous_hash": previous, "hash": digest}
    connection.execute(insert(JournalRecord).values(row))
    return digest


def record_hash(values: Mapping[str, Any], previous: str) -> str:
    """SHA-256 of a record's canonical JSON and the hash of the record before, in hex."""
    plain = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{plain}".encode()).hexdigest()


def _values(act: Act) -> dict[str, Any]:
    actor = act.actor
    return {
        "at": act.at.astimezone(UTC).isoformat(),
        "person": actor.person,
        "account": actor.account,
        "role": actor.role.value,
        "org": actor.org,
        "action": act.action.value,
        "object_kind": act.object_kind,
        "object_id": act.object_id,
        "reason": act.reason,
        "before": None if act.before is None else dict(act.before),
        "after": None if act.after is None else dict(act.after),
    }
