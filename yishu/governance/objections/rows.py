"""Objections as they are read: each with its present state, and its whole history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row

from catalog.roles import Role
from yishu.governance.errors import ObjectionUnknown
from yishu.governance.objections.states import ObjectionState, Origin
from yishu.ledger.statements import query


@dataclass(frozen=True)
class ObjectionRow:
    """An objection now.

    Attributes:
        since: When it came into its state, UTC.
        corrected: Whether the source department corrected something.
        joined_orgs: Bodies whose objections were merged into it.
        joined: How many those are.
    """

    objection_id: str
    origin: Origin
    raised_org: str
    raised_at: datetime
    profile: str
    authority: str
    entry_id: str
    column_name: str | None
    key_masked: str | None
    source_entry_id: str
    source_org: str
    summary: str
    merged_into: str | None
    state: ObjectionState
    since: datetime
    corrected: bool
    joined: int
    joined_orgs: tuple[str, ...]


@dataclass(frozen=True)
class StepRow:
    """One step of an objection, as everybody concerned sees it.

    Attributes:
        person: The person's name; the person's id where the account is not known.
    """

    state: ObjectionState
    at: datetime
    person: str
    role: Role
    org: str
    note: str | None
    run_id: str | None
    table_version: int | None


def objection(connection: Connection, objection_id: str) -> ObjectionRow:
    """One objection.

    Raises:
        ObjectionUnknown: there is none of that number.
    """
    found = objections(connection, objection_id=objection_id)
    if not found:
        raise ObjectionUnknown(
            objection_id,
            found="no objection of that number",
            expected="a number such as YY2026-000001",
            remedy="list them with `yishu objection list`",
        )
    return found[0]


def objections(
    connection: Connection,
    *,
    objection_id: str | None = None,
    source_entry_id: str | None = None,
    org: str | None = None,
    fingerprint: str | None = None,
    state: ObjectionState | None = None,
    states: Sequence[ObjectionState] = (),
    offset: int = 0,
    limit: int | None = None,
) -> list[ObjectionRow]:
    """Objections, oldest first; ``org``: raised by that body or addressed to it."""
    parameters = {
        "objection_id": objection_id,
        "source_entry_id": source_entry_id,
        "org": org,
        "fingerprint": fingerprint,
        "states": [one.value for one in ((state,) if state else states)] or None,
        "offset": offset,
        "limit": limit,
    }
    return [_row(row) for row in connection.execute(query("objections"), parameters)]


def counted(
    connection: Connection,
    *,
    org: str | None = None,
    states: Collection[ObjectionState] = (),
    source_entry_id: str | None = None,
) -> int:
    """How many objections `objections` would tell of."""
    asked = {
        "org": org,
        "states": [one.value for one in states] or None,
        "source_entry_id": source_entry_id,
    }
    return int(connection.execute(query("objections_counted"), asked).scalar_one())


def history(connection: Connection, objection_id: str) -> list[StepRow]:
    """All steps of an objection, in their order."""
    rows = connection.execute(query("objection_steps"), {"objection_id": objection_id})
    typed = ((row, {"state": ObjectionState(row.state), "role": Role(row.role)}) for row in rows)
    return [StepRow(**{**_plain(row), **values}) for row, values in typed]


def _row(row: Row[Any]) -> ObjectionRow:
    values = _plain(row)
    return ObjectionRow(
        **values
        | {
            "origin": Origin(row.origin),
            "state": ObjectionState(row.state),
            "joined_orgs": tuple(row.joined_orgs),
        }
    )


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
    }
