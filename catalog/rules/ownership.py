"""One datum, one source (S004 Art.15): rules between data elements, entries and subjects."""

from collections.abc import Iterator

from catalog.faults import Finding
from catalog.kinds import Kind
from catalog.model import CatalogEntry, CatalogView, DataElement, ElementSource, Subject
from catalog.rules.item import MASKED, unknown_code_list
from catalog.scope import describe, overlap
from catalog.vocabulary import Mask, Sensitivity
from catalog.wording import shown

_RANK = {sensitivity: rank for rank, sensitivity in enumerate(Sensitivity)}


def one_source(catalog: CatalogView) -> Iterator[Finding]:
    """No two claims to one element overlap; the later one is refused, naming the first."""
    for element in catalog.elements.values():
        for i, claim in enumerate(element.sources):
            first = next((s for s in element.sources[:i] if overlap(s.scope, claim.scope)), None)
            if first is not None:
                yield Finding(
                    Kind.ELEMENT,
                    element.id,
                    ("sources", i),
                    "OWN_DUPLICATE_SOURCE",
                    found=f"a claim of {_claim(claim)}",
                    expected=f"no overlap with the first claim, of {_claim(first)}",
                    remedy="narrow one of the scopes so that each datum has one source,"
                    " or drop the later claim",
                )


def _claim(claim: ElementSource) -> str:
    return f"{claim.entry} ({describe(claim.scope)})"


def source_entries(catalog: CatalogView) -> Iterator[Finding]:
    """The source of an element is an entry, and has an item that carries the element."""
    for element in catalog.elements.values():
        for i, claim in enumerate(element.sources):
            entry = catalog.entries.get(claim.entry)
            if entry is None:
                yield Finding(
                    Kind.ELEMENT,
                    element.id,
                    ("sources", i, "entry"),
                    "CAT_ENTRY_UNKNOWN",
                    found=shown(claim.entry),
                    expected="an entry of entries/",
                    remedy="correct the name, or add the entry",
                    other=(Kind.ENTRY, claim.entry, ()),
                )
            elif all(item.element != element.id for item in entry.items):
                yield Finding(
                    Kind.ELEMENT,
                    element.id,
                    ("sources", i, "entry"),
                    "CAT_ELEMENT_UNUSED",
                    found=f"{shown(claim.entry)}, which has no item with this element",
                    expected=f"an item with `element: {element.id}` in that entry",
                    remedy="add `element` to the item that carries it, or drop the claim",
                    other=(Kind.ENTRY, claim.entry, ("items",)),
                )


def scopes(catalog: CatalogView) -> Iterator[Finding]:
    """Scopes name values of a code list, so that what nobody covers can be told."""
    for element in catalog.elements.values():
        yield from _element_lists(element, catalog)
        codes = catalog.code_lists.get(element.scope_list or "")
        for i, claim in enumerate(element.sources):
            if claim.scope is None:
                continue
            if element.scope_list is None:
                yield Finding(
                    Kind.ELEMENT,
                    element.id,
                    ("sources", i, "scope"),
                    "CAT_SCOPE_UNLISTED",
                    found=f"a scope by `{claim.scope.by}` without the list of its values",
                    expected="`scope_list`, the code list of the discriminator",
                    remedy="add `scope_list: …` to the element",
                )
            for j, value in enumerate(claim.scope.values if codes else ()):
                if codes and value not in codes.codes:
                    yield Finding(
                        Kind.ELEMENT,
                        element.id,
                        ("sources", i, "scope", "values", j),
                        "CAT_CODE_UNKNOWN",
                        found=shown(value),
                        expected=f"a code of `{codes.id}`: {', '.join(codes.codes)}",
                        remedy="correct the value, or add it to the code list",
                        other=(Kind.CODE_LIST, codes.id, ("codes",)),
                    )


def _element_lists(element: DataElement, catalog: CatalogView) -> Iterator[Finding]:
    for key in ("code_list", "scope_list"):
        name = getattr(element, key)
        if name is not None and name not in catalog.code_lists:
            yield unknown_code_list(Kind.ELEMENT, element.id, (key,), name)


def items_match_elements(catalog: CatalogView) -> Iterator[Finding]:
    """An item has the type, format and code list of its element, and is no less sensitive."""
    for entry in catalog.entries.values():
        for i, item in enumerate(entry.items):
            if item.element is None:
                continue
            element = catalog.elements.get(item.element)
            if element is None:
                yield Finding(
                    Kind.ENTRY,
                    entry.id,
                    ("items", i, "element"),
                    "CAT_ELEMENT_UNKNOWN",
                    found=shown(item.element),
                    expected="a data element of elements.yaml",
                    remedy="correct the name, or add the element",
                    other=(Kind.ELEMENT, item.element, ()),
                )
                continue
            yield from _differences(entry, i, element)


