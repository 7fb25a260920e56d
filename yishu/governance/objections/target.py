"""Where an objection goes: the source department of the datum in its scope; pure.

A copy that another department holds is not what has to be corrected, so an objection to it goes to
the one source of the datum (S004 Art.15), found by the element and the row's scope.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.masks import mask
from catalog.model import CatalogEntry, CatalogView, ElementSource
from yishu.governance.errors import ObjectionMisplaced


@dataclass(frozen=True)
class RowKey:
    """The key of a row as it may be kept: masked for people, a keyed digest for programs."""

    masked: str
    digest: str


@dataclass(frozen=True)
class Target:
    """The source entry of what is objected to, and the department that answers for it."""

    entry_id: str
    org: str


def row_key(entry: CatalogEntry, key: Mapping[str, str], secret: str) -> RowKey:
    """The key of a row, masked as its items say and digested with the installation's secret.

    Raises:
        ObjectionMisplaced: the key has other columns than the entry's.
    """
    if set(key) != set(entry.key):
        raise ObjectionMisplaced(
            entry.id,
            found=f"a key of {', '.join(sorted(key)) or 'no column'}",
            expected=f"a key of {', '.join(entry.key)}",
            remedy="give one value for each column of the key",
        )
    values = [str(key[field]) for field in entry.key]
    masked = "、".join(
        mask(value, entry.item(field).mask) for field, value in zip(entry.key, values, strict=True)
    )
    text = "\x1f".join((entry.id, *values)).encode()
    return RowKey(masked, hmac.new(secret.encode(), text, hashlib.sha256).hexdigest())


def target(
    catalog: CatalogView,
    entry_id: str,
    column: str | None = None,
    row: Mapping[str, str] | None = None,
) -> Target:
    """The source entry of a datum and its department.

    Args:
        catalog: Entries and elements.
        entry_id: The entry that somebody objects to.
        column: Field name of the column; None: the entry or row as a whole.
        row: Values of the row by field name, as far as known, for the scope of the datum.

    Raises:
        ObjectionMisplaced: there is no such entry, or it has no such column.
    """
    entry = catalog.entries.get(entry_id)
    if entry is None or (column is not None and column not in entry.fields):
        raise ObjectionMisplaced(
            entry_id if column is None else f"{entry_id}.{column}",
            found="no such entry or column in the catalog",
            expected="an entry of the release in force, and one of its field names",
            remedy="look it up with `yishu catalog show`",
        )
    if column is None:
        return Target(entry.id, entry.provider_org)
    source = catalog.entries.get(_source(catalog, entry, column, row or {}), entry)
    return Target(source.id, _responsible(source, entry, column))


def _source(catalog: CatalogView, entry: CatalogEntry, column: str, row: Mapping[str, str]) -> str:
    element = catalog.elements.get(entry.item(column).element or "")
    if element is None:
        return entry.id
    fitting = [one for one in element.sources if _covers(one, row)]
    names = {one.entry for one in fitting}
    # Where the scope does not decide, whoever published the value answers first.
    return names.pop() if len(names) == 1 else entry.id


def _covers(source: ElementSource, row: Mapping[str, str]) -> bool:
    scope = source.scope
    return scope is None or scope.by not in row or row[scope.by] in scope.values


def _responsible(source: CatalogEntry, entry: CatalogEntry, column: str) -> str:
    element = entry.item(column).element
    fields = [one.field for one in source.items if element and one.element == element]
    if source.id == entry.id:
        fields = [column]
    return source.responsible_org(fields[0]) if fields else source.provider_org
