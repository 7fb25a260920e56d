"""Errors as answers: problem+json (RFC 9457) for programs, a page or a fragment for people."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from catalog.errors import YishuError
from yishu.portal import sessions
from yishu.portal.errors import PasswordDue, SignInNeeded, status_of
from yishu.portal.messages import words_of
from yishu.portal.navigation import Link, links_for
from yishu.portal.pages import Page, language_of
from yishu.portal.security import HEADERS
from yishu.sentences import chinese, is_chinese

API = "/api/"

MOST_TOLD = 200
"""Faults of a file or form that a problem tells one by one; how many there are, ``found`` says."""

_EACH = frozenset({"faults", "parts"})
"""Where errors keep what is wrong, one by one."""

_SAID = ("found", "expected", "remedy")


def problem(code: str, status: int, **parts: Any) -> dict[str, Any]:
    """A problem as JSON: RFC 9457's members, what to do, and the parts of an error of Yishu."""
    words = words_of(code, status)
    return {
        "type": f"urn:yishu:problem:{code}",
        "title": words["zh"],
        "title_en": words["en"],
        "status": status,
        "code": code,
        "remedy_zh": words["do"],
        **parts,
    }


def of_error(error: YishuError) -> dict[str, Any]:
    """An error raised on purpose as a problem."""
    told = {"found": error.found, "expected": error.expected, "remedy": error.remedy}
    parts: dict[str, Any] = {"object": error.obj, **_in_both(told)}
    for name in _EACH & vars(error).keys():
        parts[name] = [_in_both(asdict(one)) for one in getattr(error, name)[:MOST_TOLD]]
    return problem(error.code, status_of(error), detail=str(error), **parts)


def _in_both(told: dict[str, Any]) -> dict[str, Any]:
    """What is told with its Chinese beside it, where there is one."""
    said = {f"{part}_zh": chinese(told[part]) for part in _SAID if part in told}
    return told | {name: text for name, text in said.items() if is_chinese(text)}


def answer(request: Request, body: Mapping[str, Any]) -> Response:
    """A problem for whoever asked: JSON, a fragment for HTMX, or a page."""
    status = int(body["status"])
    if wants_json(request):
        return JSONResponse(body, status, media_type="application/problem+json")
    page = _page(request)
    if request.headers.get("HX-Request"):
        response = page.render("problem_fragment.html", status, problem=body)
        response.headers["HX-Retarget"] = "#problems"
        response.headers["HX-Reswap"] = "innerHTML"
        return response
    return page.render("problem.html", status, problem=body)


def wants_json(request: Request) -> bool:
    """Whether a program asks."""
    accepts = request.headers.get("accept", "")
    return request.url.path.startswith(API) or ("json" in accepts and "html" not in accepts)


def _page(request: Request) -> Page:
    # The request's transaction is over or broken; who reads the page is looked up apart.
    world = request.app.state.world
    now = world.clock()
    signed: sessions.Signed | None = None
    links: tuple[Link, ...] = ()
    token = request.cookies.get(sessions.COOKIE)
    if token:
        try:
            with world.engine.begin() as connection:
                signed = sessions.find(connection, token, now)
        except OperationalError:
            signed = None
    if signed:
        links = links_for(request.app.state.links, signed.actor.role)
    return Page(request, world, now, language_of(request), signed, links)


def install(app: FastAPI) -> None:
    """Answer every error in this shape."""
    app.add_exception_handler(YishuError, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(OperationalError, _on_database)
    app.add_exception_handler(DataError, _on_data)
    app.add_exception_handler(Exception, _on_bug)


def _on_error(request: Request, error: Exception) -> Response:
    if not wants_json(request):
        if isinstance(error, SignInNeeded):
            return _go(request, f"/sign-in?next={quote(_next(request))}")
        if isinstance(error, PasswordDue):
            return _go(request, "/password")
    assert isinstance(error, YishuError)  # noqa: S101 - registered for this class
    return answer(request, of_error(error))


def _next(request: Request) -> str:
    if request.method != "GET" or request.headers.get("HX-Request"):
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"


def _go(request: Request, path: str) -> Response:
    if request.headers.get("HX-Request"):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    if isinstance(error.__cause__, YishuError):
        return _on_error(request, error.__cause__)
    code = f"HTTP_{error.status_code}"
    response = answer(request, problem(code, error.status_code, detail=str(error.detail)))
    response.headers.update(error.headers or {})
    return response


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    # What was sent is not repeated: it may hold personal data.
    faults = [{"at": list(one["loc"]), "message": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{'.'.join(map(str, one['at']))}: {one['message']}" for one in faults)
    return answer(request, problem("REQUEST_INVALID", 422, detail=detail, faults=faults))


def _on_database(request: Request, error: Exception) -> Response:
    detail = type(error).__name__  # its text may hold parameters
    return answer(request, problem("DATABASE_AWAY", 503, detail=detail))


def _on_data(request: Request, error: Exception) -> Response:
    detail = (
        f"a value that the database cannot hold, e.g. the character NUL: {type(error).__name__}"
    )
    return answer(request, problem("REQUEST_INVALID", 422, detail=detail))


def _on_bug(request: Request, error: Exception) -> Response:
    response = answer(request, problem("UNEXPECTED", 500, detail=type(error).__name__))
    response.headers.update(HEADERS)  # this one answer leaves outside of the middleware
    return response
