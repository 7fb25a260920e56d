"""Service items (事项): the list of them, one item with its versions, what is published of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Engine

from catalog.roles import Action
from catalog.vocabulary import ListKind, PublicationSlot
from yishu.governance import item_checks, item_pages, items, lists
from yishu.governance.item_checks import Check
from yishu.interchange import records
from yishu.ledger.journal import Actor
from yishu.portal.depends import Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.tables import workbook
from yishu.portal.world import ZONE, World

router = APIRouter(prefix="/items", include_in_schema=False)
LINKS = (Link("政务服务事项", "/items", 18),)

PAGE_ROWS = 50
MOST_EXPORTED = 1_000_000
"""Rows of a workbook's sheet, nearly; a city has fewer items."""

HEADINGS = ("实施编码", "基本编码", "部门", "事项名称", "网上可办", "版本", "依据", "发布时间")

Keeper = Annotated[Actor, Depends(permitted(Action.MAINTAIN_ITEMS))]
Claimant = Annotated[Actor, Depends(permitted(Action.CLAIM_ITEM))]


class Asked(BaseModel):
    """What the search form sends; ``body``: whose published lists the checks go by."""

    page: int = Field(1, ge=1)
    q: str = ""
    org: str = ""
    body: str = ""

    @property
    def query(self) -> str:
        """What was asked, as the query of an address."""
        asked = self.model_dump(exclude={"page"})
        return urlencode({name: value for name, value in asked.items() if value})


@router.get("")
def look(page: Reading, db: Db, asked: Annotated[Asked, Query()]) -> Response:
    """Items in force, and the ways to their checks and lists."""
    first = (asked.page - 1) * PAGE_ROWS
    rows, total = items.search(db, asked.q, asked.org or None, offset=first, limit=PAGE_ROWS)
    return page.render(
        "items/items.html",
        asked=asked,
        part=Part.of(rows, total, asked.page, PAGE_ROWS),
        orgs=_orgs(page),
        kinds=tuple(ListKind),
    )


@router.get("/export.xlsx")
def export(page: Reading, db: Db, asked: Annotated[Asked, Query()]) -> Response:
    """The items that a search finds, as a workbook."""
    name = page.world.org_name
    found, _ = items.search(db, asked.q, asked.org or None, limit=MOST_EXPORTED)
    rows = (
        [one.implementation_code, one.basic_code, name(one.org), one.name,
         "是" if one.is_online else "否", one.version, one.legal_basis,
         f"{one.published_at.astimezone(ZONE):%Y-%m-%d}"]
        for one in found
    )  # fmt: skip
    return workbook("政务服务事项", HEADINGS, rows)


@router.get("/checks")
def checks(page: Reading, db: Db, asked: Annotated[Asked, Query()]) -> Response:
    """How much each check finds, by the lists of a body."""
    body, known = bodies(db, asked.body)
    return page.render(
        "items/checks.html",
        body=body,
        bodies=[(one, page.world.org_name(one)) for one in known],
        counts=counted_by(page.world, db, body),
    )


@router.post("")
def change(
    page: Reading,
    db: Db,
    actor: Keeper,
    upload: Annotated[UploadFile, File()],
    basis: Annotated[str, Form()],
) -> Response:
    """Publish the items of a file or changes of them: all of it or nothing."""
    wanted = records.read(upload.filename or "", upload.file.read(), items.RECORD)
    items.change_all(db, map(items.from_record, wanted), basis, actor, page.now)
    return page.done("/items", "事项已发布")


@router.post("/claims")
def claim(page: Reading, db: Db, actor: Claimant, code: Annotated[str, Form()]) -> Response:
    """Claim an item for one's own body (认领)."""
    items.claim(db, code.strip(), actor, page.now)
    return page.done(f"/items/checks/{Check.UNCLAIMED}", "事项已认领")


@router.get("/checks/{check}")
def show_check(page: Reading, db: Db, check: Check, asked: Annotated[Asked, Query()]) -> Response:
    """What a check finds, and how much of it is whose."""
    body, known = bodies(db, asked.body)
    every = found_by(page.world, db, check, body)
    shares = Counter(one.org for one in every)
    chosen = [one for one in every if asked.org in ("", one.org)]
    return page.render(
        "items/check.html",
        check=check,
        asked=asked,
        part=Part.cut(chosen, asked.page, PAGE_ROWS),
        shares=sorted(shares.items(), key=lambda one: (-one[1], one[0])),
        orgs=_orgs(page),
        body=body,
        bodies=[(one, page.world.org_name(one)) for one in known],
        may_claim=check is Check.UNCLAIMED and page.may(Action.CLAIM_ITEM),
    )


