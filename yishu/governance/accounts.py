"""Accounts: through which a person acts, in one role, for one body, from day to day."""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Action, Role
from yishu.clocks import BEIJING
from yishu.governance.errors import AccountUnknown, Forbidden, NotSeparate
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import Account, Deputy

KIND = "account"


def add(connection: Connection, actor: Actor, name: str, *, valid_from: date) -> None:
    """Keep an account; kept again it has what is given now."""
    values = {
        "account": actor.account,
        "person": actor.person,
        "name": name,
        "role": actor.role.value,
        "org": actor.org,
        "valid_from": valid_from,
    }
    statement = insert(Account).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))


def register(
    connection: Connection, account: Actor, name: str, by: Actor | None, at: datetime
) -> None:
    """Make an account; ``by`` None makes the first one, an administrator, and no other.

    Raises:
        Forbidden: the role may not manage accounts.
    """
    if by is None and (account.role is not Role.ADMINISTRATOR or listed(connection)):
        raise Forbidden(
            account.account,
            found="an account that nobody makes",
            expected="the first account, an administrator's; every other is made by one",
            remedy="name the administrator's account with --as",
        )
    if by is not None:
        require(by, Action.MANAGE_ACCOUNTS, account.account)
    add(connection, account, name, valid_from=at.astimezone(BEIJING).date())
    after = {"person": account.person, "role": account.role.value, "org": account.org}
    act = Action.MANAGE_ACCOUNTS
    append(connection, Act(by or account, act, KIND, account.account, at, None, None, after))


@dataclass(frozen=True)
class Deputation:
    """An account stands in for another one, in its role and for its body, on certain days."""

    account: str
    deputy: str
    valid_from: date
    valid_until: date
    reason: str


def appoint(connection: Connection, wanted: Deputation, actor: Actor, at: datetime) -> None:
    """Let an account stand in for another one.

    Raises:
        Forbidden: the role may not appoint, or a head for another body's account.
        AccountUnknown: one of the accounts is not valid when the deputation begins.
        NotSeparate: both accounts are one person's.
    """
    principal = find(connection, wanted.account, wanted.valid_from)
    deputy = find(connection, wanted.deputy, wanted.valid_from)
    require(actor, Action.APPOINT_DEPUTY, wanted.account)
    of_own_body = actor.org in (principal.org, deputy.org) and principal.org == deputy.org
    if actor.role is Role.DEPARTMENT_HEAD and not of_own_body:
        raise Forbidden(
            wanted.account,
            found=f"a deputy for {principal.org} appointed by the head of {actor.org}",
            expected="accounts of the head's own body",
            remedy="let the administrator appoint the deputy",
        )
    if principal.person == deputy.person:
        raise NotSeparate(
            wanted.account,
            found="two accounts of one person",
            expected="another person",
            remedy="name another account",
        )
    connection.execute(insert(Deputy).values(asdict(wanted)))
    after = {"deputy": wanted.deputy, "until": wanted.valid_until.isoformat()}
    act = Action.APPOINT_DEPUTY
    append(connection, Act(actor, act, KIND, wanted.account, at, wanted.reason, None, after))


def find(connection: Connection, account: str, on: date) -> Actor:
    """Who acts through an account on a day; ``deputy:account`` stands in for another one.

    A deputy is the person that acts, in the role and for the body of the account.

    Raises:
        AccountUnknown: no such account or deputation, or it is not valid on that day.
    """
    name, stands_in, principal = account.partition(":")
    deputy = _valid(connection, name, on)
    if not stands_in:
        return deputy
    asked = select(Deputy.reason).where(
        Deputy.account == principal,
        Deputy.deputy == name,
        Deputy.valid_from <= on,
        Deputy.valid_until >= on,
    )
    if connection.execute(asked).first() is None:
        raise _unknown(account, f"no deputation of {name} for {principal} on {on}")
    return replace(_valid(connection, principal, on), person=deputy.person, account=account)


def principal_of(actor: Actor) -> str | None:
    """The account that an actor stands in for; None where they act for themselves."""
    return actor.account.partition(":")[2] or None


def name_of(connection: Connection, actor: Actor) -> str:
    """The name of the person that acts; of a deputy their own."""
    own = actor.account.partition(":")[0]
    asked = select(Account.name).where(Account.account == own)
    return str(connection.execute(asked).scalar_one())


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every account with its name and days, in order of body and account."""
    asked = select(Account).order_by(Account.org, Account.account)
    return [dict(row) for row in connection.execute(asked).mappings()]


def _valid(connection: Connection, account: str, on: date) -> Actor:
    valid = (Account.valid_from <= on) & or_(
        Account.valid_until.is_(None), Account.valid_until >= on
    )
    columns = (Account.person, Account.account, Account.role, Account.org)
    asked = select(*columns).where(Account.account == account, valid)
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise _unknown(account, f"no account of that name that is valid on {on}")
    return Actor(row.person, row.account, Role(row.role), row.org)


def _unknown(account: str, found: str) -> AccountUnknown:
    return AccountUnknown(
        account,
        found=found,
        expected="an account made by the administrator",
        remedy="ask the administrator for one",
    )
