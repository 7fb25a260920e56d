"""Pages of long lists: which rows a page holds, and a count that never costs more than it tells.

Nobody turns a thousand pages, so rows are counted up to ``COUNTED``: beyond it a list says "more".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

COUNTED = 10_000

T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """One page of a list.

    Attributes:
        rows: What the page shows.
        total: How many there are, counted to one more than ``COUNTED`` at most.
        number: Which page it is, from 1.
        last: The last page that can be turned to.
    """

    rows: Sequence[T]
    total: int
    number: int
    last: int

    @classmethod
    def of(cls, rows: Sequence[T], total: int, number: int, size: int) -> Self:
        """A page whose rows were chosen elsewhere."""
        return cls(rows, total, number, max(1, -(-min(total, COUNTED) // size)))

    @classmethod
    def cut(cls, every: Sequence[T], number: int, size: int) -> Self:
        """A page of a list that is there as a whole."""
        first = (number - 1) * size
        return cls(every[first : first + size], len(every), number, max(1, -(-len(every) // size)))

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.total > COUNTED
