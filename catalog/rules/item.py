"""Rules of the data items of one entry, and of its key and quality rules over them."""

import re
from collections import Counter
from collections.abc import Iterator

from catalog.faults import Finding, KeyPath
from catalog.kinds import Kind
from catalog.model import CatalogEntry, CatalogView, DataItem, code_list_of
from catalog.vocabulary import DataType, Mask, Sensitivity
from catalog.wording import shown

_DAYS = (DataType.DATE, DataType.TIMESTAMP)
_NUMBERS = (DataType.INTEGER, DataType.DECIMAL, DataType.MONEY)
MASKED = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE_PERSONAL)

_FITTING: dict[str, tuple[DataType, ...]] = {
    "length": (DataType.STRING,),
    "pattern": (DataType.STRING,),
    "format": (DataType.STRING,),
    "code_list": (DataType.STRING,),
    "scale": (DataType.DECIMAL, DataType.MONEY),
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
    "open_ended": (DataType.DATE,),
}
"""Which types an item's optional rules make sense for."""


def _finding(
    entry: CatalogEntry, path: KeyPath, code: str, *, found: str, expected: str, remedy: str
) -> Finding:
    return Finding(Kind.ENTRY, entry.id, path, code, found, expected, remedy)


def masks(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Personal data have a mask: outside need-to-know nobody sees them whole (PIPL Art.51)."""
    for i, item in enumerate(entry.items):
        if item.sensitivity in MASKED and item.mask is Mask.NONE:
            yield _finding(
                entry,
                ("items", i, "mask"),
                "CAT_MASK_MISSING",
                found=f"no mask on `{item.field}`, which is {item.sensitivity}",
                expected="one of " + ", ".join(mask for mask in Mask if mask is not Mask.NONE),
                remedy="add `mask: …`; `full` hides the value altogether",
            )


def names(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Each field, source column and data element occurs in one item only."""
    yield from _repeated(entry, "field", [item.field for item in entry.items])
    yield from _repeated(entry, "column", [item.source_column for item in entry.items])
    yield from _repeated(entry, "element", [item.element for item in entry.items])


def _repeated(entry: CatalogEntry, key: str, values: list[str | None]) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for i, value in enumerate(values):
        if value is None:
            continue
        if value in seen:
            yield _finding(
                entry,
                ("items", i, key),
                "CAT_ITEM_DUPLICATE",
                found=f"the {key} {shown(value)} again, first in item {seen[value] + 1}",
                expected=f"each {key} in one item",
                remedy="rename or remove one of the two items",
            )
        seen.setdefault(value, i)


def types(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Length, pattern, range and the like fit the type; the range is not empty."""
    for i, item in enumerate(entry.items):
        for key, fitting in _FITTING.items():
            if getattr(item, key) not in (None, False) and item.type not in fitting:
                yield _finding(
                    entry,
                    ("items", i, key),
                    "CAT_ITEM_MISFIT",
                    found=f"`{key}` on `{item.field}`, which is {item.type}",
                    expected=f"`{key}` on {', '.join(fitting)} only",
                    remedy=f"remove `{key}` or correct the type",
                )
        if item.minimum is not None and item.maximum is not None and item.minimum > item.maximum:
            yield _finding(
                entry,
                ("items", i, "minimum"),
                "CAT_ITEM_MISFIT",
                found=f"a minimum of {item.minimum:g} above the maximum of {item.maximum:g}",
                expected="a minimum that is not above the maximum",
                remedy="swap or correct the two",
            )


def patterns(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Patterns are regular expressions."""
    for i, item in enumerate(entry.items):
        if item.pattern is None:
            continue
        try:
            re.compile(item.pattern)
        except re.error as error:
            yield _finding(
                entry,
                ("items", i, "pattern"),
                "CAT_PATTERN_BROKEN",
                found=f"{shown(item.pattern)}: {error}",
                expected="a regular expression",
                remedy="correct the pattern; put it in single quotes",
            )


def code_lists(entry: CatalogEntry, catalog: CatalogView) -> Iterator[Finding]:
    """Code lists exist."""
    for i, item in enumerate(entry.items):
        if item.code_list is not None and item.code_list not in catalog.code_lists:
            yield unknown_code_list(Kind.ENTRY, entry.id, ("items", i, "code_list"), item.code_list)


def unknown_code_list(kind: Kind, id_: str, path: KeyPath, code_list: str) -> Finding:
    """The finding for a code list that no file of ``code_lists/`` holds."""
    return Finding(
        kind,
        id_,
        path,
        "CAT_CODE_LIST_UNKNOWN",
        found=shown(code_list),
        expected="a code list of code_lists/",
        remedy="correct the name, or add the code list",
        other=(Kind.CODE_LIST, code_list, ()),
    )


def key(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """The key consists of items that are never null."""
    for i, field in enumerate(entry.key):
        position = _position(entry, field)
        if position is None:
            yield _no_such_item(entry, ("key", i), field)
        elif entry.items[position].nullable:
            yield _finding(
                entry,
                ("items", position),
                "CAT_KEY_NULLABLE",
                found=f"the key item `{field}`, which may be null",
                expected="`nullable: false` on every item of the key",
                remedy="add `nullable: false` to the item, or choose another key",
            )
    for field, count in Counter(entry.key).items():
        if count > 1:
            yield _finding(
                entry,
                ("key",),
                "CAT_ITEM_DUPLICATE",
                found=f"`{field}` {count} times in the key",
                expected="each field once",
                remedy="remove the repetition",
            )


def quality(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Rules of order and uniqueness speak of items; ordered items are of one type."""
    for i, order in enumerate(entry.quality.ordered):
        ends = {"earlier": order.earlier, "later": order.later}
        known = [item for item in entry.items if item.field in ends.values()]
        for end, field in ends.items():
            if _position(entry, field) is None:
                yield _no_such_item(entry, ("quality", "ordered", i, end), field)
        if len({item.type for item in known}) > 1:
            yield _finding(
                entry,
                ("quality", "ordered", i),
                "CAT_ITEM_MISFIT",
                found=" and ".join(_typed(item) for item in known),
                expected="two items of one type",
                remedy="correct the types or drop the rule",
            )
    for i, fields in enumerate(entry.quality.unique):
        for j, field in enumerate(fields):
            if _position(entry, field) is None:
                yield _no_such_item(entry, ("quality", "unique", i, j), field)


def in_force(entry: CatalogEntry, catalog: CatalogView) -> Iterator[Finding]:
    """A code is in force on a day of its row: it has a code list, and the day is one."""
    for i, rule in enumerate(entry.quality.in_force):
        path = ("quality", "in_force", i)
        for end, field in (("code", rule.code), ("day", rule.day)):
            if _position(entry, field) is None:
                yield _no_such_item(entry, (*path, end), field)
        days = [item for item in entry.items if item.field == rule.day and item.type not in _DAYS]
        listless = [
            item
            for item in entry.items
            if item.field == rule.code and code_list_of(item, catalog) is None
        ]
        for end, item in (*(("day", one) for one in days), *(("code", one) for one in listless)):
            yield _finding(
                entry,
                (*path, end),
                "CAT_ITEM_MISFIT",
                found=_typed(item),
                expected="a date or timestamp" if end == "day" else "an item with a code list",
                remedy="name another item or drop the rule",
            )


def _typed(item: DataItem) -> str:
    return f"`{item.field}` ({item.type})"


def _position(entry: CatalogEntry, field: str) -> int | None:
    return next((i for i, item in enumerate(entry.items) if item.field == field), None)


def _no_such_item(entry: CatalogEntry, path: KeyPath, field: str) -> Finding:
    return _finding(
        entry,
        path,
        "CAT_ITEM_UNKNOWN",
        found=shown(field),
        expected=f"a field among {', '.join(entry.fields)}",
        remedy="correct the name, or add the item",
    )


RULES = (masks, names, types, patterns, code_lists, key, quality, in_force)
