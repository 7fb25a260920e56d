"""What can be asked for: an entry of the unified database or a subject, seen from sharing."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import NotCataloged
from catalog.model import CatalogEntry, CatalogView, Subject
from catalog.vocabulary import DataType, Mask, Sensitivity, ShareMode, ShareType, UpdateCycle
from yishu.library.place import subject_table, unified_table

_STRICTEST = (ShareType.NOT_SHARED, ShareType.CONDITIONAL, ShareType.UNCONDITIONAL)


@dataclass(frozen=True)
class Column:
    """A column that can be asked for; ``element`` is None where no data element is named."""

    field: str
    name: str
    type: DataType
    sensitivity: Sensitivity
    mask: Mask
    element: str | None
    share_type: ShareType


@dataclass(frozen=True)
class SharedObject:
    """An entry or a subject as a request sees it.

    Attributes:
        table: Its table of the library.
        entries: The entries that it is made of.
        providers: Departments whose data it holds, by whom a provider's decision is taken.
        basis: Why it is not shared, or on what condition; None where nothing is said.
        service_items: Codes of the service items that it serves; empty: not said.
    """

    id: str
    name: str
    table: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    entries: tuple[str, ...]
    providers: tuple[str, ...]
    share_type: ShareType
    basis: str | None
    modes: tuple[ShareMode, ...]
    cycle: UpdateCycle
    service_items: tuple[str, ...]


def shared_object(catalog: CatalogView, object_id: str) -> SharedObject:
    """An entry or subject by its id.

    Raises:
        NotCataloged: neither a published entry nor a subject.
    """
    if object_id in catalog.entries:
        return _entry(catalog.entries[object_id])
    if object_id in catalog.subjects:
        return _subject(catalog, catalog.subjects[object_id])
    raise NotCataloged(
        object_id,
        found="no published entry or subject of that name",
        expected="an entry or subject of the catalog release in force",
        remedy="look for it with `yishu share find`, or list your demand with `yishu share demand`",
    )


def _entry(entry: CatalogEntry) -> SharedObject:
    columns = {
        item.field: Column(
            item.field,
            item.name,
            item.type,
            item.sensitivity,
            item.mask,
            item.element,
            item.share_type or entry.share.type,
        )
        for item in entry.items
    }
    return SharedObject(
        id=entry.id,
        name=entry.name,
        table=unified_table(entry.id),
        columns=columns,
        key=entry.key,
        entries=(entry.id,),
        providers=(entry.provider_org,),
        share_type=entry.share.type,
        basis=entry.share.basis or entry.share.condition,
        modes=entry.share.modes,
        cycle=entry.update_cycle,
        service_items=entry.service_items,
    )


def _subject(catalog: CatalogView, subject: Subject) -> SharedObject:
    elements = {column.field: catalog.elements[column.element] for column in subject.columns}
    sources = dict.fromkeys(
        source.entry for element in elements.values() for source in element.sources
    )
    entries = [catalog.entries[one] for one in sources if one in catalog.entries]
    share_type = _strictest([entry.share.type for entry in entries])
    columns = {
        field: Column(
            field,
            element.name,
            element.type,
            element.sensitivity,
            element.mask,
            element.id,
            _strictest([_item_type(entry, element.id) for entry in entries]),
        )
        for field, element in elements.items()
    }
    return SharedObject(
        id=subject.id,
        name=subject.name,
        table=subject_table(subject.id),
        columns=columns,
        key=subject.key,
        entries=tuple(entry.id for entry in entries),
        providers=tuple(dict.fromkeys(entry.provider_org for entry in entries)),
        share_type=share_type,
        basis=next(
            (entry.share.basis for entry in entries if entry.share.type is share_type), None
        ),
        modes=tuple(m for m in ShareMode if all(m in entry.share.modes for entry in entries)),
        cycle=UpdateCycle.DAILY,
        service_items=tuple(
            dict.fromkeys(item for entry in entries for item in entry.service_items)
        ),
    )


def _item_type(entry: CatalogEntry, element_id: str) -> ShareType:
    for item in entry.items:
        if item.element == element_id:
            return item.share_type or entry.share.type
    return ShareType.UNCONDITIONAL


def _strictest(types: list[ShareType]) -> ShareType:
    return min(types, key=_STRICTEST.index, default=ShareType.CONDITIONAL)
