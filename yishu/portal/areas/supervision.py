"""Cards, supervision orders and notices: what was signalled, to whom, and what was answered."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from yishu.governance.cards import answer_order, cards, orders
from yishu.governance.notices import inbox, mark_read
from yishu.portal.depends import Acting, Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading

router = APIRouter(include_in_schema=False)
LINKS = (Link("督办", "/cards", 42), Link("通知", "/notices", 44))


@router.get("/cards")
def look(page: Reading, db: Db, org: str = "") -> Response:
    """Cards and orders, the newest first."""
    chosen = org or None
    return page.render(
        "supervision/cards.html",
        org=org,
        orgs=sorted((one.id, one.name) for one in page.world.release().departments.values()),
        cards=cards(db, org=chosen),
        orders=orders(db, org=chosen),
    )


@router.post("/cards/{order_no}/answer")
def answer(
    order_no: str, page: Reading, db: Db, actor: Acting, feedback: Annotated[str, Form()] = ""
) -> Response:
    """Answer an order, as the body that it names."""
    answer_order(db, order_no, feedback, actor=actor, now=page.now)
    return page.done("/cards", "已提交督办反馈")


@router.get("/notices")
def notices(page: Reading, db: Db, actor: Acting) -> Response:
    """What the reader's role was told, the newest first."""
    found = inbox(db, org=actor.org, role=actor.role)
    return page.render("supervision/notices.html", notices=found)


@router.post("/notices/read")
def read(page: Reading, db: Db, actor: Acting, key: Annotated[str, Form()]) -> Response:
    """Note that one was read."""
    mark_read(db, key, actor, page.now)
    return page.done("/notices")
