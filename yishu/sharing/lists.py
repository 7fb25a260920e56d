"""Demand list, responsibility list, and what of the one meets the other (S004 Art.17).

A department lists the data that it needs, and those that its duties let it give. Matching says of
each demand whether it is met, met in part or unmet, with the nearest entries; what is unmet, and
what is supplied by an entry that stands on no list, goes to the authority.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from catalog.base import Model
from catalog.model import CatalogEntry, CatalogView
from catalog.roles import Action
from catalog.vocabulary import Labelled, ShareMode, ShareType, UpdateCycle
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareDemand, ShareResponsibility
from yishu.sharing.desk import Desk, reason_of
from yishu.sharing.errors import Missing, RequestIncomplete
from yishu.sharing.filing import fault

NEAREST = 3


class Demand(Model):
    """One row of a demand list; ``wanted`` names data in the department's own words."""

    title: str = Field(min_length=1)
    wanted: tuple[str, ...] = Field(min_length=1)
    scenario: str = Field(min_length=1)
    service_items: tuple[str, ...] = Field(min_length=1)
    mode: ShareMode
    cycle: UpdateCycle


class Match(Labelled):
    """How far a demand is met."""

    MET = "met", "已满足"
    PARTLY = "partly", "部分满足"
    UNMET = "unmet", "未满足"


@dataclass(frozen=True)
class Matched:
    """A demand and what meets it.

    Attributes:
        entries: Entries that hold wanted data, by what they hold.
        missing: What no shared entry holds.
        nearest: The entries that come nearest, where something is missing.
    """

    demand_id: str
    org: str
    title: str
    match: Match
    entries: dict[str, tuple[str, ...]]
    missing: tuple[str, ...]
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class NotShared:
    """How many entries of a department are not shared, of how many."""

    org: str
    closed: int
    entries: int


def demand_of(content: Any) -> Demand:
    """A demand from plain data.

    Raises:
        RequestIncomplete: every part that is missing or wrong, named.
    """
    try:
        return Demand.model_validate(content)
    except ValidationError as error:
        raise RequestIncomplete("demand", [fault(one) for one in error.errors()]) from None


def list_demand(desk: Desk, demand: Demand, actor: Actor) -> str:
    """Put a demand on the actor's department's list; its number."""
    require(actor, Action.FILE_REQUEST, demand.title, actor.org)
    demand_id = desk.number("XQ")
    values = demand.model_dump(mode="json")
    values |= {"demand_id": demand_id, "org": actor.org, "listed_at": desk.at}
    desk.connection.execute(insert(ShareDemand).values(values))
    desk.step(actor, Action.FILE_REQUEST, demand_id, "demand_listed")
    return demand_id


def list_responsibility(desk: Desk, entry_id: str, duty_basis: str, actor: Actor) -> None:
    """Put an entry on the list of what a department's duties let it give, with the duty."""
    entry = desk.catalog.entries.get(entry_id)
    if entry is None:
        part = Missing("REQ_NO_OBJECT", "entry_id", "请从目录中选择条目。")
        raise RequestIncomplete(entry_id, [part])
    require(actor, Action.COMPILE_ENTRY, entry_id, entry.provider_org)
    basis = reason_of(entry_id, duty_basis, "a responsibility")
    values = {"org": actor.org, "entry_id": entry_id, "duty_basis": basis, "listed_at": desk.at}
    statement = insert(ShareResponsibility).values(values)
    keys = ["org", "entry_id"]
    desk.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    desk.step(actor, Action.COMPILE_ENTRY, entry_id, "responsibility_listed", basis)


def demands(desk: Desk, org: str | None = None) -> Sequence[Row[Any]]:
    """The demand list of a department, or of all."""
    asked = select(ShareDemand.__table__).order_by(ShareDemand.demand_id)
    return desk.connection.execute(
        asked if org is None else asked.where(ShareDemand.org == org)
    ).all()


def responsibilities(desk: Desk, org: str | None = None) -> Sequence[Row[Any]]:
    """The responsibility list of a department, or of all."""
    asked = select(ShareResponsibility.__table__).order_by(ShareResponsibility.entry_id)
    where = ShareResponsibility.org == org
    return desk.connection.execute(asked if org is None else asked.where(where)).all()


def providers_without_list(desk: Desk) -> list[str]:
    """Departments that provide an entry and have no responsibility list."""
    listed = {row.org for row in responsibilities(desk)}
    return sorted({entry.provider_org for entry in desk.catalog.entries.values()} - listed)


def unlisted_supply(desk: Desk) -> list[str]:
    """Entries that stand on no responsibility list."""
    listed = {row.entry_id for row in responsibilities(desk)}
    return sorted(set(desk.catalog.entries) - listed)


def matches(desk: Desk, org: str | None = None) -> list[Matched]:
    """Each demand with what meets it."""
    rows = demands(desk, org)
    if not rows:
        return []
    shared = [
        entry
        for entry in desk.catalog.entries.values()
        if entry.share.type is not ShareType.NOT_SHARED
    ]
    return [_matched(row, shared) for row in rows]


def nearest(
    entries: Iterable[CatalogEntry], words: Iterable[str], most: int = NEAREST
) -> tuple[str, ...]:
    """Ids of the entries whose names and items have most pairs of characters in common."""
    sought = set().union(*(_pairs(word) for word in words))
    scored = [(len(sought & _pairs_of(entry)), entry.id) for entry in entries]
    return tuple(id_ for score, id_ in sorted(scored, key=lambda one: (-one[0], one[1])) if score)[
        :most
    ]


def not_shared(catalog: CatalogView) -> list[NotShared]:
    """How much each department withholds (S004 Art.17), by department."""
    types: dict[str, list[ShareType]] = {}
    for entry in catalog.entries.values():
        types.setdefault(entry.provider_org, []).append(entry.share.type)
    return [
        NotShared(org, found.count(ShareType.NOT_SHARED), len(found))
        for org, found in sorted(types.items())
    ]


def _matched(row: Row[Any], shared: Sequence[CatalogEntry]) -> Matched:
    others = [entry for entry in shared if entry.provider_org != row.org]
    holders = {want: _holders(want, others) for want in row.wanted}
    missing = tuple(want for want, entries in holders.items() if not entries)
    match = (
        Match.MET if not missing else Match.UNMET if len(missing) == len(holders) else Match.PARTLY
    )
    near = nearest(others, missing) if missing else ()
    found = {want: entries for want, entries in holders.items() if entries}
    return Matched(row.demand_id, row.org, row.title, match, found, missing, near)


def _holders(want: str, entries: Sequence[CatalogEntry]) -> tuple[str, ...]:
    """Entries with an item of that name, field or data element, or of that name themselves."""
    return tuple(
        entry.id
        for entry in entries
        if want in (entry.name, entry.id)
        or any(want in (item.name, item.field, item.element) for item in entry.items)
    )


def _pairs_of(entry: CatalogEntry) -> set[str]:
    return set().union(_pairs(entry.name), *(_pairs(item.name) for item in entry.items))


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}
