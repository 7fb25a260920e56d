"""The first page after sign-in: what waits for the reader, and what they were told."""

from fastapi import APIRouter, Response

from yishu.governance import notices
from yishu.portal import work
from yishu.portal.depends import Acting, Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading

router = APIRouter(include_in_schema=False)
LINKS = (Link("首页", "/", 0),)
SHOWN_NOTICES = 20
SHOWN_TASKS = 50


@router.get("/")
def show(page: Reading, db: Db, actor: Acting) -> Response:
    """The work list, the earliest deadline first, and unread notices."""
    told = notices.inbox(db, org=actor.org, role=actor.role, is_unread=True, limit=SHOWN_NOTICES)
    tasks = work.tasks(page.world, db, actor, page.now)
    colours = {
        colour: sum(one.deadline is not None and one.deadline.state == colour for one in tasks)
        for colour in ("red", "yellow", "green")
    }
    return page.render(
        "home/home.html",
        tasks=tasks[:SHOWN_TASKS],
        total=len(tasks),
        notices=told,
        colours=colours,
    )


@router.post("/notices/{key}/read")
def read(page: Reading, db: Db, actor: Acting, key: str) -> Response:
    """Note that a notice was read."""
    notices.mark_read(db, key, actor, page.now)
    return page.done("/")
