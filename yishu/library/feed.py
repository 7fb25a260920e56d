"""The plan of a subject: which entry feeds which column, in which scope, joined by which items.

Pure: catalog in, plan out, nothing is read. An entry is a *base* of the subject when it is the
source of a key element and carries all of them: its rows make the subject's rows. An entry that is
the source of another element *joins* by the key. An entry that carries an element without being
its source holds a *copy*, which is compared and never used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.model import CatalogEntry, CatalogView, DataElement, Scope, Subject
from yishu.library.errors import SubjectUnbuildable

Scopes = tuple[Scope | None, ...]
"""Where an entry is the source of an element; one of them is enough, None is everywhere."""


@dataclass(frozen=True)
class Feed:
    """What one entry gives to a subject.

    Attributes:
        key: Items of the entry that carry the subject's key, in the order of the key.
        base: Scopes of each key element that the entry is the source of; empty: not a base.
        items: Column of the subject -> item of the entry and the scopes in which it counts;
            without the key columns.
    """

    entry: CatalogEntry
    key: tuple[str, ...]
    base: tuple[Scopes, ...]
    items: Mapping[str, tuple[str, Scopes]]

    @property
    def joins(self) -> bool:
        """Whether the entry may feed a row that it is not the base of."""
        return any((scopes,) != tuple(set(self.base)) for _, scopes in self.items.values())


@dataclass(frozen=True)
class Copy:
    """An item that carries an element whose source is another entry."""

    entry: CatalogEntry
    key: tuple[str, ...]
    item: str
    column: str
    element: str


@dataclass(frozen=True)
class Plan:
    """All feeds of a subject; ``absent`` are source entries that are not in the catalog yet."""

    subject: Subject
    feeds: tuple[Feed, ...]
    copies: tuple[Copy, ...]
    absent: tuple[str, ...]


def plan_subject(subject: Subject, catalog: CatalogView) -> Plan:
    """Say which entry feeds which column.

    Raises:
        SubjectUnbuildable: a source entry lacks an item that it needs, or nobody feeds the key.
    """
    elements = _elements(subject, catalog)
    sources = _sources(elements)
    known = {entry: catalog.entries[entry] for entry in sources if entry in catalog.entries}
    feeds = [
        feed
        for entry in known.values()
        if (feed := _feed(subject, entry, elements, sources[entry.id]))
    ]
    if not any(feed.base for feed in feeds) and len(known) == len(sources):
        raise _unbuildable(
            subject,
            found="no source entry of its key that carries the whole key",
            expected=f"a source entry with items for {', '.join(subject.key)}",
        )
    copies = tuple(_copies(subject, catalog, elements))
    return Plan(subject, tuple(feeds), copies, tuple(sorted(sources.keys() - known.keys())))


def _elements(subject: Subject, catalog: CatalogView) -> dict[str, DataElement]:
    columns = {column.field: column.element for column in subject.columns}
    missing = [key for key in subject.key if key not in columns]
    unknown = [element for element in columns.values() if element not in catalog.elements]
    if missing or unknown:
        raise _unbuildable(
            subject,
            found=f"key or elements without definition: {', '.join([*missing, *unknown])}",
            expected="every key field is a column, every column a data element",
        )
    return {field: catalog.elements[element] for field, element in columns.items()}


def _sources(elements: Mapping[str, DataElement]) -> dict[str, dict[str, Scopes]]:
    """Entry -> column -> scopes in which the entry is the column's source."""
    sources: dict[str, dict[str, Scopes]] = {}
    for column, element in elements.items():
        for source in element.sources:
            columns = sources.setdefault(source.entry, {})
            columns[column] = (*columns.get(column, ()), source.scope)
    return dict(sorted(sources.items()))


def _feed(
    subject: Subject,
    entry: CatalogEntry,
    elements: Mapping[str, DataElement],
    columns: Mapping[str, Scopes],
) -> Feed | None:
    carried = _carried(entry)
    values = {column: scopes for column, scopes in columns.items() if column not in subject.key}
    lacking = [column for column in columns if elements[column].id not in carried]
    key = [carried.get(elements[column].id) for column in subject.key]
    if None in key and not values and not lacking:
        # The source of a part of the key only, e.g. of the case that a material belongs to.
        return None
    if lacking or None in key:
        gaps = {*lacking, *(c for c, item in zip(subject.key, key, strict=True) if item is None)}
        raise _unbuildable(
            subject,
            found=f"{entry.id} without items for {', '.join(sorted(gaps))}",
            expected="a source entry carries what it is the source of, and the whole key",
        )
    feed = Feed(
        entry,
        key=tuple(item for item in key if item is not None),
        base=tuple(columns[column] for column in subject.key if column in columns),
        items={column: (carried[elements[column].id], scopes) for column, scopes in values.items()},
    )
    _require_discriminators(subject, feed)
    return feed


def _require_discriminators(subject: Subject, feed: Feed) -> None:
    scopes = [*feed.base, *(scopes for _, scopes in feed.items.values())]
    for scope in (one for group in scopes for one in group):
        if scope is not None and scope.by not in feed.entry.fields:
            raise _unbuildable(
                subject,
                found=f"{feed.entry.id} without an item {scope.by}",
                expected="a source entry carries the item by which its scope is told",
            )


def _copies(
    subject: Subject, catalog: CatalogView, elements: Mapping[str, DataElement]
) -> Iterator[Copy]:
    columns = {one.id: field for field, one in elements.items() if field not in subject.key}
    for entry in catalog.entries.values():
        carried = _carried(entry)
        key = [carried.get(elements[column].id) for column in subject.key]
        if None in key:
            continue
        whole_key = tuple(item for item in key if item is not None)
        for element, item in carried.items():
            column = columns.get(element)
            if column and all(source.entry != entry.id for source in elements[column].sources):
                yield Copy(entry, whole_key, item, column, element)


def _carried(entry: CatalogEntry) -> dict[str, str]:
    """Element -> item of the entry that carries it; the first one where there are several."""
    carried: dict[str, str] = {}
    for item in entry.items:
        if item.element:
            carried.setdefault(item.element, item.field)
    return carried


def _unbuildable(subject: Subject, *, found: str, expected: str) -> SubjectUnbuildable:
    return SubjectUnbuildable(
        subject.id,
        found=found,
        expected=expected,
        remedy="correct the subject, the data elements or the entries of the catalog",
    )
