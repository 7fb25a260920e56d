"""Levels of satisfaction (好差评): 1 is the best, so they are never averaged as they stand.

Interfaces that count stars run the other way. GB/T 39046-2020 A.8; the two worst levels are the
ones that have to be looked into.
"""

from enum import StrEnum

_BEST_STARS = 5


class Satisfaction(StrEnum):
    """The five levels, by the codes of the code list ``satisfaction``."""

    VERY_SATISFIED = "1"
    SATISFIED = "2"
    FAIRLY_SATISFIED = "3"
    DISSATISFIED = "4"
    VERY_DISSATISFIED = "5"

    @property
    def stars(self) -> int:
        """Stars, 5 for the best level."""
        return _BEST_STARS + 1 - int(self)

    @property
    def is_bad(self) -> bool:
        """Whether the rating is a bad one (差评), which has to be followed up."""
        return self in (Satisfaction.DISSATISFIED, Satisfaction.VERY_DISSATISFIED)
