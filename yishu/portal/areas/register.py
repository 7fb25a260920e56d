"""The source register (one datum, one source), and the disputes over it."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from catalog.model import CatalogView, Scope
from catalog.roles import Action
from yishu.governance import disputes, sources
from yishu.governance.sources import Claim, Registered
from yishu.ledger.journal import Actor
from yishu.portal.depends import Acting, Db, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.world import World

router = APIRouter(prefix="/register", include_in_schema=False)
LINKS = (Link("数源登记", "/register", 16),)

PAGE_ROWS = 50
CONSULTING_DAYS = 15
"""Proposed days of a stage of a dispute; whoever files changes the date."""

STAGES = {
    disputes.Stage.CONSULTING: "双方协商",
    disputes.Stage.AUTHORITY: "主管部门裁定",
    disputes.Stage.SUPERIOR: "上级裁定",
    disputes.Stage.DECIDED: "已裁定",
}

Number = Annotated[int, Path(ge=1, lt=2**31)]
Claimant = Annotated[Actor, Depends(permitted(Action.CLAIM_SOURCE))]
Disputant = Annotated[Actor, Depends(permitted(Action.OPEN_DISPUTE))]
Party = Annotated[Actor, Depends(permitted(Action.CONSULT_DISPUTE))]
Judge = Annotated[Actor, Depends(permitted(Action.DECIDE_DISPUTE))]


class Asked(BaseModel):
    """What a claim's or a dispute's form sends; ``values`` empty: everything."""

    element: str
    entry: str
    by: str = ""
    values: str = ""
    since: date
    why: str

    @property
    def claim(self) -> Claim:
        """The claim that is meant."""
        values = tuple(one.strip() for one in self.values.split(",") if one.strip())
        scope = Scope(by=self.by, values=values) if self.by and values else None
        return Claim(self.element, self.entry, scope, self.since, self.why)


@router.get("")
def look(
    page: Reading,
    db: Db,
    actor: Acting,
    *,
    element: str = "",
    org: str = "",
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
) -> Response:
    """Sources of today, with the decision that made each so; and what nobody is the source of."""
    today, release = page.world.today(), page.world.release()
    every = sources.register_of(db, today)
    found = [one for one in every if element in ("", one.element_id) and org in ("", one.org)]
    return page.render(
        "register/register.html",
        part=Part.cut(found, number, PAGE_ROWS),
        element=element,
        org=org,
        orgs=[(one.id, one.name) for one in release.departments.values()],
        elements=[(one.id, f"{one.name}（{one.id}）") for one in release.elements.values()],
        own=[(one.id, one.name) for one in page.world.entries_of(actor.org)],
        element_names={one.id: one.name for one in release.elements.values()},
        names=page.world.names(),
        gaps=sources.gaps(page.world.rules().registers, every),
        scope=lambda one: _scope(release, one),
        today=today,
        open_disputes=len(disputes.listed(db)),
    )


@router.post("/claims")
def claim(page: Reading, db: Db, actor: Claimant, given: Annotated[Asked, Form()]) -> Response:
    """Register an entry as a source; an overlap is refused, naming the first claim."""
    sources.claim(db, given.claim, actor, page.now)
    return page.done(f"/register?element={given.element}", "数源已登记")


@router.post("/disputes")
def dispute(page: Reading, db: Db, actor: Disputant, given: Annotated[Asked, Form()]) -> Response:
    """Dispute the claim that stands against one's own."""
    made = disputes.open_dispute(db, given.claim, _proposed(page), actor, page.now)
    return page.done(f"/register/disputes/{made.dispute}", "争议已提出")


@router.get("/disputes")
def board(page: Reading, db: Db) -> Response:
    """Disputes, the undecided with the nearest deadline first."""
    found = disputes.listed(db, undecided=False)
    found.sort(key=lambda one: one.stage is disputes.Stage.DECIDED)
    release = page.world.release()
    return page.render(
        "register/disputes.html",
        rows=found,
        stages=STAGES,
        elements=release.elements,
        today=page.world.today(),
    )


@router.get("/disputes/{number}")
def show(page: Reading, db: Db, number: Number) -> Response:
    """One dispute: what, between whom, where it is, and what the reader may do now."""
    release = page.world.release()
    found = disputes.find(db, number)
    return page.render(
        "register/dispute.html",
        it=found,
        stages=STAGES,
        element=release.elements.get(found.element_id),
        names=page.world.names(),
        proposed=_proposed(page),
        today=page.world.today(),
    )


@router.post("/disputes/{number}/escalate")
def escalate(
    page: Reading, db: Db, actor: Acting, number: Number, due: Annotated[date, Form()]
) -> Response:
    """Pass it on: from the two bodies to the authority, from it to the common superior."""
    disputes.escalate(db, number, due, actor, page.now)
    return page.done(f"/register/disputes/{number}", "已办理")


class RulingForm(BaseModel):
    """Who is the source, from which day, and why."""

    winner: str
    since: date
    reason: str = ""


@router.post("/disputes/{number}/concede")
def concede(
    page: Reading, db: Db, actor: Party, number: Number, given: Annotated[RulingForm, Form()]
) -> Response:
    """Give way while the bodies consult."""
    disputes.concede(db, number, ruling_of(page.world, db, number, given), actor, page.now)
    return page.done(f"/register/disputes/{number}", "已办理")


@router.post("/disputes/{number}/decide")
def decide(
    page: Reading, db: Db, actor: Judge, number: Number, given: Annotated[RulingForm, Form()]
) -> Response:
    """Decide it; the source moves on that day."""
    disputes.decide(db, number, ruling_of(page.world, db, number, given), actor, page.now)
    return page.done(f"/register/disputes/{number}", "已裁定")


def ruling_of(world: World, db: Connection, number: int, given: RulingForm) -> disputes.Ruling:
    """The ruling that is meant, with all values of the scope that the dispute is about."""
    registers = world.rules().registers
    element = registers.elements.get(disputes.find(db, number).element_id)
    codes = registers.code_lists.get((element and element.scope_list) or "")
    every = tuple(codes.codes) if codes else ()
    return disputes.Ruling(given.winner, given.since, given.reason, every)


def _scope(catalog: CatalogView, one: Registered) -> str | None:
    """The names of a claim's values; None: everything."""
    if one.scope is None:
        return None
    element = catalog.elements.get(one.element_id)
    codes = catalog.code_lists.get((element and element.scope_list) or "")
    names = codes.codes if codes else {}
    return "、".join(names.get(value, value) for value in one.scope.values)


def _proposed(page: Page) -> date:
    return page.world.today() + timedelta(days=CONSULTING_DAYS)
