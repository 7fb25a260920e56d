"""Lineage events in the ledger: the same events as in the file, to be asked with SQL."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from yishu.ledger.models import LineageEvent
from yishu.ledger.statements import query


def record_events(connection: Connection, events: Iterable[Mapping[str, Any]]) -> int:
    """Keep events; one that is known already is passed over. How many were new.

    Args:
        connection: The caller's transaction.
        events: OpenLineage run events as plain JSON.
    """
    rows = [_row(event) for event in events]
    if not rows:
        return 0
    statement = insert(LineageEvent).on_conflict_do_nothing(index_elements=["digest"])
    new = connection.execute(statement.returning(LineageEvent.number), rows)
    return len(new.all())


def recorded_events(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """All events, in the order in which they came."""
    yield from connection.scalars(select(LineageEvent.event).order_by(LineageEvent.number))


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(event, ensure_ascii=False, sort_keys=True)
    return {
        "digest": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "at": datetime.fromisoformat(event["eventTime"]),
        "kind": event["eventType"],
        "job": event["job"]["name"],
        "run_uuid": event["run"]["runId"],
        "event": event,
    }


class Steps(NamedTuple):
    """Complete steps that lineage told: of how many runs, the first and the last, UTC."""

    times: int
    first_at: datetime
    last_at: datetime


def own_steps(connection: Connection) -> dict[str, Steps]:
    """Complete pulls, validations and publications that lineage told, by job."""
    return {row[0]: Steps(*row[1:]) for row in connection.execute(query("life_cycle_steps"))}


def table_uses(connection: Connection) -> dict[str, Steps]:
    """Complete jobs that read tables of the unified database, by table."""
    return {row[0]: Steps(*row[1:]) for row in connection.execute(query("life_cycle_uses"))}
