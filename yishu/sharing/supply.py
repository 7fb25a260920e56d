"""What a catalog has to give, by the words that departments use for it: looked up, not searched.

Ten thousand entries hold some hundred thousand items. To go through all of them for each of a
thousand demands costs more than a page may; a table of words is made once a release.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter

from catalog.model import CatalogEntry
from catalog.vocabulary import ShareType

NEAREST = 3


@dataclass(frozen=True)
class Supply:
    """Entries to look among, by id: in that order they are told where nothing else decides."""

    entries: tuple[CatalogEntry, ...]

    @classmethod
    def shared(cls, entries: Iterable[CatalogEntry]) -> "Supply":
        """What of these entries is shared at all."""
        return cls.of(one for one in entries if one.share.type is not ShareType.NOT_SHARED)

    @classmethod
    def of(cls, entries: Iterable[CatalogEntry]) -> "Supply":
        """All of these entries."""
        return cls(tuple(sorted(entries, key=attrgetter("id"))))

    def holders(self, want: str, *, but: str = "") -> tuple[str, ...]:
        """Ids of the entries that have an item, field or element of that name, or the name itself.

        Args:
            want: The name, exactly.
            but: The body whose own entries do not count.
        """
        found = self._by_name.get(want, {}).items()
        return tuple(sorted(chain.from_iterable(ids for org, ids in found if org != but)))

    def nearest(
        self, words: Iterable[str], *, but: str = "", most: int = NEAREST
    ) -> tuple[str, ...]:
        """Ids of the entries whose names have most pairs of characters in common with words."""
        scores: Counter[int] = Counter()
        for pair in set().union(*map(_pairs, words)):
            # One call a pair: counting ten thousand places one by one would show on a page.
            scores.update(self._by_pair.get(pair, ()))
        close = ((-score, place) for place, score in scores.items() if self._org[place] != but)
        return tuple(self.entries[place].id for _, place in heapq.nsmallest(most, close))

    @cached_property
    def _org(self) -> list[str]:
        return [entry.provider_org for entry in self.entries]

    @cached_property
    def _by_name(self) -> dict[str, dict[str, list[str]]]:
        """Ids of the entries that have a name, by the body that provides them."""
        found: dict[str, dict[str, list[str]]] = {}
        for entry in self.entries:
            for name in set(_names(entry)):
                found.setdefault(name, {}).setdefault(entry.provider_org, []).append(entry.id)
        return found

    @cached_property
    def _by_pair(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, entry in enumerate(self.entries):
            texts = {entry.name, *(item.name for item in entry.items)}
            for pair in set().union(*map(_pairs, texts)):
                found.setdefault(pair, []).append(place)
        return found


def _names(entry: CatalogEntry) -> Iterator[str]:
    yield from (entry.id, entry.name)
    for item in entry.items:
        yield from (item.name, item.field)
        if item.element:
            yield item.element


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}
