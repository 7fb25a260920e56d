"""Notices: an outbox that loses nothing and tells nothing twice.

A notice is put down in the transaction of what it tells about; its key makes it once-only. It is
seen in the portal at once, and is sent to every address known for its role and body by
`yishu.governance.delivery`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Role
from catalog.vocabulary import Labelled
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Actor
from yishu.ledger.models import NoticeAddress, NoticeDelivery, NoticeRow


class Channel(Labelled):
    """How notices leave, besides the portal."""

    MAIL = "mail", "邮件"
    WEBHOOK = "webhook", "网络回调"


@dataclass(frozen=True)
class Notice:
    """Something that a role of a body is told, without personal data.

    Attributes:
        key: Names the event and the one who is told; a second notice of that key is none.
    """

    key: str
    org: str
    role: Role
    subject: str
    text: str
    at: datetime
    object_kind: str
    object_id: str


@dataclass(frozen=True)
class Posted:
    """A notice as the outbox has it.

    Attributes:
        waiting: Addresses that do not have it yet.
        sent: Addresses that have it.
        last_error: Why the last try failed; None where none did.
    """

    key: str
    org: str
    role: Role
    subject: str
    text: str
    at: datetime
    object_kind: str
    object_id: str
    read_at: datetime | None
    waiting: int
    sent: int
    last_error: str | None


def enqueue(connection: Connection, notice: Notice) -> bool:
    """Put a notice into the outbox, in the caller's transaction; whether it is a new one."""
    return enqueue_all(connection, [notice]) == 1


def enqueue_all(connection: Connection, notices: Sequence[Notice]) -> int:
    """Put many notices into the outbox; how many were new."""
    made = insert_all(connection, NoticeRow, [_values(notice) for notice in notices])
    keys = [row.key for row in made]
    if keys:
        connection.execute(_TO_ADDRESSES, {"keys": keys})
    return len(keys)


_TO_ADDRESSES = text("""
    insert into ledger.notice_delivery (key, channel, address, next_try_at)
    select notice.key, address.channel, address.address, notice.at
    from ledger.notice
    join ledger.notice_address as address using (org, role)
    where notice.key = any(:keys)
    on conflict do nothing
""")


def set_address(
    connection: Connection, org: str, role: Role, channel: Channel, address: str
) -> None:
    """Send notices to a role of a body to an address from now on."""
    values = {"org": org, "role": role.value, "channel": channel.value, "address": address}
    connection.execute(insert(NoticeAddress).values(values).on_conflict_do_nothing())


def drop_address(
    connection: Connection, org: str, role: Role, channel: Channel, address: str
) -> bool:
    """Send nothing more to an address; what waits for it is still sent. Whether it was known."""
    table = NoticeAddress
    done = connection.execute(
        delete(table)
        .where(table.org == org, table.role == role.value)
        .where(table.channel == channel.value, table.address == address)
    )
    return bool(done.rowcount)


def inbox(
    connection: Connection,
    *,
    org: str | None = None,
    role: Role | None = None,
    is_unread: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> list[Posted]:
    """Notices, newest first: to a body, to a role of it, or all."""
    newest = _told(select(NoticeRow.__table__), org, role, is_unread=is_unread).order_by(
        NoticeRow.at.desc(), NoticeRow.key
    )
    one = newest.offset(offset).limit(limit).subquery()
    waiting = func.count().filter(NoticeDelivery.key.is_not(None), NoticeDelivery.sent_at.is_(None))
    asked = (
        select(
            *one.c,
            waiting.label("waiting"),
            func.count(NoticeDelivery.sent_at).label("sent"),
            func.max(NoticeDelivery.last_error).label("last_error"),
        )
        .outerjoin(NoticeDelivery, NoticeDelivery.key == one.c.key)
        .group_by(*one.c)
        .order_by(one.c.at.desc(), one.c.key)
    )
    return [_posted(dict(row._mapping)) for row in connection.execute(asked)]


def counted(
    connection: Connection, *, org: str | None = None, role: Role | None = None, most: int
) -> int:
    """How many notices a role of a body has, counted up to ``most``."""
    some = _told(select(NoticeRow.key), org, role).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _told(
    asked: Select[Any], org: str | None, role: Role | None, *, is_unread: bool = False
) -> Select[Any]:
    if org is not None:
        asked = asked.where(NoticeRow.org == org)
    if role is not None:
        asked = asked.where(NoticeRow.role == role.value)
    return asked.where(NoticeRow.read_at.is_(None)) if is_unread else asked


def mark_read(connection: Connection, key: str, actor: Actor, at: datetime) -> bool:
    """Note that somebody of the role and body that was told has read it; whether it was new."""
    done = connection.execute(
        update(NoticeRow)
        .where(NoticeRow.key == key, NoticeRow.read_at.is_(None))
        .where(NoticeRow.org == actor.org, NoticeRow.role == actor.role.value)
        .values(read_at=at, read_by=actor.account)
    )
    return bool(done.rowcount)


def _values(notice: Notice) -> dict[str, object]:
    return {
        "key": notice.key,
        "org": notice.org,
        "role": notice.role.value,
        "subject": notice.subject,
        "text": notice.text,
        "at": notice.at,
        "object_kind": notice.object_kind,
        "object_id": notice.object_id,
    }


def _posted(values: dict[str, object]) -> Posted:
    values.pop("read_by")
    return Posted(**{**values, "role": Role(values["role"])})  # type: ignore[arg-type]
