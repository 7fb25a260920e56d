"""Search of the catalog: Chinese by substring, ranked by where the words stand, filtered.

Chinese has no blanks between words, so a word is looked for anywhere in a text. Ten thousand
entries are a few megabytes: they are searched in memory, without an index of the database and
without its extensions.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from catalog.model import CatalogEntry, CatalogView

_NAME, _CODE, _ITEM, _ELEMENT, _ORG, _SUMMARY = 40.0, 30.0, 12.0, 10.0, 8.0, 4.0
_WHOLE, _BEGINNING = 2.0, 1.5
_ENOUGH = 0.5
"""Share of a query's pairs of characters that an entry must have to be near it."""


@dataclass(frozen=True)
class Document:
    """What is searched of one entry; texts are folded: NFKC, small letters, no blanks."""

    entry_id: str
    org: str
    share_type: str
    open_type: str
    data_kind: str
    update_cycle: str
    elements: frozenset[str]
    name: str
    texts: tuple[tuple[float, str], ...]
    everything: str


@dataclass(frozen=True)
class Query:
    """Words, all of which must be there, and values that must fit; an empty one fits all."""

    words: str = ""
    org: str = ""
    share_type: str = ""
    open_type: str = ""
    data_kind: str = ""
    update_cycle: str = ""
    element: str = ""
    only: frozenset[str] | None = None
    """Entries to look among, e.g. those whose data are late; None: all."""

    @property
    def wanted(self) -> tuple[tuple[str, str], ...]:
        """Facets and the values asked of them."""
        asked = ((name, getattr(self, name)) for name in FACETS)
        return tuple((name, value) for name, value in asked if value)


@dataclass(frozen=True)
class Hits:
    """Entries found, the best first; ``near`` when no entry has the words, only parts of them."""

    entry_ids: tuple[str, ...]
    near: bool = False
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


FACETS = ("org", "share_type", "open_type", "data_kind", "update_cycle")


def documents(catalog: CatalogView) -> tuple[Document, ...]:
    """What is searched of each entry of a catalog, short names first.

    In that order `search` answers where words do not tell entries apart.
    """
    found = (_document(entry, catalog) for entry in catalog.entries.values())
    return tuple(sorted(found, key=lambda one: (len(one.name), one.entry_id)))


def _document(entry: CatalogEntry, catalog: CatalogView) -> Document:
    department = catalog.departments.get(entry.provider_org)
    elements = frozenset(item.element for item in entry.items if item.element)
    texts = (  # the heaviest first
        (_NAME, entry.name),
        (_CODE, f"{entry.id} {entry.resource_code}"),
        (_ITEM, " ".join(f"{item.name} {item.field}" for item in entry.items)),
        (_ELEMENT, " ".join(sorted(elements))),
        (_ORG, department.name if department else entry.provider_org),
        (_SUMMARY, entry.summary),
    )
    folded = tuple((weight, fold(text)) for weight, text in texts)
    return Document(
        entry_id=entry.id,
        org=entry.provider_org,
        share_type=entry.share.type.value,
        open_type=entry.open.type.value,
        data_kind=entry.data_kind.value,
        update_cycle=entry.update_cycle.value,
        elements=elements,
        name=fold(entry.name),
        texts=folded,
        everything="\n".join(text for _, text in folded),
    )


def fold(text: str) -> str:
    """A text as it is compared: full width and capitals do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def search(among: Sequence[Document], query: Query) -> Hits:
    """Entries that fit a query, the best first, and how many there are by each facet's values."""
    fitting = _fitting(among, query)
    words = fold(query.words).split()
    found = fitting
    for word in words:
        found = [one for one in found if word in one.everything]
    if not words:
        return _hits(fitting)
    if found:
        return _hits(_ranked((one, _score(one, words)) for one in found))
    pairs = _pairs(words)
    close = ((one, _closeness(one, pairs)) for one in fitting)
    return _hits(_ranked((one, score) for one, score in close if score >= _ENOUGH), near=True)


def _fitting(among: Sequence[Document], query: Query) -> Sequence[Document]:
    # One pass for each thing asked: ten thousand entries leave no time for a call each.
    found = among
    if query.only is not None:
        found = [one for one in found if one.entry_id in query.only]
    if query.element:
        found = [one for one in found if query.element in one.elements]
    for name, value in query.wanted:
        facet = attrgetter(name)
        found = [one for one in found if facet(one) == value]
    return found


def _score(one: Document, words: Sequence[str]) -> float:
    total = 0.0
    for word in words:
        best = next(weight for weight, text in one.texts if word in text)
        if one.name == word:
            best *= _WHOLE
        elif one.name.startswith(word):
            best *= _BEGINNING
        total += best
    return total


def _pairs(words: Iterable[str]) -> list[str]:
    return [word[at : at + 2] for word in words for at in range(max(1, len(word) - 1))]


def _closeness(one: Document, pairs: Sequence[str]) -> float:
    return sum(pair in one.everything for pair in pairs) / len(pairs)


def _ranked(scored: Iterable[tuple[Document, float]]) -> list[Document]:
    return [one for one, _ in sorted(scored, key=lambda pair: -pair[1])]


def _hits(found: Sequence[Document], *, near: bool = False) -> Hits:
    facets: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for values, count in Counter(map(attrgetter(*FACETS), found)).items():
        for name, value in zip(FACETS, values, strict=True):
            facets[name][value] += count
    return Hits(tuple(one.entry_id for one in found), near, facets)
