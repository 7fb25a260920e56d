"""The REST API, version 1: service items with their checks and lists, and quarantined rows."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from catalog.roles import Action
from catalog.vocabulary import ListKind, PublicationSlot
from yishu.governance import item_pages, items, lists
from yishu.governance.item_checks import Check
from yishu.governance.lists import Publication
from yishu.interchange import records
from yishu.ledger.journal import Actor
from yishu.portal.areas.api import ERRORS, PAGE_ROWS, Json, Number
from yishu.portal.areas.api_office import permitted_caller
from yishu.portal.areas.item_lists import required_of
from yishu.portal.areas.items import bodies, counted_by, found_by, history_of
from yishu.portal.areas.quality_rows import seen_rows
from yishu.portal.depends import Caller, Db, Here, Now

router = APIRouter(prefix="/api/v1", responses=ERRORS)

MOST = 10_000
"""Records of one change, which is published as a whole or not at all."""

Keeper = Annotated[Actor, permitted_caller(Action.MAINTAIN_ITEMS)]
Claimant = Annotated[Actor, permitted_caller(Action.CLAIM_ITEM)]
Reason = Annotated[str, Field(min_length=1, max_length=4_000)]


class Changed(BaseModel):
    """Items to publish, each a record as the file of items has it, and the basis."""

    records: list[Json] = Field(min_length=1, max_length=MOST)
    basis: Reason


class Based(BaseModel):
    """The basis of a decision."""

    basis: Reason


class Filled(BaseModel):
    """What a slot says; ``offline`` null: what the counter shows is not known."""

    text: str = Field(max_length=20_000)
    offline: str | None = Field(None, max_length=20_000)


class Published(BaseModel):
    """A list of a body: its rows by key, and the basis."""

    body: str = Field(min_length=1, max_length=120)
    rows: dict[str, Json] = Field(max_length=MOST)
    basis: Reason


class Counted(BaseModel):
    """Findings of each check by the lists of ``body``; ``bodies``: all that have lists."""

    body: str
    bodies: list[str]
    counts: dict[Check, int]


class Linked(BaseModel):
    """A row of the power list that an item's guide rests on."""

    power_row: str = Field(min_length=1, max_length=120)


@router.get("/items", tags=["items"])
def found(
    db: Db, _: Caller, *, q: str = "", org: str | None = None, number: Number = 1
) -> list[Json]:
    """Service items in force that fit, 50 a page."""
    first = (number - 1) * PAGE_ROWS
    rows, _total = items.search(db, q, org, offset=first, limit=PAGE_ROWS)
    return [asdict(one) for one in rows]


@router.get("/items/checks", tags=["items"])
def counts(here: Here, db: Db, _: Caller, body: str = "") -> Counted:
    """How much each check of items finds by the lists of a body, and whose lists there are."""
    own, known = bodies(db, body)
    return Counted(body=own, bodies=known, counts=dict(counted_by(here, db, own)))


@router.get("/items/checks/{check}", tags=["items"])
def checked(
    here: Here,
    db: Db,
    _: Caller,
    *,
    check: Check,
    body: str = "",
    org: str | None = None,
    number: Number = 1,
) -> list[Json]:
    """What a check of items finds by the lists of a body, 50 a page."""
    own, _known = bodies(db, body)
    every = [one for one in found_by(here, db, check, own) if org in (None, one.org)]
    return [asdict(one) for one in every[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]]


@router.get("/items/{code}", tags=["items"])
def item(db: Db, _: Caller, code: str) -> Json:
    """One item: every version with its basis, newest first, slots, power rows, who claimed it."""
    history = history_of(db, code)
    return {
        "versions": [asdict(one) for one in history],
        "slots": item_pages.slots(db, code),
        "power_rows": item_pages.links(db, code),
        "claims": items.claims(db, history[0].basic_code),
    }


@router.post("/items", tags=["items"])
def change(db: Db, now: Now, actor: Keeper, given: Changed) -> Json:
    """Publish items or changes of them: all of it or nothing."""
    wanted = records.checked("records", given.records, items.RECORD)
    items.change_all(db, map(items.from_record, wanted), given.basis, actor, now)
    return {"records": len(given.records)}


@router.post("/items/{code}/cancel", tags=["items"])
def cancel(db: Db, now: Now, actor: Keeper, *, code: str, given: Based) -> Json:
    """Cancel an item; its versions stay readable."""
    items.cancel(db, code, given.basis, actor, now)
    return {"code": code}


@router.post("/items/{code}/claim", tags=["items"])
def claim(db: Db, now: Now, actor: Claimant, code: str) -> Json:
    """Claim an item, by its basic code, for the caller's body."""
    items.claim(db, code, actor, now)
    return {"code": code, "org": actor.org}


@router.post("/items/{code}/slots/{slot}", tags=["items"])
def fill(
    db: Db, now: Now, actor: Keeper, *, code: str, slot: PublicationSlot, given: Filled
) -> Json:
    """Publish what one of the ten slots says."""
    item_pages.fill(db, item_pages.Slot(code, slot, given.text, given.offline), actor, now)
    return {"code": code, "slot": slot}


@router.post("/items/{code}/links", tags=["items"])
def link(db: Db, now: Now, actor: Keeper, *, code: str, given: Linked) -> Linked:
    """Link the guide of an item to a row of the power list; once is enough."""
    item_pages.link(db, code, given.power_row.strip(), actor, now)
    return given


@router.get("/lists/{kind}", tags=["items"])
def listed(
    here: Here, db: Db, _: Caller, *, kind: ListKind, body: str = "", number: Number = 1
) -> Json:
    """A body's list of today: its versions, and the rows by key, 50 a page."""
    own, _known = bodies(db, body)
    rows = list(lists.rows_on(db, kind, own, here.today()).items())
    return {
        "body": own,
        "versions": [asdict(one) for one in lists.versions(db, kind, own)],
        "total": len(rows),
        "rows": dict(rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]),
    }


@router.get("/lists/{kind}/diff", tags=["items"])
def differing(
    db: Db,
    _: Caller,
    *,
    kind: ListKind,
    before: Annotated[int, Query(ge=1)],
    after: Annotated[int, Query(ge=1)],
    body: str = "",
) -> list[Json]:
    """What differs between two versions of a list, row by row."""
    own, _known = bodies(db, body)
    return [asdict(one) for one in lists.diff(db, kind, own, before, after)]


@router.post("/lists/{kind}", tags=["items"])
def publish(db: Db, now: Now, actor: Keeper, *, kind: ListKind, given: Published) -> Json:
    """Publish a list as its next version; the same rows again change nothing."""
    records.checked(kind.label_zh, list(given.rows.values()), required_of(kind))
    wanted = Publication(kind, given.body, given.rows, given.basis)
    return asdict(lists.publish(db, wanted, actor, now))


@router.get("/entries/{entry_id}/rows", tags=["quality"])
def quarantined(
    here: Here,
    db: Db,
    now: Now,
    actor: Caller,
    *,
    entry_id: str,
    run: str,
    number: Number = 1,
) -> list[Json]:
    """Quarantined rows of a run, values masked, with every reason, 20 a page; goes on record."""
    known = here.release().entry(entry_id)
    return seen_rows(here, db, actor, now=now, known=known, run=run, number=number)
