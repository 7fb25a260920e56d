"""Who may look at a grant and its channel, and who may follow a row."""

from typing import Any

from sqlalchemy import Row

from catalog.release import Release
from catalog.roles import Role
from yishu.ledger.journal import Actor

SEE_EVERY_GRANT = frozenset({Role.CENTRE_OPERATOR, Role.AUTHORITY_REVIEWER, Role.AUDITOR})

TRACE_EVERY_ROW = frozenset({Role.QUALITY_MONITOR, Role.AUDITOR, Role.AUTHORITY_REVIEWER})
"""Beside the departments whose data a table holds, they answer for how data are used."""


def may_see_grant(actor: Actor, grant: Row[Any]) -> bool:
    """Whether somebody may look at a grant: a party to it, or who opens, decides or audits."""
    is_party = actor.org in (grant.consumer_org, *grant.provider_orgs)
    return is_party or actor.role in SEE_EVERY_GRANT


def may_trace(release: Release, table: str, actor: Actor) -> bool:
    """Whether somebody may follow rows of a table: who watches, and who gave data to it."""
    return actor.role in TRACE_EVERY_ROW or actor.org in _givers(release, table)


def _givers(release: Release, table: str) -> set[str]:
    if table not in release.subjects:
        return {release.entry(table).provider_org}
    elements = (release.elements[column.element] for column in release.subjects[table].columns)
    return {one.entry.partition(".")[0] for element in elements for one in element.sources}
