"""What the catalog holds: counts by kind, entries by sharing and opening, scopes nobody covers."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from catalog.model import CatalogEntry, CatalogView
from catalog.scope import gaps
from catalog.vocabulary import DataKind, OpenType, ShareType


@dataclass(frozen=True)
class Gap:
    """Values of a discriminator for which no entry is the source of the element."""

    element: str
    scope_list: str
    codes: tuple[str, ...]


def count_by_kind(catalog: CatalogView) -> dict[DataKind, int]:
    """Number of entries of each data kind, kinds without an entry included (S004 Art.13)."""
    counts = Counter(entry.data_kind for entry in catalog.entries.values())
    return {kind: counts[kind] for kind in DataKind}


def select(
    catalog: CatalogView, *, share: ShareType | None = None, open_: OpenType | None = None
) -> list[CatalogEntry]:
    """Entries by sharing and by opening, two independent attributes (S004 Art.14); None: any."""
    return [
        entry
        for entry in catalog.entries.values()
        if share in (None, entry.share.type) and open_ in (None, entry.open.type)
    ]


def listing(
    catalog: CatalogView, *, share: ShareType | None = None, open_: OpenType | None = None
) -> dict[str, Any]:
    """What `select` chooses, a plain record an entry, and how many the catalog has by kind."""
    entries = [
        {
            "id": one.id,
            "name": one.name,
            "data_kind": one.data_kind.label_zh,
            "share": one.share.type.label_zh,
            "open": one.open.type.label_zh,
            "update_cycle": one.update_cycle.label_zh,
            "items": len(one.items),
        }
        for one in select(catalog, share=share, open_=open_)
    ]
    kinds = {kind.label_zh: number for kind, number in count_by_kind(catalog).items()}
    return {"entries": entries, "by_kind": kinds}


def uncovered(catalog: CatalogView) -> list[Gap]:
    """Where a datum has no source yet: for each element, the codes of its scope list left over.

    A gap is a task for the bureau, not a fault of a file.
    """
    found = []
    for element in catalog.elements.values():
        codes = catalog.code_lists.get(element.scope_list or "")
        left = gaps(element.sources, tuple(codes.codes)) if codes else ()
        if codes and left:
            found.append(Gap(element.id, codes.id, left))
    return found
