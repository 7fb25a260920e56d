"""Scopes: in which part of a city's data an entry is the source of an element (S004 Art.15).

A scope names one discriminator and the values it covers; no scope means everything.
"""

from collections.abc import Collection, Sequence

from catalog.model import ElementSource, Scope


def overlap(first: Scope | None, second: Scope | None) -> bool:
    """Whether some datum may lie in both.

    Scopes on different discriminators count as overlapping: nothing shows that they do not, and
    two sources of one datum are worse than one refused claim.
    """
    if first is None or second is None or first.by != second.by:
        return True
    return not set(first.values).isdisjoint(second.values)


def covers(sources: Sequence[ElementSource], value: str) -> bool:
    """Whether one of the sources is responsible where the discriminator has that value."""
    return any(source.scope is None or value in source.scope.values for source in sources)


def gaps(sources: Sequence[ElementSource], values: Collection[str]) -> tuple[str, ...]:
    """The discriminator's values, in the given order, for which nobody is the source."""
    return tuple(value for value in values if not covers(sources, value))


def describe(scope: Scope | None) -> str:
    """A scope as a person reads it: ``registrar in 5, 9`` or ``everything``."""
    return "everything" if scope is None else f"{scope.by} in {', '.join(scope.values)}"
