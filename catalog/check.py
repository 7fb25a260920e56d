"""The check of a whole catalog: every rule, every object, every fault in one go."""

from collections.abc import Iterator
from pathlib import Path

from catalog.faults import Fault, Finding, in_order
from catalog.load import read_catalog
from catalog.model import CatalogView
from catalog.positions import Positions
from catalog.rules import entry, item, modes, ownership, register

ENTRY_RULES = (*entry.RULES, *item.RULES, *modes.RULES)
CATALOG_RULES = (*ownership.RULES, *register.RULES)


def check(catalog: CatalogView, positions: Positions | None = None) -> list[Fault]:
    """All faults between the parts of a catalog, in order of file and line; pure.

    Args:
        catalog: Objects that are sound in themselves, or a draft with placeholders.
        positions: Where they stand; without it faults have neither file nor line.
    """
    return in_order((positions or Positions()).locate(findings(catalog)))


def check_folder(root: Path) -> list[Fault]:
    """All faults of the catalog in a folder: of each file, and between the files."""
    reading = read_catalog(root)
    return in_order([*reading.faults, *check(reading.draft, reading.positions)])


def findings(catalog: CatalogView) -> Iterator[Finding]:
    """The same without places, one by one."""
    for one in catalog.entries.values():
        for entry_rule in ENTRY_RULES:
            yield from entry_rule(one, catalog)
    for rule in CATALOG_RULES:
        yield from rule(catalog)