def _differences(entry: CatalogEntry, i: int, element: DataElement) -> Iterator[Finding]:
    item = entry.items[i]
    for key in ("type", "format", "code_list"):
        wanted, found = getattr(element, key), getattr(item, key)
        if found != wanted:
            yield Finding(
                Kind.ENTRY,
                entry.id,
                ("items", i, key),
                "CAT_ELEMENT_MISMATCH",
                found=f"{key} {shown(found)} in `{item.field}`",
                expected=f"{key} {shown(wanted)}, as in the element {element.id}",
                remedy="one name means one thing: align the item with its element",
                other=(Kind.ELEMENT, element.id, (key,)),
            )
    if item.sensitivity in MASKED and element.sensitivity in MASKED and item.mask != element.mask:
        yield Finding(
            Kind.ENTRY,
            entry.id,
            ("items", i, "mask"),
            "CAT_ELEMENT_MISMATCH",
            found=f"mask {shown(item.mask.value)} in `{item.field}`",
            expected=f"mask {shown(element.mask.value)}, as in the element {element.id}",
            remedy="one personal datum is masked one way: align the item with its element",
            other=(Kind.ELEMENT, element.id, ("mask",)),
        )
    if _RANK[item.sensitivity] < _RANK[element.sensitivity]:
        yield Finding(
            Kind.ENTRY,
            entry.id,
            ("items", i, "sensitivity"),
            "CAT_SENSITIVITY_LOWERED",
            found=f"{shown(item.sensitivity.value)} in `{item.field}`",
            expected=f"{shown(element.sensitivity.value)} or more, as in the element {element.id}",
            remedy="raise the item's sensitivity",
            other=(Kind.ELEMENT, element.id, ("sensitivity",)),
        )


def element_masks(catalog: CatalogView) -> Iterator[Finding]:
    """Personal elements have a mask, for subject tables show them by it (PIPL Art.51)."""
    for element in catalog.elements.values():
        if element.sensitivity in MASKED and element.mask is Mask.NONE:
            yield Finding(
                Kind.ELEMENT,
                element.id,
                ("mask",),
                "CAT_MASK_MISSING",
                found=f"no mask on an element that is {element.sensitivity}",
                expected="one of " + ", ".join(mask for mask in Mask if mask is not Mask.NONE),
                remedy="add `mask: …`; `full` hides the value altogether",
            )


def subjects(catalog: CatalogView) -> Iterator[Finding]:
    """A subject's columns carry known elements, each once; its key is among its columns."""
    for subject in catalog.subjects.values():
        fields = [column.field for column in subject.columns]
        for i, column in enumerate(subject.columns):
            if column.element not in catalog.elements:
                yield Finding(
                    Kind.SUBJECT,
                    subject.id,
                    ("columns", i, "element"),
                    "CAT_ELEMENT_UNKNOWN",
                    found=shown(column.element),
                    expected="a data element of elements.yaml",
                    remedy="correct the name, or add the element",
                    other=(Kind.ELEMENT, column.element, ()),
                )
            if column.field in fields[:i]:
                yield _subject_finding(
                    subject, i, "CAT_ITEM_DUPLICATE", f"the column `{column.field}` again"
                )
        for field in subject.key:
            if field not in fields:
                yield _subject_finding(
                    subject, None, "CAT_ITEM_UNKNOWN", f"the key {shown(field)}, which is no column"
                )


def subject_links(catalog: CatalogView) -> Iterator[Finding]:
    """A link goes from columns of its subject to as many columns of another that there is."""
    for subject in catalog.subjects.values():
        fields = {column.field for column in subject.columns}
        for i, link in enumerate(subject.links):
            target = catalog.subjects.get(link.subject)
            if target is None:
                known = ", ".join(sorted(catalog.subjects))
                yield _link_finding(
                    subject, i, "subject", shown(link.subject), f"a subject among {known}"
                )
                continue
            there = {column.field for column in target.columns}
            asked = {*link.columns, *([link.when.by] if link.when else [])}
            to = link.to or target.key
            if strange := sorted(asked - fields):
                yield _link_finding(
                    subject, i, "columns", ", ".join(strange), f"columns of {subject.id}"
                )
            if set(to) - there or len(to) != len(link.columns):
                yield _link_finding(
                    subject,
                    i,
                    "to",
                    ", ".join(to),
                    f"{len(link.columns)} columns of {target.id}: {', '.join(sorted(there))}",
                )


def _link_finding(subject: Subject, place: int, field: str, found: str, expected: str) -> Finding:
    return Finding(
        Kind.SUBJECT,
        subject.id,
        ("links", place, field),
        "CAT_LINK_UNKNOWN",
        found=found,
        expected=expected,
        remedy="correct the link, or define what it points to",
    )


def _subject_finding(subject: Subject, column: int | None, code: str, found: str) -> Finding:
    return Finding(
        Kind.SUBJECT,
        subject.id,
        ("key",) if column is None else ("columns", column, "field"),
        code,
        found=found,
        expected=f"columns {', '.join(dict.fromkeys(c.field for c in subject.columns))}, each once",
        remedy="correct the name",
    )


RULES = (
    one_source,
    source_entries,
    scopes,
    items_match_elements,
    element_masks,
    subjects,
    subject_links,
)
