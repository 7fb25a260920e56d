"""The REST API, version 1: what waits, what was told, cards and orders, and the steps of clocks."""

from dataclasses import asdict
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, model_validator

from catalog.promise import ClockCause
from catalog.roles import Action
from yishu.clocks import legs
from yishu.governance import clock_care, notices
from yishu.governance.board import lines
from yishu.governance.cards import answer_order, cards, orders
from yishu.governance.catalog_clock import accept_no_change, propose_no_change
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger.journal import Actor
from yishu.portal.areas.api import ERRORS, PAGE_ROWS, Json, Number
from yishu.portal.areas.clocks import ChangeForm, changed
from yishu.portal.depends import Caller, Db, Here, Now, PermittedCaller
from yishu.portal.work import work

router = APIRouter(prefix="/api/v1", responses=ERRORS)
Reporter = Annotated[Actor, Depends(PermittedCaller(Action.REPORT_CHANGE))]
Key = Annotated[str, Query(max_length=200)]


@router.get("/work", tags=["clocks"])
def waiting(here: Here, db: Db, now: Now, actor: Caller) -> Json:
    """What waits for the caller, the earliest last day first; how much in all, and how late."""
    return asdict(work(here, db, actor, now))


@router.get("/notices", tags=["clocks"])
def told(db: Db, actor: Caller, *, unread: bool = False, number: Number = 1) -> list[Json]:
    """What the caller's role of their body was told, newest first, 50 a page."""
    first = (number - 1) * PAGE_ROWS
    found = notices.inbox(
        db, org=actor.org, role=actor.role, is_unread=unread, offset=first, limit=PAGE_ROWS
    )
    shown = ("key", "subject", "text", "at", "object_kind", "object_id", "read_at")
    return [{name: value for name, value in asdict(one).items() if name in shown} for one in found]


@router.post("/notices/read", tags=["clocks"])
def read(db: Db, now: Now, actor: Caller, key: Key) -> Json:
    """Note that a notice was read; false: it was before, or is another's."""
    return {"read": notices.mark_read(db, key, actor, now)}


@router.get("/cards", tags=["clocks"])
def issued(db: Db, _: Caller, org: str | None = None, number: Number = 1) -> list[Json]:
    """Yellow and red cards, newest first, 50 a page."""
    found = cards(db, org=org, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    return [asdict(one) for one in found]


@router.get("/orders", tags=["clocks"])
def ordered(db: Db, _: Caller, org: str | None = None, number: Number = 1) -> list[Json]:
    """Supervision orders and their answers, newest first, 50 a page."""
    found = orders(db, org=org, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    return [asdict(one) for one in found]


class Answered(BaseModel):
    """What was done about an order."""

    feedback: str = Field(min_length=1, max_length=4_000)


@router.post("/orders/{order_no}/answer", tags=["clocks"])
def answer(db: Db, now: Now, actor: Caller, order_no: str, given: Answered) -> Json:
    """Answer an order, as the body that it names; its clock ends."""
    answer_order(db, order_no, given.feedback, actor=actor, now=now)
    return {"answered": order_no}


@router.get("/clocks/{clock_id}", tags=["clocks"])
def clock(here: Here, db: Db, now: Now, _: Caller, clock_id: str) -> Json:
    """One clock: how it stands, what happened to it, and which party had it how long."""
    rules = rules_in_force(db, here.release(), here.settings)
    found = clock_care.standing(db, clock_id, rules, now)
    (line,) = lines([found], rules)
    return {
        **asdict(line),
        "due": line.due_text,
        "cause": found.row.cause,
        "closed_at": found.row.closed_at,
        "legs": legs(found.promise, found.row.events, rules.calendar, now),
        "events": found.row.events,
    }


class Clocks(BaseModel):
    """Clocks that run for a change."""

    clocks: list[str]


@router.post("/changes", tags=["clocks"])
def report_change(here: Here, db: Db, now: Now, actor: Reporter, given: ChangeForm) -> Clocks:
    """Register a change of elements, function or law; the catalog's clock starts for each entry.

    Without ``entry`` it concerns all entries of the body.
    """
    return Clocks(clocks=changed(here, db, given, actor, now))


class ClockStep(BaseModel):
    """A step of a clock; ``days`` for an extension alone, ``cause`` for it and for a pause.

    A department proposes that the catalog needs no change, the authority accepts it. Every step
    but the resumption has its reason.
    """

    step: Literal["extend", "pause", "resume", "propose_no_change", "accept_no_change"]
    cause: ClockCause = ClockCause.SPECIAL_REASON
    reason: str = Field("", max_length=4_000)
    days: int = Field(1, ge=1, le=400)
    requester: str | None = Field(None, max_length=80)

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.step != "resume" and not self.reason.strip():
            raise ValueError("this step has a reason")
        return self


@router.post("/clocks/{clock_id}/steps", tags=["clocks"])
def step(here: Here, db: Db, now: Now, actor: Caller, *, clock_id: str, given: ClockStep) -> Json:
    """Consent to an extension, let it stand still or run on, settle that no change is needed."""
    rules = rules_in_force(db, here.release(), here.settings)
    if given.step == "extend":
        wanted = clock_care.Extension(given.days, given.cause, given.reason, given.requester)
        found = clock_care.extend(db, clock_id, wanted, rules, actor=actor, now=now)
    elif given.step == "pause":
        found = clock_care.pause(
            db, clock_id, given.cause, given.reason, rules, actor=actor, now=now
        )
    elif given.step == "resume":
        found = clock_care.resume(db, clock_id, rules, actor=actor, now=now)
    else:
        settle = accept_no_change if given.step == "accept_no_change" else propose_no_change
        settle(db, clock_id, given.reason, actor=actor, now=now)
        found = clock_care.standing(db, clock_id, rules, now)
    return asdict(lines([found], rules)[0])
