"""Passwords of accounts: argon2id, lock-out after wrong ones, a first password that is changed.

Rules of ASVS V6 (level 2): at least 12 characters, no composition rules, not the account's name;
five wrong ones in a row lock the account for 15 minutes. An unknown name takes as long as a wrong
password, and both are told alike.
"""

import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Action
from yishu.governance.errors import Forbidden
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import Credential
from yishu.portal import sessions
from yishu.portal.errors import PasswordPoor, SignInRefused

SHORTEST = 12
LONGEST = 128
MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)

_hasher = PasswordHasher()
_NOBODYS = _hasher.hash(secrets.token_urlsafe(16))


def set_password(
    connection: Connection, account: str, password: str, now: datetime, *, must_change: bool
) -> None:
    """Keep a password for an account and lift any lock.

    Raises:
        PasswordPoor: too short, too long, or the account's name.
    """
    poor = poverty(account, password)
    if poor:
        raise poor
    values = {
        "account": account,
        "password_hash": _hasher.hash(password),
        "must_change": must_change,
        "failures": 0,
        "locked_until": None,
        "changed_at": now,
    }
    statement = insert(Credential).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))


def reset(connection: Connection, account: str, actor: Actor | None, now: datetime) -> str:
    """A first password for an account, easy to type (80 random bits), to be changed at once.

    Its sessions end. ``actor`` is the administrator; None only while no account has a password.

    Raises:
        Forbidden: the actor may not, or nobody is named though somebody could be.
    """
    if actor is None:
        _require_first(connection, account)
    else:
        require(actor, Action.MANAGE_ACCOUNTS, account)
        told = {"password": "first"}
        append(connection, Act(actor, Action.MANAGE_ACCOUNTS, "account", account, now, after=told))
    password = "-".join(secrets.token_hex(2) for _ in range(5))
    set_password(connection, account, password, now, must_change=True)
    sessions.end_all(connection, account, now)
    return password


def _require_first(connection: Connection, account: str) -> None:
    if connection.execute(select(Credential.account).limit(1)).first() is not None:
        raise Forbidden(
            account,
            found="nobody named who gives the password",
            expected="an administrator",
            remedy="name one with --as",
        )


def check(connection: Connection, account: str, password: str, now: datetime) -> bool:
    """Whether the password is the account's; wrong ones are counted and lock it.

    The caller commits also when the answer is no, or nothing is counted.
    """
    asked = select(Credential).where(Credential.account == account).with_for_update()
    row = connection.execute(asked).one_or_none()
    locked = row is not None and row.locked_until is not None and row.locked_until > now
    right = _verify(_NOBODYS if row is None or locked else row.password_hash, password)
    if row is None or locked:
        return False
    failures = 0 if right else row.failures + 1
    values = {
        "failures": failures % MOST_FAILURES,
        "locked_until": now + LOCKED_FOR if failures == MOST_FAILURES else None,
    }
    if right and _hasher.check_needs_rehash(row.password_hash):
        values["password_hash"] = _hasher.hash(password)
    mine = Credential.account == account
    connection.execute(update(Credential).where(mine).values(**values))
    return right


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def refused(account: str) -> SignInRefused:
    """The one answer to every sign-in that fails."""
    return SignInRefused(
        account[:40],
        found="an account and password that do not fit, or a locked account",
        expected=f"the right password; {MOST_FAILURES} wrong ones lock for {LOCKED_FOR}",
        remedy="try again, or ask the administrator for a new first password",
    )


def poverty(account: str, password: str) -> PasswordPoor | None:
    """Why a password will not do for an account; None when it will."""
    if SHORTEST <= len(password) <= LONGEST and account.lower() not in password.lower():
        return None
    return PasswordPoor(
        account,
        found=f"{len(password)} characters, or the account's name inside",
        expected=f"{SHORTEST} to {LONGEST} characters without the account's name",
        remedy="choose a longer one: a few words that belong together for you alone",
    )
