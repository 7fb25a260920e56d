"""What is done every night: expiry, reminders, cleaning, seals, and a look for unusual use.

All of it is safe to repeat: a notice has a key, a sweep finds nothing twice.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from catalog.errors import YishuError
from catalog.roles import Role
from catalog.vocabulary import Labelled
from yishu.clocks import beijing_day
from yishu.governance.notices import Notice, enqueue_all
from yishu.ledger.models import ShareGrant, ShareRegister
from yishu.ledger.pins import Holder, unpin
from yishu.ledger.statements import query
from yishu.library.place import newest_version
from yishu.sharing import delivering, lists, opening, projection, usecheck
from yishu.sharing.deciding import begins
from yishu.sharing.desk import Desk
from yishu.sharing.house import House, rules_of
from yishu.sharing.objects import shared_object
from yishu.sharing.vocabulary import ENDED

RENEWAL_LEAD = timedelta(days=30)
"""When a renewal is asked for, before a grant ends."""

KEY_LINKS = "licence|resident|natural_person|social_security_card|payment"
"""Objects that are key links of security: licences, identity, payment (S003 二(九))."""


_ENDED = ShareGrant.state.in_(ENDED)


class AnomalyKind(Labelled):
    """What is unusual about a grant's use."""

    VOLUME = "volume", "调用量异常"
    HOUR = "hour", "非工作时段调用"
    ENUMERATION = "enumeration", "疑似遍历"


@dataclass(frozen=True)
class Done:
    """What a night's work did; counts, and numbers of grants."""

    expired: tuple[str, ...]
    reminded: int
    anomalies: tuple[tuple[str, str], ...]
    projections_removed: int
    sealed_to: int | None
    months_forgotten: tuple[str, ...]


def nightly(house: House, key: Ed25519PrivateKey) -> Done:
    """Everything of a night, in one go."""
    with house.engine.begin() as connection:
        desk = house.desk(connection)
        expired = tuple(opening.expire(desk))
        reminded = enqueue_all(connection, [*_renewals(desk), *_disposals(desk)])
        found = anomalies(desk)
        flags = [one for row in found for one in _flags(desk, row)]
        enqueue_all(connection, [*flags, *_unmet(desk)])
        sealed = usecheck.seal(connection, key, desk.at)
        forgotten = tuple(usecheck.forget(connection, desk.at))
    removed = clear(house)
    kinds = tuple((row.grant_id, row.kind) for row in found)
    return Done(expired, reminded, kinds, removed, sealed, forgotten)


def clear(house: House) -> int:
    """Delete the bytes that no grant may give any more; how many projections.

    Projections that no open grant reads, and delivered files of grants that have ended.
    """
    with house.engine.begin() as connection:
        grants = opening.open_grants(house.desk(connection))
        kept = {name for grant in grants if (name := _identity(house, grant))}
        ended = list(connection.scalars(select(ShareGrant.grant_id).where(_ENDED)))
        # A call that was on its way when its channel closed may have taken hold once more.
        unpin(connection, Holder.GRANT, ended, house.clock())
    for grant_id in ended:
        delivering.forget(house, grant_id)
    return len(projection.forget(house.projections, kept))


def anomalies(desk: Desk) -> list[Any]:
    """Unusual use of the day before, in Beijing."""
    today = beijing_day(desk.at)
    asked = {
        "day_from": begins(today - timedelta(days=1)),
        "day_until": begins(today),
        "key_links": KEY_LINKS,
    }
    return list(desk.connection.execute(query("use_anomalies"), asked))


def due_disposals(desk: Desk) -> list[Any]:
    """Ended grants whose consumer has not registered the disposal (Decree 809 Art.27)."""
    disposed = select(ShareRegister.grant_id).where(ShareRegister.kind == "disposal")
    asked = select(ShareGrant.__table__).where(
        _ENDED,
        ShareGrant.opened_at.is_not(None),
        ShareGrant.grant_id.not_in(disposed),
    )
    return list(desk.connection.execute(asked.order_by(ShareGrant.grant_id)))


def _identity(house: House, grant: Any) -> str | None:
    try:
        table = shared_object(house.catalog(), grant.object_id).table
    except YishuError:
        # Stale: whatever was built for it is built again when it serves.
        return None
    newest = newest_version(house.library, table)
    return None if newest is None else rules_of(house, grant).identity(table, newest)


def _renewals(desk: Desk) -> list[Notice]:
    soon = desk.at + RENEWAL_LEAD
    return [
        _notice(
            desk,
            grant,
            f"renewal:{grant.grant_id}:{grant.valid_until.date()}",
            "授权即将到期",
            "如仍需使用，请申请续期。",
        )
        for grant in opening.open_grants(desk)
        if grant.valid_until <= soon
    ]


def _disposals(desk: Desk) -> list[Notice]:
    week = _week(desk)
    return [
        _notice(
            desk,
            grant,
            f"disposal:{grant.grant_id}:{week}",
            "请登记数据处置情况",
            "授权已结束，请按提供部门要求处置数据并登记。",
        )
        for grant in due_disposals(desk)
    ]


def _unmet(desk: Desk) -> list[Notice]:
    """What the lists leave open, told to the authority once a week (S004 Art.17)."""
    wanting = [one.demand_id for one in lists.matches(desk) if one.match is not lists.Match.MET]
    unlisted = lists.unlisted_supply(desk)
    if not (wanting or unlisted):
        return []
    week = _week(desk)
    return [
        Notice(
            key=f"lists:{week}",
            org=desk.authority,
            role=Role.AUTHORITY_REVIEWER,
            subject=f"供需清单：未满足需求 {len(wanting)} 项，未列清单目录 {len(unlisted)} 条",
            text=f"未满足或部分满足的需求：{'、'.join(wanting) or '无'}。详见“供需清单”。",
            at=desk.at,
            object_kind="share_lists",
            object_id=week,
        )
    ]


def _week(desk: Desk) -> str:
    return beijing_day(desk.at).strftime("%G-W%V")


def _notice(desk: Desk, grant: Any, key: str, subject: str, told: str) -> Notice:
    return Notice(
        key=key,
        org=grant.consumer_org,
        role=Role.DEPARTMENT_OFFICER,
        subject=f"{subject}：{grant.grant_id}",
        text=f"{grant.object_id}：{told}",
        at=desk.at,
        object_kind="share_grant",
        object_id=grant.grant_id,
    )


def _flags(desk: Desk, row: Any) -> list[Notice]:
    day = beijing_day(desk.at) - timedelta(days=1)
    label = AnomalyKind(row.kind).label_zh
    to = ((desk.operator, Role.CENTRE_OPERATOR), (desk.authority, Role.QUALITY_MONITOR))
    return [
        Notice(
            key=f"anomaly:{row.grant_id}:{row.kind}:{day}:{role.value}",
            org=org,
            role=role,
            subject=f"{label}：{row.grant_id}",
            text=f"{day} {row.consumer_org} 使用 {row.object_id}：{row.counted} 次，"
            f"平日 {row.usual:.0f} 次。",
            at=desk.at,
            object_kind="share_grant",
            object_id=row.grant_id,
        )
        for org, role in to
    ]
