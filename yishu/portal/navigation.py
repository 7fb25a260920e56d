"""The one navigation: each area names its links, and for which roles."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.roles import Role

EVERYBODY: frozenset[Role] = frozenset(Role)


@dataclass(frozen=True)
class Link:
    """One entry of the navigation; ``text`` is Chinese, ``order`` says how far to the right."""

    text: str
    path: str
    order: int
    roles: frozenset[Role] = EVERYBODY


def links_for(links: Iterable[Link], role: Role) -> tuple[Link, ...]:
    """What the navigation shows to a role, in order."""
    return tuple(sorted((link for link in links if role in link.roles), key=lambda to: to.order))
