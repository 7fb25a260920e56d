"""Demand list, responsibility list, and what of the one meets the other (S004 Art.17).

A department lists the data that it needs, and those that its duties let it give. Matching says of
each demand whether it is met, met in part or unmet, with the nearest entries; what is unmet, and
what is supplied by an entry that stands on no list, goes to the authority.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError
from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert

from catalog.base import Model
from catalog.model import CatalogView
from catalog.roles import Action
from catalog.vocabulary import Labelled, ShareMode, ShareType, UpdateCycle
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareDemand, ShareResponsibility
from yishu.sharing.desk import Desk, reason_of
from yishu.sharing.errors import Missing, RequestIncomplete
from yishu.sharing.filing import fault
from yishu.sharing.supply import Supply


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


def demands(
    desk: Desk, org: str | None = None, *, offset: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """The demand list of a department, or of all, by number."""
    table = ShareDemand
    asked = select(table.__table__).order_by(table.demand_id).offset(offset).limit(limit)
    return desk.connection.execute(asked if org is None else asked.where(table.org == org)).all()


def responsibilities(
    desk: Desk, org: str | None = None, *, offset: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """The responsibility list of a department, or of all, by entry."""
    table = ShareResponsibility
    order = (table.entry_id, table.org)
    asked = select(table.__table__).order_by(*order).offset(offset).limit(limit)
    return desk.connection.execute(asked if org is None else asked.where(table.org == org)).all()


def counted(desk: Desk) -> tuple[int, int]:
    """How many rows the demand lists and the responsibility lists of all departments have."""
    demanded, given = (
        desk.connection.scalar(select(func.count()).select_from(table)) or 0
        for table in (ShareDemand, ShareResponsibility)
    )
    return demanded, given


def providers_without_list(desk: Desk, providers: Iterable[str] | None = None) -> list[str]:
    """Departments that provide an entry (None: look) and have no responsibility list."""
    every = (entry.provider_org for entry in desk.catalog.entries.values())
    listed = desk.connection.scalars(select(ShareResponsibility.org).distinct())
    return sorted(set(every if providers is None else providers) - set(listed))


def unlisted_number(desk: Desk) -> int:
    """How many entries stand on no responsibility list."""
    # One text: the driver takes long over thousands of rows, and ids have no comma.
    listed = select(func.string_agg(ShareResponsibility.entry_id, ","))
    known = set((desk.connection.scalar(listed) or "").split(","))
    return len(desk.catalog.entries) - len(known & desk.catalog.entries.keys())


def unlisted_supply(desk: Desk) -> list[str]:
    """Entries that stand on no responsibility list."""
    listed = desk.connection.scalars(select(ShareResponsibility.entry_id))
    return sorted(set(desk.catalog.entries) - set(listed))


def matches(
    desk: Desk,
    org: str | None = None,
    *,
    supply: Supply | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Matched]:
    """Demands with what meets them, by number.

    Args:
        desk: Where the lists are.
        org: The department whose demands they are; None: all.
        supply: What is shared, where it is at hand; None: made of the desk's catalog.
        offset: How many demands are left out at the beginning.
        limit: How many are told at most.
    """
    rows = demands(desk, org, offset=offset, limit=limit)
    if not rows:
        return []
    among = supply or Supply.shared(desk.catalog.entries.values())
    return [_matched(row, among) for row in rows]


def not_shared(catalog: CatalogView) -> list[NotShared]:
    """How much each department withholds (S004 Art.17), by department."""
    types: dict[str, list[ShareType]] = {}
    for entry in catalog.entries.values():
        types.setdefault(entry.provider_org, []).append(entry.share.type)
    return [
        NotShared(org, found.count(ShareType.NOT_SHARED), len(found))
        for org, found in sorted(types.items())
    ]


def _matched(row: Row[Any], shared: Supply) -> Matched:
    holders = {want: shared.holders(want, but=row.org) for want in row.wanted}
    missing = tuple(want for want, entries in holders.items() if not entries)
    match = (
        Match.MET if not missing else Match.UNMET if len(missing) == len(holders) else Match.PARTLY
    )
    near = shared.nearest(missing, but=row.org) if missing else ()
    found = {want: entries for want, entries in holders.items() if entries}
    return Matched(row.demand_id, row.org, row.title, match, found, missing, near)
