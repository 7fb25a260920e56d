"""Accounts: through which a person acts, in one role, for one body, from day to day."""

from datetime import date

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Role
from yishu.governance.errors import AccountUnknown
from yishu.ledger.journal import Actor
from yishu.ledger.models import Account


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


def find(connection: Connection, account: str, on: date) -> Actor:
    """Who acts through an account on a day.

    Raises:
        AccountUnknown: no such account, or it is not valid on that day.
    """
    valid = (Account.valid_from <= on) & or_(
        Account.valid_until.is_(None), Account.valid_until >= on
    )
    columns = (Account.person, Account.account, Account.role, Account.org)
    asked = select(*columns).where(Account.account == account, valid)
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise AccountUnknown(
            account,
            found=f"no account of that name that is valid on {on}",
            expected="an account made by the administrator",
            remedy="ask the administrator for one",
        )
    return Actor(row.person, row.account, Role(row.role), row.org)
