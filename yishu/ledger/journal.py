"""The journal: who did what to what, in which role, for which body, with before and after.

``append`` writes into the caller's transaction, so an act and its record are there together or not
at all. It takes no lock: writers never wait for one another. `yishu.ledger.seal` links what is
committed into one chain and signs it. Records never hold personal data in clear.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from catalog.roles import Action, Role

FIELDS = (
    "at", "person", "account", "role", "org", "action", "object_kind", "object_id", "reason",
    "before", "after",
)  # fmt: skip
"""What of a record its digest covers, beside the place in the chain."""

_APPEND = text(
    f"with record as (insert into ledger.journal ({', '.join(FIELDS)}, hash) values "
    f"({', '.join(f':{name}' for name in FIELDS[:-2])}, "
    "cast(:before as jsonb), cast(:after as jsonb), :hash) returning number) "
    "insert into ledger.journal_waiting select number from record"
)


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
    """Add the record of an act, in the caller's transaction; its digest."""
    stored = _row(act)
    connection.execute(_APPEND, stored)
    return str(stored["hash"])


def append_all(connection: Connection, acts: Sequence[Act]) -> None:
    """Add the records of many acts in their order, in the caller's transaction."""
    if acts:
        connection.execute(_APPEND, [_row(act) for act in acts])


def record_hash(values: Mapping[str, Any]) -> str:
    """SHA-256 of a record's canonical JSON, in hex."""
    return hashlib.sha256(canonical({name: values[name] for name in FIELDS}).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and without spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def moment(at: datetime) -> str:
    """A moment as digests have it: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()


def _row(act: Act) -> dict[str, Any]:
    """A record as its table has it."""
    values = _values(act)
    stored = {name: values[name] for name in FIELDS} | {"at": act.at, "hash": record_hash(values)}
    for name in ("before", "after"):
        stored[name] = None if values[name] is None else canonical(values[name])
    return stored


def _values(act: Act) -> dict[str, Any]:
    actor = act.actor
    return {
        "at": moment(act.at),
        "person": actor.person,
        "account": actor.account,
        "role": actor.role.value,
        "org": actor.org,
        "action": act.action.value,
        "object_kind": act.object_kind,
        "object_id": act.object_id,
        "reason": act.reason,
        "before": _stored(act.before),
        "after": _stored(act.after),
    }


def _stored(value: Mapping[str, Any] | None) -> Any:
    """The value as JSON gives it back, so that a digest can be computed again."""
    return None if value is None else json.loads(canonical(dict(value)))
