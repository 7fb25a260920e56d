"""Who may look at a grant and its channel."""

from typing import Any

from sqlalchemy import Row

from catalog.roles import Role
from yishu.ledger.journal import Actor

SEE_EVERY_GRANT = frozenset({Role.CENTRE_OPERATOR, Role.AUTHORITY_REVIEWER, Role.AUDITOR})


def may_see_grant(actor: Actor, grant: Row[Any]) -> bool:
    """Whether somebody may look at a grant: a party to it, or who opens, decides or audits."""
    is_party = actor.org in (grant.consumer_org, *grant.provider_orgs)
    return is_party or actor.role in SEE_EVERY_GRANT
