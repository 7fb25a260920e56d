"""Pages: templates in two languages, one look, and what each page knows of who reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from catalog.roles import Action, may
from yishu.portal import security
from yishu.portal.depends import Here, Now, SignedIn, Visitor
from yishu.portal.messages import Language, code_text, label, speaker
from yishu.portal.navigation import Link, links_for
from yishu.portal.sessions import Signed
from yishu.portal.world import ZONE, World
from yishu.sentences import chinese

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "yishu_language"
NOTE_COOKIE = "yishu_note"


def environment(language: Language, org_name: Callable[[str], str]) -> Environment:
    """The templates in a language; ``org_name`` names bodies.

    The macros of ``parts/`` are known everywhere by the name of their file.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"_": speaker(language), "language": language}
    made.filters |= {
        "label": lambda value: label(value, language),
        "org": org_name,
        "code": lambda value: code_text(value, language),
        "told": chinese if language is Language.CHINESE else str,
        "moment": _moment,
        "day": _day,
        "number": _number,
        "percent": lambda value: "—" if value is None else f"{value:.1%}",
    }
    for part in sorted((TEMPLATES / "parts").glob("*.html")):
        made.globals[part.stem] = made.get_template(f"parts/{part.name}").module
    return made


def _moment(value: datetime | None) -> str:
    return "—" if value is None else value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


def _day(value: date | None) -> str:
    return "—" if value is None else value.isoformat()


def _number(value: int | None) -> str:
    return "—" if value is None else f"{value:,}"


@dataclass(frozen=True)
class Page:
    """One page in the making: who reads it, in which language, when."""

    request: Request
    world: World
    now: datetime
    language: Language
    signed: Signed | None
    links: tuple[Link, ...] = field(default=())

    @property
    def csrf(self) -> str:
        """The token that forms of this page carry."""
        return self.signed.csrf if self.signed else ""

    @property
    def here(self) -> str:
        """Path and query of this page."""
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    def may(self, action: Action | str, object_org: str | None = None) -> bool:
        """Whether the reader may do an action (to an object of a body); hides what is refused."""
        if self.signed is None:
            return False
        actor = self.signed.actor
        org = actor.org if object_org is None else object_org
        return may(actor.role, Action(action), org=actor.org, object_org=org)

    def say(self, text: str) -> str:
        """A Chinese text in the reader's language."""
        return speaker(self.language)(text)

    def render(self, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """A template with what it needs of the page, and the note of what was just done."""
        environments: Mapping[Language, Environment] = self.request.app.state.templates
        note = self.request.cookies.get(NOTE_COOKIE)
        text = (
            environments[self.language]
            .get_template(template)
            .render(page=self, note=self._note(note), **values)
        )
        response = HTMLResponse(text, status)
        if note is not None:
            response.delete_cookie(NOTE_COOKIE)
        return response

    def _note(self, signed_note: str | None) -> str | None:
        notes = self.request.app.state.notes
        return notes.read(signed_note) if signed_note else None

    def done(self, path: str, note: str | None = None) -> Response:
        """Go to a page after a change, and say there once what was done (a Chinese text)."""
        response: Response
        if self.request.headers.get("HX-Request"):
            response = Response(status_code=204, headers={"HX-Redirect": path})
        else:
            response = RedirectResponse(path, status_code=303)
        if note is not None:
            sealed = self.request.app.state.notes.seal(self.say(note))
            secure = self.world.secure
            response.set_cookie(NOTE_COOKIE, sealed, httponly=True, secure=secure, samesite="lax")
        return response


def language_of(request: Request) -> Language:
    """The language that the reader chose; Chinese at first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return Language.ENGLISH if chosen == Language.ENGLISH else Language.CHINESE


async def page_of(request: Request, here: Here, now: Now, signed: SignedIn) -> Page:
    """A page for somebody who is signed in."""
    links = links_for(request.app.state.links, signed.actor.role)
    return Page(request, here, now, language_of(request), signed, links)


async def public_page(request: Request, here: Here, now: Now, signed: Visitor) -> Page:
    """A page for anybody; a form on it is taken from our own pages alone."""
    security.refuse_foreign(request)
    return Page(request, here, now, language_of(request), signed)


Reading = Annotated[Page, Depends(page_of)]
"""What a route of an area asks for: ``def show(page: Reading, db: Db) -> Response``."""

PublicReading = Annotated[Page, Depends(public_page)]
