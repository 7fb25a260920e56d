"""The first page after sign-in."""

from fastapi import APIRouter, Response

from yishu.portal.navigation import Link
from yishu.portal.pages import Reading

router = APIRouter(include_in_schema=False)
LINKS = (Link("首页", "/", 0),)


@router.get("/")
def show(page: Reading) -> Response:
    """What waits for the reader."""
    return page.render("home/home.html")
