"""Pins: versions of the library's tables that must stay readable beyond their retention.

A grant pins the version that it serves, a frozen report the versions that it counted. Maintenance
asks ``pinned_versions`` and keeps their files. Ending a pin keeps its row, with the moment.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, Connection, Text, any_, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from yishu.ledger.models import LibraryPin
from yishu.ledger.statements import query


class Holder(StrEnum):
    """Who may need a version for longer."""

    GRANT = "grant"
    REPORT = "report"
    RELEASE = "release"


@dataclass(frozen=True)
class Pin:
    """One version held by one holder.

    Attributes:
        table_name: ``subject/<subject>`` or ``unified/<department>.<entry>``.
        pinned_at: The moment, with its zone.
    """

    table_name: str
    version: int
    holder_kind: Holder
    holder_id: str
    pinned_at: datetime


def pin(connection: Connection, one: Pin) -> None:
    """Hold a version; holding it again changes nothing, holding an ended one holds it anew."""
    values = {**asdict(one), "holder_kind": one.holder_kind.value}
    key = ["table_name", "version", "holder_kind", "holder_id"]
    renewed = {"released_at": None}
    connection.execute(
        insert(LibraryPin).values(values).on_conflict_do_update(index_elements=key, set_=renewed)
    )


def pin_latest(connection: Connection, one: Pin) -> None:
    """Hold a version in place of the earlier ones of that table that its holder holds.

    A version that is held already costs one look, so that every call of a channel may ask.
    """
    held = (
        (LibraryPin.table_name == one.table_name)
        & (LibraryPin.holder_kind == one.holder_kind.value)
        & (LibraryPin.holder_id == one.holder_id)
        & LibraryPin.released_at.is_(None)
    )
    if list(connection.scalars(select(LibraryPin.version).where(held))) == [one.version]:
        return
    pin(connection, one)
    earlier = held & (LibraryPin.version < one.version)
    connection.execute(update(LibraryPin).where(earlier).values(released_at=one.pinned_at))


def pin_in_force(
    connection: Connection, kind: Holder, holder_id: str, until: datetime, at: datetime
) -> int:
    """Hold the versions of the unified tables that were in force at a moment; how many.

    Args:
        connection: The caller's transaction.
        kind: What holds them, e.g. a report.
        holder_id: Which one.
        until: The moment whose versions are held: the newest that was committed before it.
        at: The present moment, with its zone.
    """
    found = connection.execute(query("versions_in_force"), {"until": until}).all()
    for row in found:
        pin(connection, Pin(row.table_name, row.version, kind, holder_id, at))
    return len(found)


def unpin(connection: Connection, kind: Holder, holder_ids: Collection[str], at: datetime) -> int:
    """End every pin of holders, e.g. of grants that were closed; how many were ended."""
    # One parameter for all ids, however many have ended by now.
    ids = literal(list(holder_ids), ARRAY(Text))
    held = (
        (LibraryPin.holder_kind == kind.value)
        & (LibraryPin.holder_id == any_(ids))
        & LibraryPin.released_at.is_(None)
    )
    return connection.execute(update(LibraryPin).where(held).values(released_at=at)).rowcount


def pinned_versions(connection: Connection) -> Mapping[str, list[int]]:
    """Table -> its versions that somebody holds now, ascending."""
    wanted = (
        select(LibraryPin.table_name, LibraryPin.version)
        .where(LibraryPin.released_at.is_(None))
        .distinct()
        .order_by(LibraryPin.table_name, LibraryPin.version)
    )
    found: dict[str, list[int]] = {}
    for table, version in connection.execute(wanted):
        found.setdefault(table, []).append(version)
    return found
