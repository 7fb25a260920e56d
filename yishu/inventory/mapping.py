"""How each docked system's columns and codes are mapped to the catalog, and what did not map.

S002 二(一)1(3) docks the approval systems of nation, province and city. Each speaks of the same
things in columns of its own; the catalog entry is the mapping. A code that the mapped list does not
know is no row of ours: validation sets the row aside and names the check, and here it is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.model import CatalogEntry, CatalogView, DataItem, code_list_of
from catalog.vocabulary import DataKind
from yishu.ledger import Ledger, VerdictFacts

APPROVAL = frozenset({DataKind.SUBJECT_PROCESS, DataKind.SUBJECT_RESULT, DataKind.SUBJECT_MATERIAL})
"""Kinds of data that approval systems hold: cases, their materials and results."""


@dataclass(frozen=True)
class MappedColumn:
    """One column of a system, and what it is in the catalog.

    Attributes:
        place: The table, file pattern or endpoint.
        element: The data element that the field claims; None: none.
        code_list: The list that its codes must be of, its own or its element's; None: it holds no
            codes.
        unmapped: Rows that the last validation set aside because of a code that the list does not
            know; None: it holds no codes, or nothing was validated yet.
    """

    system: str
    entry: str
    place: str
    column: str
    field: str
    element: str | None
    code_list: str | None
    unmapped: int | None


def mapping(
    catalog: CatalogView,
    verdicts: Mapping[str, VerdictFacts],
    system: str | None = None,
    *,
    approval_only: bool = False,
) -> list[MappedColumn]:
    """All columns of the docked systems that are read, by system and entry; pure.

    Args:
        catalog: A release.
        verdicts: Last verdicts by entry id.
        system: Only this connection; None: all.
        approval_only: Only entries of the kinds of data that approval systems hold.
    """
    chosen = [
        entry
        for entry in catalog.entries.values()
        if system in (None, entry.source.connection)
        and (not approval_only or entry.data_kind in APPROVAL)
    ]
    chosen.sort(key=lambda entry: (entry.source.connection, entry.id))
    return [
        _mapped(entry, item, code_list_of(item, catalog), verdicts.get(entry.id))
        for entry in chosen
        for item in entry.items
    ]


def last_verdicts(catalog: CatalogView, ledger: Ledger) -> dict[str, VerdictFacts]:
    """What the last validation of each entry found; entries never validated are left out."""
    found = {entry_id: ledger.verdict(entry_id) for entry_id in catalog.entries}
    return {entry_id: verdict for entry_id, verdict in found.items() if verdict is not None}


def _mapped(
    entry: CatalogEntry, item: DataItem, code_list: str | None, verdict: VerdictFacts | None
) -> MappedColumn:
    source = entry.source
    unmapped = None
    if code_list is not None and verdict is not None:
        check = f"{item.field}.code_list"
        unmapped = sum(one.failed - one.waived for one in verdict.checks if one.check_id == check)
    return MappedColumn(
        system=source.connection,
        entry=entry.id,
        place=source.table or source.path or source.endpoint or "",
        column=item.source_column,
        field=item.field,
        element=item.element,
        code_list=code_list,
        unmapped=unmapped,
    )
