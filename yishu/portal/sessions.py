"""Sessions of browsers: opened at sign-in, ended at sign-out, by idleness, or by age (ASVS V7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from catalog.roles import Role
from yishu.ledger.journal import Actor
from yishu.ledger.models import Account, Credential, PortalSession
from yishu.portal import tokens
from yishu.portal.world import ZONE

COOKIE = "yishu_session"
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
_SEEN_EVERY = timedelta(minutes=1)
_COLUMNS = (
    PortalSession.token_hash,
    PortalSession.csrf,
    PortalSession.seen_at,
    Account.account,
    Account.person,
    Account.name,
    Account.role,
    Account.org,
    Credential.must_change,
)
_IN_FORCE = (
    select(*_COLUMNS)
    .join(Account, Account.account == PortalSession.account)
    .outerjoin(Credential, Credential.account == Account.account)
    .where(
        PortalSession.token_hash == bindparam("token_hash"),
        PortalSession.ended_at.is_(None),
        PortalSession.seen_at > bindparam("seen_after"),
        PortalSession.opened_at > bindparam("opened_after"),
        Account.valid_from <= bindparam("day"),
        or_(Account.valid_until.is_(None), Account.valid_until >= bindparam("day")),
    )
)
"""The session of a token with its account. Built once: every request asks it."""


@dataclass(frozen=True)
class Signed:
    """Who is signed in: the account, the person's name, and the token that forms must carry."""

    actor: Actor
    name: str
    csrf: str
    must_change: bool = False


def open_session(connection: Connection, account: str, now: datetime) -> str:
    """Open a session of an account; the token for the browser's cookie."""
    token = tokens.new()
    values = {
        "token_hash": tokens.digest(token),
        "account": account,
        "csrf": tokens.new(),
        "opened_at": now,
        "seen_at": now,
    }
    connection.execute(insert(PortalSession).values(values))
    return token


def find(connection: Connection, token: str, now: datetime) -> Signed | None:
    """Who a browser's token belongs to; None when the session or the account is over."""
    asked = {
        "token_hash": tokens.digest(token),
        "seen_after": now - IDLE,
        "opened_after": now - LONGEST,
        "day": now.astimezone(ZONE).date(),
    }
    row = connection.execute(_IN_FORCE, asked).one_or_none()
    if row is None:
        return None
    if row.seen_at < now - _SEEN_EVERY:
        _touch(connection, row.token_hash, now)
    actor = Actor(row.person, row.account, Role(row.role), row.org)
    return Signed(actor, row.name, row.csrf, bool(row.must_change))


def _touch(connection: Connection, token_hash: str, now: datetime) -> None:
    mine = PortalSession.token_hash == token_hash
    connection.execute(update(PortalSession).where(mine).values(seen_at=now))


def end(connection: Connection, token: str, now: datetime) -> None:
    """End the session of a browser."""
    mine = PortalSession.token_hash == tokens.digest(token)
    connection.execute(update(PortalSession).where(mine).values(ended_at=now))


def end_all(connection: Connection, account: str, now: datetime) -> None:
    """End every session of an account, as after a change of its password."""
    theirs = (PortalSession.account == account, PortalSession.ended_at.is_(None))
    connection.execute(update(PortalSession).where(*theirs).values(ended_at=now))
