"""Figures by body, rolled up along the tree: each its own, and that of all below it (EXC-09)."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import InstrumentedAttribute

from catalog.vocabulary import BodyFigure, EntryState, OrgLevel
from yishu.governance import organisations
from yishu.ledger.models import CatalogVersion, Clock, ItemVersion, Objection

_Count = Callable[[Connection], Mapping[str, int]]


@dataclass(frozen=True)
class OfBody:
    """A body's own figure, and the total of itself and all bodies below it."""

    org: str
    name: str
    level: OrgLevel
    parent: str | None
    own: int
    total: int


def by_body(connection: Connection, figure: BodyFigure, on: date) -> list[OfBody]:
    """A figure of every body of a day, upper levels first; one merged away counts as its successor.

    Raises:
        NotFound: a figure of a body that is not registered.
    """
    tree = organisations.tree(connection, on)
    own: Counter[str] = Counter()
    for org, count in _COUNTS[figure](connection).items():
        own[organisations.present(connection, org, on)] += count
    totals = organisations.roll_up(tree, own)
    return [
        OfBody(one.org, one.name, one.level, one.parent, own[one.org], totals[one.org])
        for one in tree
    ]


def _count(org: InstrumentedAttribute[str], *where: ColumnElement[bool]) -> _Count:
    asked = select(org, func.count()).where(*where).group_by(org)
    return lambda connection: {row[0]: row[1] for row in connection.execute(asked)}


_COUNTS: Mapping[BodyFigure, _Count] = {
    BodyFigure.ENTRIES: _count(
        CatalogVersion.provider_org, CatalogVersion.state == EntryState.PUBLISHED
    ),
    BodyFigure.ITEMS: _count(
        ItemVersion.org, ItemVersion.ended_at.is_(None), ~ItemVersion.is_cancelled
    ),
    BodyFigure.CLOCKS: _count(Clock.holder_org, Clock.closed_at.is_(None)),
    BodyFigure.OBJECTIONS: _count(Objection.source_org, Objection.merged_into.is_(None)),
}
