"""Coming in and going out: password, the demo's accounts, language, a new password."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy import Connection, select

from catalog.roles import Role
from yishu.governance import accounts
from yishu.governance.errors import AccountUnknown
from yishu.ledger.models import Account
from yishu.portal import audit, credentials, openid, sessions
from yishu.portal.depends import Db, Here, Newcomer, newcomer
from yishu.portal.errors import NotFound, PasswordPoor, SignInRefused
from yishu.portal.messages import Language
from yishu.portal.pages import LANGUAGE_COOKIE, Page, PublicReading
from yishu.portal.problems import of_error

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]
OF_A_BODY = frozenset({Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD, Role.PROVIDER_REVIEWER})


@router.get("/sign-in")
def ask(page: PublicReading, db: Db, next: str = "/") -> Response:  # noqa: A002 - in the address
    """The form, and the demo's accounts where this is a demo."""
    return _form(page, db, next)


@router.post("/sign-in")
def come_in(
    page: PublicReading,
    db: Db,
    account: Text,
    password: Text,
    next: Annotated[str, Form()] = "/",  # noqa: A002 - in the address
) -> Response:
    """Open a session, or say that it was refused; a wrong password is counted all the same."""
    if not credentials.check(db, account, password, page.now):
        _record_refusal(page, db, account)
        return _form(page, db, next, credentials.refused(account))
    return _opened(page, db, account, next, by="password")


def _record_refusal(page: Page, db: Connection, account: str) -> None:
    with suppress(AccountUnknown):  # what was typed may be a password: it is not kept
        actor = accounts.find(db, account, page.world.today())
        audit.signed_in(db, actor, page.now, by="password", outcome="refused")


@router.get("/sign-in/openid")
def leave(page: PublicReading) -> Response:
    """Go to the city's OpenID provider."""
    address, cookie = _openid(page).leave(_callback(page))
    response = RedirectResponse(address, status_code=303)
    response.set_cookie(
        openid.COOKIE, cookie, httponly=True, secure=page.world.secure, samesite="lax", max_age=600
    )
    return response


@router.get("/sign-in/openid/back")
def come_back(page: PublicReading, db: Db, state: str = "", code: str = "") -> Response:
    """Come in as whom the provider says."""
    cookie = page.request.cookies.get(openid.COOKIE)
    issuer, subject = _openid(page).back(cookie, state, code, _callback(page))
    response = _opened(page, db, openid.account_of(db, issuer, subject), "/", by="openid")
    response.delete_cookie(openid.COOKIE)
    return response


def _openid(page: Page) -> openid.OpenId:
    found: openid.OpenId | None = page.request.app.state.openid
    if found is None:
        raise NotFound(
            "/sign-in/openid",
            found="no OpenID provider in the settings",
            expected="YISHU_OPENID_ISSUER",
            remedy="use /sign-in",
        )
    return found


def _callback(page: Page) -> str:
    return f"{str(page.request.base_url).rstrip('/')}/sign-in/openid/back"


@router.post("/sign-in/demo")
def come_in_as(page: PublicReading, db: Db, account: Text) -> Response:
    """Come in as anybody: only where the portal was started as a demo."""
    if not page.world.demo:
        raise NotFound(
            "/sign-in/demo",
            found="a portal that is no demo",
            expected="a sign-in with a password",
            remedy="use /sign-in",
        )
    return _opened(page, db, account, "/", by="demo")


@router.post("/sign-out", dependencies=[Depends(newcomer)])
def go_out(page: PublicReading, db: Db) -> Response:
    """End the session."""
    sessions.end(db, page.request.cookies[sessions.COOKIE], page.now)
    response = page.done("/sign-in", "已退出登录")
    response.delete_cookie(sessions.COOKIE)
    return response


class NewPassword(BaseModel):
    """The form for a new password."""

    old: str
    new: str
    again: str


@router.get("/password", dependencies=[Depends(newcomer)])
def ask_password(page: PublicReading) -> Response:
    """The form for a new password."""
    return page.render("sign_in/password.html", problem=None)


@router.post("/password")
def change_password(
    page: PublicReading, signed: Newcomer, db: Db, given: Annotated[NewPassword, Form()]
) -> Response:
    """Take a new password, end every session of the account and open a new one."""
    account = signed.actor.account
    refusal = _refusal(db, account, given, page.now)
    if refusal:
        return page.render("sign_in/password.html", 422, problem=of_error(refusal))
    credentials.set_password(db, account, given.new, page.now, must_change=False)
    sessions.end_all(db, account, page.now)
    return _opened(page, db, account, "/", by="new password")


def _refusal(
    db: Connection, account: str, given: NewPassword, now: datetime
) -> PasswordPoor | SignInRefused | None:
    if not credentials.check(db, account, given.old, now):
        return credentials.refused(account)
    if given.new == given.again and given.new != given.old:
        return credentials.poverty(account, given.new)
    return PasswordPoor(
        account,
        found="two that differ, or the old one again",
        expected="the same new password twice",
        remedy="type it again",
    )


@router.get("/language/{language}")
def speak(language: Language, here: Here, next: str = "/") -> Response:  # noqa: A002
    """Change the language of the pages."""
    response = RedirectResponse(_inside(next), status_code=303)
    response.set_cookie(
        LANGUAGE_COOKIE, language.value, httponly=True, secure=here.secure, samesite="lax"
    )
    return response


def _form(
    page: Page, db: Connection, next_path: str, refusal: SignInRefused | None = None
) -> Response:
    shown = _demo_accounts(db) if page.world.demo else []
    problem = of_error(refusal) if refusal else None
    return page.render(
        "sign_in/sign_in.html", 401 if refusal else 200,
        next_path=_inside(next_path), accounts=shown, problem=problem,
        openid=page.request.app.state.openid is not None,
    )  # fmt: skip


def _demo_accounts(db: Connection) -> list[tuple[str, list[dict[str, object]]]]:
    """Accounts of each body: first the bodies of the city, then the departments."""
    asked = select(Account.account, Account.name, Account.role, Account.org)
    rows = db.execute(asked.order_by(Account.org, Account.role)).all()
    bodies: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        bodies.setdefault(row.org, []).append({**row._mapping, "role": Role(row.role)})
    return sorted(bodies.items(), key=lambda one: (not _is_of_city(one[1]), one[0]))


def _is_of_city(accounts_of: list[dict[str, object]]) -> bool:
    return any(one["role"] not in OF_A_BODY for one in accounts_of)


def _inside(path: str) -> str:
    """The path if it is one of ours, else the first page: no way out to another site."""
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if inside else "/"


def _opened(page: Page, db: Connection, account: str, next_path: str, *, by: str) -> Response:
    actor = accounts.find(db, account, page.world.today())
    audit.signed_in(db, actor, page.now, by=by, outcome="opened")
    token = sessions.open_session(db, account, page.now)
    response = RedirectResponse(_inside(next_path), status_code=303)
    response.set_cookie(
        sessions.COOKIE, token, httponly=True, secure=page.world.secure, samesite="lax"
    )
    return response
