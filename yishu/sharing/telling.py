"""What the requesting department is told of its requests and channels, once for each event.

A notice is put down in the transaction of the step that it tells about, in Chinese and in English,
since it also leaves by mail.
"""

from catalog.roles import Role
from catalog.vocabulary import Labelled
from yishu.governance.notices import Notice, enqueue
from yishu.sharing.desk import Desk


class Told(Labelled):
    """What an officer is told; the value says it in English."""

    RETURNED = "share_request_returned_for_completion", "共享申请退回补正"
    REFUSED = "share_request_refused", "共享申请未获同意"
    GRANTED = "share_request_granted", "共享申请已获同意"
    OPENED = "channel_opened", "数据通道已开通"
    TOKEN_RENEWED = "token_of_channel_renewed", "数据通道令牌已更换"
    SUSPENDED = "channel_suspended", "数据通道已暂停"
    RESUMED = "channel_resumed", "数据通道已恢复"
    CLOSED = "channel_closed", "数据通道已关闭"
    EXPIRED = "grant_expired", "授权已到期"


_NEXT = {
    Told.RETURNED: ("请一次补齐后重新提交。", "Complete all of it and submit it again."),
    Told.REFUSED: ("本次申请办结。", "The request is closed."),
    Told.GRANTED: ("待指挥中心开通。", "The command centre opens the channel next."),
    Told.OPENED: ("可按授权使用。", "Use it as it was granted."),
    Told.TOKEN_RENEWED: ("旧令牌已失效。", "The former token has ended."),
    Told.SUSPENDED: ("恢复前不再提供数据。", "Nothing is served until it is resumed."),
    Told.RESUMED: ("可继续使用。", "It serves again."),
    Told.CLOSED: ("请登记数据处置情况。", "Register the disposal of the data."),
    Told.EXPIRED: ("请登记数据处置情况。", "Register the disposal of the data."),
}


def tell(desk: Desk, what: Told, org: str, object_id: str, *, about: str, note: str = "") -> None:
    """Tell the officers of a department what became of its request or grant.

    Args:
        desk: Gives transaction and moment.
        what: What happened.
        org: The department that asked.
        object_id: Number of the request or grant.
        about: Id of the entry or subject.
        note: The reason, or what is missing.
    """
    english = f"{what.value.replace('_', ' ').capitalize()}: {object_id}"
    told_zh, told_en = _NEXT[what]
    lines = [f"{about}：{told_zh}", f"{english}. {told_en}", *([note] if note else [])]
    enqueue(
        desk.connection,
        Notice(
            key=f"{what.value}:{object_id}:{desk.at.isoformat()}",
            org=org,
            role=Role.DEPARTMENT_OFFICER,
            subject=f"{what.label_zh}：{object_id}",
            text="\n".join(lines),
            at=desk.at,
            object_kind="share_request" if object_id.startswith("SQ") else "share_grant",
            object_id=object_id,
        ),
    )