@router.get("/checks/{check}/export.xlsx")
def export_check(page: Reading, db: Db, check: Check, asked: Annotated[Asked, Query()]) -> Response:
    """What a check finds, as a workbook."""
    body, _ = bodies(db, asked.body)
    found = found_by(page.world, db, check, body)
    rows = (
        [one.code, page.world.org_name(one.org), one.name, one.found]
        for one in found
        if asked.org in ("", one.org)
    )
    return workbook(check.label_zh, ("编码", "部门", "名称", "发现的问题"), rows)


@router.get("/{code}")
def show(page: Reading, db: Db, code: str) -> Response:
    """One item: every version with its basis, its guide, the ten slots."""
    history = history_of(db, code)
    return page.render(
        "items/item.html",
        it=history[0],
        history=history,
        slots=item_pages.slots(db, code),
        every_slot=tuple(PublicationSlot),
        power_rows=item_pages.links(db, code),
        claims=items.claims(db, history[0].basic_code),
    )


def history_of(db: Connection, code: str) -> list[items.ItemState]:
    """Every version of an item, newest first.

    Raises:
        NotFound: there is none.
    """
    history = items.history(db, code)
    if not history:
        raise NotFound(
            code, found="no such item", expected="a published item", remedy="look at the list"
        )
    return history


@router.post("/{code}/cancel")
def cancel(
    page: Reading, db: Db, actor: Keeper, code: str, basis: Annotated[str, Form()] = ""
) -> Response:
    """Cancel an item; its versions stay readable."""
    items.cancel(db, code, basis, actor, page.now)
    return page.done(f"/items/{code}", "事项已取消")


class SlotForm(BaseModel):
    """What a slot says; ``offline`` empty: what the counter shows is not known."""

    slot: PublicationSlot
    text: str = ""
    offline: str = ""


@router.post("/{code}/slots")
def fill(
    page: Reading, db: Db, actor: Keeper, code: str, given: Annotated[SlotForm, Form()]
) -> Response:
    """Publish what one of the ten slots says."""
    slot = item_pages.Slot(code, given.slot, given.text, given.offline or None)
    item_pages.fill(db, slot, actor, page.now)
    return page.done(f"/items/{code}", "公开内容已更新")


@router.post("/{code}/links")
def link(
    page: Reading, db: Db, actor: Keeper, code: str, power_row: Annotated[str, Form()]
) -> Response:
    """Link the guide to a row of the power list."""
    item_pages.link(db, code, power_row.strip(), actor, page.now)
    return page.done(f"/items/{code}", "已关联权责清单")


def bodies(db: Connection, asked: str) -> tuple[str, list[str]]:
    """The body whose lists count, the first of all that have any unless asked; and those."""
    known = lists.bodies(db)
    return asked or (known[0] if known else ""), known


def found_by(
    world: World, db: Connection, check: Check, body: str
) -> Sequence[item_checks.Finding]:
    """What a check finds today by the lists of a body."""
    return _found(db.engine, check, body, world.today(), item_checks.mark(db))


def counted_by(world: World, db: Connection, body: str) -> Mapping[Check, int]:
    """How much each check finds today by the lists of a body."""
    return _counts(db.engine, body, world.today(), item_checks.mark(db))


@lru_cache(maxsize=8)
def _counts(engine: Engine, body: str, on: date, _mark: int) -> Mapping[Check, int]:
    # A city has many items: they are looked at again when a record of the journal says so.
    with engine.connect() as connection:
        return item_checks.counts(connection, body, on)


@lru_cache(maxsize=2)
def _found(
    engine: Engine, check: Check, body: str, on: date, _mark: int
) -> Sequence[item_checks.Finding]:
    # People turn the pages of one check.
    with engine.connect() as connection:
        return item_checks.findings(connection, check, body, on)


def _orgs(page: Page) -> list[tuple[str, str]]:
    return [(one.id, one.name) for one in page.world.release().departments.values()]
