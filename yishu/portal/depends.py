"""What a route asks for: the database, who acts, and whether they may.

``Db`` is one transaction a request, committed before the answer leaves. ``SignedIn`` is whoever
acts; every change also needs the session's token. ``permitted(action)`` refuses a role that may
never do the action; whether it may do it to *this* object, the area asks with
`yishu.governance.permission.require`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Connection

from catalog.roles import Action
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.portal import security, sessions
from yishu.portal.errors import PasswordDue, SignInNeeded
from yishu.portal.sessions import Signed
from yishu.portal.world import World


def world_of(request: Request) -> World:
    """The installation that answers."""
    return cast(World, request.app.state.world)


Here = Annotated[World, Depends(world_of)]


def moment(here: Here) -> datetime:
    """The moment of the request, one for all that it does."""
    return here.clock()


Now = Annotated[datetime, Depends(moment)]


def database(here: Here) -> Iterator[Connection]:
    """A transaction, committed when the route returns and rolled back when it raises."""
    with here.engine.begin() as connection:
        yield connection


Db = Annotated[Connection, Depends(database, scope="function")]


def visitor(request: Request, db: Db, now: Now) -> Signed | None:
    """Who is signed in, or nobody."""
    token = request.cookies.get(sessions.COOKIE)
    return sessions.find(db, token, now) if token else None


Visitor = Annotated[Signed | None, Depends(visitor)]


async def signed_in(request: Request, found: Visitor) -> Signed:
    """Who is signed in, with a password of their own, and really sent this form.

    Raises:
        SignInNeeded: nobody is.
        PasswordDue: the first password was not changed yet.
        FormForged: a change without the session's token.
    """
    signed = await newcomer(request, found)
    if signed.must_change:
        raise PasswordDue(
            signed.actor.account,
            found="a first password",
            expected="a password that only you know",
            remedy="change the password",
        )
    return signed


async def newcomer(request: Request, found: Visitor) -> Signed:
    """Who is signed in, perhaps still with a first password."""
    if found is None:
        raise SignInNeeded(
            request.url.path,
            found="nobody signed in, or a session that ended",
            expected="an account of this portal",
            remedy="sign in",
        )
    await security.refuse_forged(request, found.csrf)
    return found


SignedIn = Annotated[Signed, Depends(signed_in)]
Newcomer = Annotated[Signed, Depends(newcomer)]


@dataclass(frozen=True)
class Permitted:
    """Lets a route be asked for only by roles that may do the action."""

    action: Action

    def __call__(self, signed: SignedIn) -> Actor:
        """Who acts."""
        require(signed.actor, self.action, self.action.value, signed.actor.org)
        return signed.actor


def permitted(action: Action) -> Callable[..., Actor]:
    """A dependency that gives the actor: ``actor: Actor = Depends(permitted(Action.X))``."""
    return Permitted(action)


def actor_of(signed: SignedIn) -> Actor:
    """Who acts, whatever the role."""
    return signed.actor


Acting = Annotated[Actor, Depends(actor_of)]
