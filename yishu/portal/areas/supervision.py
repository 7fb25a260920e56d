"""Cards, supervision orders and notices: what was signalled, to whom, and what was answered."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from pydantic import BaseModel, Field

from yishu.governance.cards import answer_order, cards, counted, orders
from yishu.governance.notices import counted as notices_counted
from yishu.governance.notices import inbox, mark_read
from yishu.portal.depends import Acting, Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading
from yishu.portal.paging import COUNTED, Part

router = APIRouter(include_in_schema=False)
LINKS = (Link("督办", "/cards", 42), Link("通知", "/notices", 44))

PAGE_ROWS = 50


class Asked(BaseModel):
    """Whose cards and orders, and which page of each list, from 1."""

    org: str = ""
    page: int = Field(1, ge=1)
    order: int = Field(1, ge=1)


@router.get("/cards")
def look(page: Reading, db: Db, asked: Annotated[Asked, Query()]) -> Response:
    """Cards and orders, the newest first."""
    chosen = asked.org or None
    issued, ordered = counted(db, org=chosen)
    found = cards(db, org=chosen, offset=(asked.page - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    sent = orders(db, org=chosen, offset=(asked.order - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    return page.render(
        "supervision/cards.html",
        asked=asked,
        orgs=sorted((one.id, one.name) for one in page.world.release().departments.values()),
        cards=Part.of(found, issued, asked.page, PAGE_ROWS),
        orders=Part.of(sent, ordered, asked.order, PAGE_ROWS),
    )


@router.post("/cards/{order_no}/answer")
def answer(
    order_no: str, page: Reading, db: Db, actor: Acting, feedback: Annotated[str, Form()] = ""
) -> Response:
    """Answer an order, as the body that it names."""
    answer_order(db, order_no, feedback, actor=actor, now=page.now)
    return page.done("/cards", "已提交督办反馈")


@router.get("/notices")
def notices(
    page: Reading, db: Db, actor: Acting, number: Annotated[int, Query(alias="page", ge=1)] = 1
) -> Response:
    """What the reader's role was told, the newest first."""
    first = (number - 1) * PAGE_ROWS
    found = inbox(db, org=actor.org, role=actor.role, offset=first, limit=PAGE_ROWS)
    total = notices_counted(db, org=actor.org, role=actor.role, most=COUNTED + 1)
    part = Part.of(found, total, number, PAGE_ROWS)
    return page.render("supervision/notices.html", part=part)


@router.post("/notices/read")
def read(page: Reading, db: Db, actor: Acting, key: Annotated[str, Form()]) -> Response:
    """Note that one was read."""
    mark_read(db, key, actor, page.now)
    return page.done("/notices")
