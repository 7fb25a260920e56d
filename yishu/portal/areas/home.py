"""The first page after sign-in: what waits for the reader, and what they were told."""

from fastapi import APIRouter, Response

from yishu.governance import notices
from yishu.portal.depends import Acting, Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading
from yishu.portal.work import work

router = APIRouter(include_in_schema=False)
LINKS = (Link("首页", "/", 0),)
SHOWN_NOTICES = 20


@router.get("/")
def show(page: Reading, db: Db, actor: Acting) -> Response:
    """The work list, the earliest deadline first, and unread notices."""
    told = notices.inbox(db, org=actor.org, role=actor.role, is_unread=True, limit=SHOWN_NOTICES)
    found = work(page.world, db, actor, page.now)
    return page.render("home/home.html", work=found, notices=told)


@router.post("/notices/{key}/read")
def read(page: Reading, db: Db, actor: Acting, key: str) -> Response:
    """Note that a notice was read."""
    notices.mark_read(db, key, actor, page.now)
    return page.done("/")
