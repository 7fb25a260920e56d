"""What a route asks for: the database, who acts, and whether they may.

``Db`` is one transaction a request, committed before the answer leaves. ``SignedIn`` is whoever
acts; every change also needs the session's token. ``permitted(action)`` refuses a role that may
never do the action; whether it may do it to *this* object, the area asks with
`yishu.governance.permission.require`.

What does not block is ``async``: a plain function would be handed to a thread and back, which
costs more than it does itself.
"""

from asyncio import AbstractEventLoop, Semaphore, get_running_loop
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast
from weakref import WeakKeyDictionary

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from catalog.roles import Action
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.portal import api_tokens, security, sessions
from yishu.portal.errors import PasswordDue, SignInNeeded
from yishu.portal.sessions import Signed
from yishu.portal.world import World


async def world_of(request: Request) -> World:
    """The installation that answers."""
    return cast(World, request.app.state.world)


Here = Annotated[World, Depends(world_of)]


async def moment(here: Here) -> datetime:
    """The moment of the request, one for all that it does."""
    return here.clock()


Now = Annotated[datetime, Depends(moment)]


AT_ONCE = 3
"""Requests of a process that use the database at once; the others wait, first come, first served.

A process has one core's time to give. More at once are not answered sooner: they only take turns
with each other, and hold more connections.
"""


_TURNS: WeakKeyDictionary[AbstractEventLoop, Semaphore] = WeakKeyDictionary()
"""A semaphore belongs to the loop that first waits for it, and a process has one loop."""


async def turn() -> AsyncIterator[None]:
    """Wait until fewer than ``AT_ONCE`` others use the database."""
    async with _TURNS.setdefault(get_running_loop(), Semaphore(AT_ONCE)):
        yield


Turn = Annotated[None, Depends(turn, scope="function")]


def database(here: Here, _turn: Turn) -> Iterator[Connection]:
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
    """Lets a route be asked for only by who may do the action.

    Attributes:
        of: The part of the path that is an entry's id, whose department must be the actor's own
            for actions that are limited to it; None: the role alone decides here.
    """

    action: Action
    of: str | None = None

    async def __call__(self, request: Request, signed: SignedIn) -> Actor:
        """Who acts."""
        return self.admit(request, signed.actor)

    def admit(self, request: Request, actor: Actor) -> Actor:
        """The actor, if they may.

        Raises:
            Forbidden: they may not.
        """
        object_id = request.path_params[self.of] if self.of else self.action.value
        org = object_id.partition(".")[0] if self.of else actor.org
        require(actor, self.action, object_id, org)
        return actor


def permitted(action: Action, of: str | None = None) -> Permitted:
    """A dependency that gives the actor: ``actor: Actor = Depends(permitted(Action.X))``."""
    return Permitted(action, of)


_bearer = HTTPBearer(auto_error=False)


def caller(
    request: Request,
    db: Db,
    now: Now,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Actor:
    """Who acts by the token of a program.

    Raises:
        SignInNeeded: no token, or one that is over.
    """
    actor = api_tokens.find(db, given.credentials, now) if given else None
    if actor is None:
        raise SignInNeeded(
            request.url.path,
            found="no token in use",
            expected="Authorization: Bearer yishu_…",
            remedy="make a token on the page of your account",
        )
    return actor


Caller = Annotated[Actor, Depends(caller)]


class PermittedCaller(Permitted):
    """The same for a program with a token."""

    async def __call__(self, request: Request, actor: Caller) -> Actor:  # type: ignore[override]
        """Who acts."""
        return self.admit(request, actor)


async def actor_of(signed: SignedIn) -> Actor:
    """Who acts, whatever the role."""
    return signed.actor


Acting = Annotated[Actor, Depends(actor_of)]
