"""Demand and responsibility lists: what departments need, what their duties let them give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from catalog.roles import Action
from catalog.vocabulary import ShareMode, UpdateCycle
from yishu.ledger.journal import Actor
from yishu.portal.areas.sharing import desk_of
from yishu.portal.depends import Db, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.problems import of_error
from yishu.portal.world import World
from yishu.sharing import lists
from yishu.sharing.desk import Desk
from yishu.sharing.errors import RequestIncomplete

router = APIRouter(prefix="/demands", include_in_schema=False)
LINKS = (Link("供需清单", "/demands", 21),)

PAGE_ROWS = 50


class Turned(BaseModel):
    """Which page of each list is looked at, from 1."""

    page: int = Field(1, ge=1)
    duties: int = Field(1, ge=1)


Officer = Annotated[Actor, Depends(permitted(Action.FILE_REQUEST))]
Compiler = Annotated[Actor, Depends(permitted(Action.COMPILE_ENTRY))]
Text = Annotated[str, Form()]


@router.get("")
def show(page: Reading, db: Db, turned: Annotated[Turned, Query()]) -> Response:
    """Both lists, what meets which demand, and what stands on no list."""
    return _lists(page, db, turned)


@router.post("")
def add(
    page: Reading,
    db: Db,
    actor: Officer,
    *,
    title: Text = "",
    wanted: Text = "",
    scenario: Text = "",
    service_items: Text = "",
    mode: Text = "",
    cycle: Text = "",
) -> Response:
    """Put a demand on the department's list; all that is missing is said at once."""
    given = {"title": title, "wanted": wanted, "scenario": scenario, "mode": mode, "cycle": cycle}
    given["service_items"] = service_items
    split = {"wanted": _parts(wanted), "service_items": _parts(service_items)}
    try:
        lists.list_demand(desk_of(page, db), lists.demand_of({**given, **split}), actor)
    except RequestIncomplete as wrong:
        return _lists(page, db, Turned(), given, wrong)
    return page.done("/demands", "已保存")


@router.post("/duties")
def add_duty(
    page: Reading, db: Db, actor: Compiler, *, entry_id: Text = "", duty_basis: Text = ""
) -> Response:
    """Put an entry on the department's responsibility list, with the duty."""
    lists.list_responsibility(desk_of(page, db), entry_id, duty_basis, actor)
    return page.done("/demands", "已保存")


def _lists(
    page: Page,
    db: Connection,
    turned: Turned,
    given: dict[str, str] | None = None,
    wrong: RequestIncomplete | None = None,
) -> Response:
    desk = desk_of(page, db)
    org = page.signed.actor.org if page.signed else ""
    demanded, listed = lists.counted(desk)
    facts: dict[str, Any] = {
        "demands": Part.of(_matches(page, desk, turned.page), demanded, turned.page, PAGE_ROWS),
        "duties": Part.of(_duties(desk, turned.duties), listed, turned.duties, PAGE_ROWS),
        "turned": turned,
        **vars(gaps(page.world, desk)),
        "own": [(one.id, one.name) for one in page.world.entries_of(org)],
        "names": page.world.names(),
        "modes": tuple(ShareMode),
        "cycles": tuple(UpdateCycle),
        "given": given or {},
        "lacking": wrong.parts if wrong else (),
        "problem": of_error(wrong) if wrong else None,
    }
    return page.render("demands/demands.html", 422 if wrong else 200, **facts)


@dataclass(frozen=True)
class Gaps:
    """What stands on no list.

    Attributes:
        unlisted: How many entries in force are on no responsibility list.
        without: Bodies that have an entry in force and no such list.
        closed: How much of their entries bodies do not share.
    """

    unlisted: int
    without: Sequence[str]
    closed: Sequence[lists.NotShared]


def gaps(world: World, desk: Desk) -> Gaps:
    """What stands on no list today."""
    without = lists.providers_without_list(desk, world.providers())
    return Gaps(lists.unlisted_number(desk), without, world.withheld())


def _matches(page: Page, desk: Desk, number: int) -> list[lists.Matched]:
    first = (number - 1) * PAGE_ROWS
    return lists.matches(desk, supply=page.world.supply(), offset=first, limit=PAGE_ROWS)


def _duties(desk: Desk, number: int) -> Sequence[Row[Any]]:
    return lists.responsibilities(desk, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)


def _parts(text: str) -> list[str]:
    split = text.replace("，", ",").replace("、", ",").split(",")
    return [one.strip() for one in split if one.strip()]
