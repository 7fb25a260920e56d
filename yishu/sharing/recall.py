"""After a correction: who was given what, their notices, and the recall of deliveries (GB/T 39477).

An objection that a publication settles tells who received older versions by itself
(`yishu.pipeline.aftermath`); a recall is the command centre's own word.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, text, update

from catalog.roles import Action, Role
from yishu.governance.notices import Notice, enqueue_all
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareDelivery, ShareGrant
from yishu.sharing.desk import Desk, reason_of


@dataclass(frozen=True)
class Grantee:
    """A department that was given data of an object, by a grant; the newest version of those."""

    org: str
    grant_id: str
    version: int


def grantees(connection: Connection, object_id: str, until_version: int) -> list[Grantee]:
    """Who was given data of an object up to a version, whether the grant still lives or not.

    Whoever was given a newer version since is among them: the old one may still be in use.
    """
    asked = text(
        "select granted.consumer_org as org, granted.grant_id, max(used.table_version) as version "
        "from ledger.share_grant as granted inner join ledger.use_record as used "
        "on used.grant_id = granted.grant_id and used.outcome = 'served' "
        "where granted.object_id = :object_id and used.table_version <= :until_version "
        "group by granted.consumer_org, granted.grant_id order by granted.grant_id"
    )
    values = {"object_id": object_id, "until_version": until_version}
    rows = connection.execute(asked, values)
    return [Grantee(row.org, row.grant_id, row.version) for row in rows]


def recall(desk: Desk, object_id: str, until_version: int, reason: str, actor: Actor) -> list[str]:
    """Recall what was delivered of an object up to a version; the numbers of the deliveries.

    Every grantee of such a version is told, once for each recall.
    """
    require(actor, Action.CLOSE_CHANNEL, object_id)
    why = reason_of(object_id, reason, "a recall")
    grants = select(ShareGrant.grant_id).where(ShareGrant.object_id == object_id)
    due = (
        ShareDelivery.grant_id.in_(grants)
        & (ShareDelivery.table_version <= until_version)
        & ShareDelivery.recalled_at.is_(None)
    )
    marked = update(ShareDelivery).where(due).values(recalled_at=desk.at, recall_reason=why)
    gone = sorted(desk.connection.scalars(marked.returning(ShareDelivery.delivery_id)))
    told = grantees(desk.connection, object_id, until_version)
    for one in told:
        desk.step(actor, Action.CLOSE_CHANNEL, one.grant_id, "recalled", why)
    notices = [
        Notice(
            key=f"recall:{object_id}:{until_version}:{one.grant_id}",
            org=one.org,
            role=Role.DEPARTMENT_OFFICER,
            subject=f"数据召回：{object_id}",
            text=f"授权 {one.grant_id} 所交付的第 {until_version} 版及以前的数据已更正，"
            f"请停用并以新版数据替换。原因：{why}",
            at=desk.at,
            object_kind="share_grant",
            object_id=one.grant_id,
        )
        for one in told
    ]
    enqueue_all(desk.connection, notices)
    return gone
