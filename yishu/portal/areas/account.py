"""One's own account: tokens for programs."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from yishu.portal import api_tokens
from yishu.portal.depends import Acting, Db
from yishu.portal.pages import Reading

router = APIRouter(prefix="/account", include_in_schema=False)


@router.get("")
def show(page: Reading, db: Db, actor: Acting) -> Response:
    """Who one is, and one's tokens."""
    found = api_tokens.listed(db, actor.account)
    return page.render("account/account.html", tokens=found, made=None)


@router.post("/tokens")
def make(
    page: Reading,
    db: Db,
    actor: Acting,
    label: Annotated[str, Form(min_length=1, max_length=80)],
    days: Annotated[int, Form(ge=1, le=api_tokens.LONGEST_DAYS)] = 90,
) -> Response:
    """A new token, shown this once."""
    made = api_tokens.make(db, actor, label, days, page.now)
    found = api_tokens.listed(db, actor.account)
    return page.render("account/account.html", tokens=found, made=made)


@router.post("/tokens/{reference}/revoke")
def revoke(page: Reading, db: Db, actor: Acting, reference: str) -> Response:
    """End a token."""
    api_tokens.revoke(db, actor, reference, page.now)
    return page.done("/account", "令牌已停用")
