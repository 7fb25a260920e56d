"""Who may look at a grant, its uses and its registers, and who may follow a row."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from catalog.release import Release
from catalog.roles import Role
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareRegister
from yishu.ledger.statements import query
from yishu.portal import audit
from yishu.portal.errors import NotFound
from yishu.sharing.desk import Desk

SEE_EVERY_GRANT = frozenset({Role.CENTRE_OPERATOR, Role.AUTHORITY_REVIEWER, Role.AUDITOR})

TRACE_EVERY_ROW = frozenset({Role.QUALITY_MONITOR, Role.AUDITOR, Role.AUTHORITY_REVIEWER})
"""Beside the departments whose data a table holds, they answer for how data are used."""


def may_see_grant(actor: Actor, grant: Row[Any]) -> bool:
    """Whether somebody may look at a grant: a party to it, or who opens, decides or audits."""
    is_party = actor.org in (grant.consumer_org, *grant.provider_orgs)
    return is_party or actor.role in SEE_EVERY_GRANT


def seen_grant(desk: Desk, grant_id: str, actor: Actor) -> Row[Any]:
    """A grant, where it concerns the reader; nothing is locked.

    Raises:
        NotFound: for everybody else there is no such grant.
    """
    grant = desk.grant(grant_id, lock=False)
    if may_see_grant(actor, grant):
        return grant
    raise NotFound(
        grant_id,
        found="a grant between other departments",
        expected="a grant of or to the own department",
        remedy="ask the big-data authority",
    )


def last_uses(desk: Desk, grant_id: str, actor: Actor, limit: int) -> Sequence[Row[Any]]:
    """The newest calls of a grant, served and denied; the look goes on record."""
    audit.looked(desk.connection, actor, desk.at, object_kind="use_log", object_id=grant_id)
    asked = {"grant_id": grant_id, "limit": limit}
    return desk.connection.execute(query("last_uses"), asked).all()


def registered(desk: Desk, grant_id: str) -> Sequence[Row[Any]]:
    """What the department registered of a grant's data, the newest first."""
    asked = select(ShareRegister.__table__).where(ShareRegister.grant_id == grant_id)
    return desk.connection.execute(asked.order_by(ShareRegister.on_day.desc())).all()


def may_trace(release: Release, table: str, actor: Actor) -> bool:
    """Whether somebody may follow rows of a table: who watches, and who gave data to it."""
    return actor.role in TRACE_EVERY_ROW or actor.org in _givers(release, table)


def _givers(release: Release, table: str) -> set[str]:
    if table not in release.subjects:
        return {release.entry(table).provider_org}
    elements = (release.elements[column.element] for column in release.subjects[table].columns)
    return {one.entry.partition(".")[0] for element in elements for one in element.sources}
