"""The register of docked systems: who runs them, which way data move, what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from catalog.model import CatalogEntry, CatalogView, System
from catalog.vocabulary import Direction
from yishu.ledger import DeliveryRow, LastContact


@dataclass(frozen=True)
class DockedSystem:
    """One system of a department, as catalog and ledger know it.

    Attributes:
        kind: Kinds of its entries; empty for a system that no entry reads yet.
        entries: Entries that are pulled from it.
        last_success: When the newest published data were pulled from it, UTC.
        last_answer: When it last answered a pull, whatever became of that; None: never.
        missing: Deliveries that are due and did not come, by update cycle.
        late_entries: Entries that miss at least one.
        is_registered: Whether ``systems.yaml`` describes it; without that its direction is a guess.
    """

    connection_id: str
    name: str
    kind: str
    direction: Direction
    department: str
    contact: str
    entries: int
    last_success: datetime | None
    last_answer: datetime | None
    missing: Mapping[str, int] = field(default_factory=dict)
    late_entries: tuple[str, ...] = ()
    is_registered: bool = True

    def answered(self, contact: LastContact | None) -> Self:
        """The same, with its last answer."""
        return replace(self, last_answer=contact.reached_at if contact else None)


def register(
    catalog: CatalogView,
    deliveries: Mapping[str, DeliveryRow],
    contacts: Mapping[str, LastContact],
    now: datetime,
) -> list[DockedSystem]:
    """All docked systems, by connection id; pure.

    Args:
        catalog: A release: its entries, systems and departments.
        deliveries: Last publications by entry id.
        contacts: Last contacts by connection id.
        now: The moment at which deliveries are due.
    """
    pulled: dict[str, list[CatalogEntry]] = {id_: [] for id_ in catalog.systems}
    for entry in catalog.entries.values():
        pulled.setdefault(entry.source.connection, []).append(entry)
    last = {id_: row.pulled_at for id_, row in deliveries.items()}
    return [
        _docked(catalog, id_, entries, last, now).answered(contacts.get(id_))
        for id_, entries in sorted(pulled.items())
    ]


def missing_deliveries(entry: CatalogEntry, last: datetime | None, now: datetime) -> int:
    """Whole update cycles that passed since the last delivery; the first is due after one cycle.

    An entry that never delivered owes since the day of its publication.
    """
    limit = entry.update_cycle.freshness
    if limit is None:
        return 0
    since = last or datetime.combine(entry.published_on, datetime.min.time(), now.tzinfo)
    return max(int((now - since) / limit), 0)


def _docked(
    catalog: CatalogView,
    id_: str,
    entries: list[CatalogEntry],
    last: Mapping[str, datetime],
    now: datetime,
) -> DockedSystem:
    known = catalog.systems.get(id_)
    system = known or System(id=id_, name=id_, department=entries[0].provider_org)
    department = catalog.departments.get(system.department)
    owed = {entry.id: missing_deliveries(entry, last.get(entry.id), now) for entry in entries}
    missing: dict[str, int] = {}
    for entry in entries:
        if owed[entry.id]:
            cycle = entry.update_cycle.value
            missing[cycle] = missing.get(cycle, 0) + owed[entry.id]
    return DockedSystem(
        connection_id=id_,
        name=system.name,
        kind=", ".join(sorted({entry.source.kind.value for entry in entries})),
        direction=system.direction,
        department=department.name if department else system.department,
        contact=system.contact or (department.contact if department else ""),
        entries=len(entries),
        last_success=max((last[one.id] for one in entries if one.id in last), default=None),
        last_answer=None,
        missing=missing,
        late_entries=tuple(entry_id for entry_id, count in owed.items() if count),
        is_registered=known is not None,
    )
