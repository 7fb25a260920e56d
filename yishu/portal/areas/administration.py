"""Administration: accounts and roles, bodies, promises and working days."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from catalog.roles import Action, Role
from yishu.governance import accounts
from yishu.ledger.journal import Actor
from yishu.portal import credentials
from yishu.portal.depends import Db, Permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading

router = APIRouter(prefix="/administration", include_in_schema=False)
LINKS = (Link("系统管理", "/administration", 90, frozenset({Role.ADMINISTRATOR})),)

Administrator = Annotated[Actor, Depends(Permitted(Action.MANAGE_ACCOUNTS))]
PEOPLE = tuple(role for role in Role if role is not Role.RULE)


@router.get("")
def show(page: Reading, db: Db, _: Administrator) -> Response:
    """Accounts, bodies, and by which promises clocks run."""
    return _page(page, accounts.listed(db))


def _page(
    page: Page, rows: list[dict[str, object]], given: tuple[str, str] | None = None
) -> Response:
    release = page.world.release()
    return page.render(
        "administration/administration.html",
        accounts=rows,
        given=given,
        roles=PEOPLE,
        role_of={role.value: role for role in Role},
        departments=list(release.departments.values()),
        profiles=list(release.profiles.values()),
        in_force=page.world.settings.rule_profile,
    )


@router.post("/accounts")
def make(
    page: Reading,
    db: Db,
    actor: Administrator,
    *,
    account: Annotated[str, Form(pattern=r"^[a-z][a-z0-9_.]{1,60}$")],
    person: Annotated[str, Form(min_length=1, max_length=60)],
    name: Annotated[str, Form(min_length=1, max_length=60)],
    role: Annotated[Role, Form()],
    org: Annotated[str, Form(min_length=1)],
) -> Response:
    """Make an account with a first password, shown this once."""
    accounts.register(db, Actor(person, account, role, org), name, actor, page.now)
    password = credentials.reset(db, account, actor, page.now)
    return _page(page, accounts.listed(db), (account, password))


@router.post("/accounts/{account}/password")
def reset(page: Reading, db: Db, actor: Administrator, account: str) -> Response:
    """A new first password for an account, shown this once; its sessions end."""
    accounts.find(db, account, page.world.today())
    password = credentials.reset(db, account, actor, page.now)
    return _page(page, accounts.listed(db), (account, password))
