"""Pins: versions of the library's tables that must stay readable beyond their retention.

A grant pins the version that it serves, a frozen report the versions that it counted. Maintenance
asks ``pinned_versions`` and keeps their files. Ending a pin keeps its row, with the moment.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from yishu.ledger.models import LibraryPin


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


def unpin(connection: Connection, kind: Holder, holder_id: str, at: datetime) -> int:
    """End every pin of a holder, e.g. of a grant that was closed; how many were ended."""
    held = (
        (LibraryPin.holder_kind == kind.value)
        & (LibraryPin.holder_id == holder_id)
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
