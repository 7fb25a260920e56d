"""Tokens with which a program acts through an account on the REST API."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from catalog.roles import Action
from yishu.governance import accounts
from yishu.governance.errors import AccountUnknown
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import ApiToken
from yishu.portal import tokens
from yishu.portal.errors import NotFound
from yishu.portal.world import ZONE

PREFIX = "yishu_"
LONGEST_DAYS = 365


@dataclass(frozen=True)
class Kept:
    """What is known of a token; ``reference`` names it without being of use."""

    reference: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def make(connection: Connection, actor: Actor, label: str, days: int, at: datetime) -> str:
    """A new token of the actor's account; it is told once and kept as a hash."""
    token = PREFIX + tokens.new()
    hashed = tokens.digest(token)
    values = {
        "token_hash": hashed,
        "account": actor.account,
        "label": label,
        "created_at": at,
        "expires_at": at + timedelta(days=min(days, LONGEST_DAYS)),
    }
    connection.execute(insert(ApiToken).values(values))
    _record(connection, actor, hashed[:12], at, "made")
    return token


def listed(connection: Connection, account: str) -> list[Kept]:
    """Tokens of an account, newest first."""
    asked = select(ApiToken).where(ApiToken.account == account).order_by(ApiToken.created_at.desc())
    return [
        Kept(row.token_hash[:12], row.label, row.created_at, row.expires_at, row.revoked_at)
        for row in connection.execute(asked)
    ]


def revoke(connection: Connection, actor: Actor, reference: str, at: datetime) -> None:
    """End a token of the actor's account.

    Raises:
        NotFound: the account has no such token.
    """
    mine = (ApiToken.account == actor.account, ApiToken.token_hash.startswith(reference))
    done = connection.execute(
        update(ApiToken).where(*mine, ApiToken.revoked_at.is_(None)).values(revoked_at=at)
    )
    if len(reference) != len(tokens.digest("")[:12]) or not done.rowcount:
        raise NotFound(
            reference,
            found="no token in use",
            expected="one of your own tokens",
            remedy="list your tokens",
        )
    _record(connection, actor, reference, at, "revoked")


def find(connection: Connection, token: str, at: datetime) -> Actor | None:
    """Who acts by a token; None when it or its account is over."""
    in_use = (ApiToken.revoked_at.is_(None), ApiToken.expires_at > at)
    asked = select(ApiToken.account).where(ApiToken.token_hash == tokens.digest(token), *in_use)
    account = connection.execute(asked).scalar()
    try:
        return accounts.find(connection, account, at.astimezone(ZONE).date()) if account else None
    except AccountUnknown:
        return None


def _record(
    connection: Connection, actor: Actor, reference: str, at: datetime, outcome: str
) -> None:
    told = {"outcome": outcome}
    act = Act(actor, Action.MANAGE_TOKEN, "api_token", reference, at, after=told)
    append(connection, act)
