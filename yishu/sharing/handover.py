"""Files for download (文件下载): what a grant without a destination gives to whoever fetches it.

The file is that of the grant's newest delivery, made on the first question for a version; every
fetch of it is one more record of the use log, written before the first byte.
"""

import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row

from catalog.roles import Action
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.sharing import delivering, files, manifest
from yishu.sharing.errors import AccessDenied
from yishu.sharing.house import House, Ready, find, ready, use_of
from yishu.sharing.uselog import Use, UseLog


@dataclass(frozen=True)
class Handed:
    """A file to hand over, with the delivery that made it."""

    ready: Ready
    delivery: Row[Any]
    file: Path

    @property
    def manifest(self) -> Path:
        """Its manifest: columns, rows, digests, terms."""
        return manifest.place(self.file)

    def headers(self) -> dict[str, str]:
        """How it is sent: saved under the data's own name, never shown, with its digests."""
        name = f"{self.ready.object_.name}_{self.delivery.delivery_id}{self.file.suffix}"
        return {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Type": media_type(self.file),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Yishu-Grant": self.delivery.grant_id,
            "Yishu-Content-Digest": self.delivery.content_digest,
            "Yishu-SHA256": self.delivery.receipt["sha256"],
        }

    def use(self, house: House, requester: str, size: int) -> Use:
        """The record of one fetch of it."""
        facts = {"rows": self.delivery.sent, "digest": self.delivery.receipt["sha256"]}
        return use_of(self.ready, house.clock(), "file", requester, bytes=size, **facts)


def media_type(file: Path) -> str:
    """The media type of a delivered file; CSV in either encoding is told by its manifest."""
    if file.suffix == ".parquet":
        return "application/vnd.apache.parquet"
    return mimetypes.types_map[file.suffix]


def newest(house: House, grant_id: str) -> Handed:
    """The file of the newest published version, made now unless it is there.

    Raises:
        AccessDenied: the grant has no file, or its files are pushed to a destination.
        SharingError: it is held, stale or not open.
    """
    with house.engine.connect() as connection:
        grant = find(connection, grant_id)
    if grant.format not in files.SUFFIX or grant.destination:
        raise AccessDenied(
            grant_id,
            found=f"a grant of {grant.format}"
            + (" with a destination" if grant.destination else ""),
            expected="a grant of files without a destination",
            remedy="use the channel that was granted, or ask for a change of scope",
            status=403,
        )
    delivering.deliver(house, grant_id, {})
    with house.engine.begin() as connection:
        made = delivering.last_delivery(connection, grant_id)
        if made is None:
            raise RuntimeError(f"{grant_id} was delivered and has no delivery")
        served = ready(house, connection, grant_id)
    return Handed(served, made, delivering.folder_of(house, grant_id) / made.receipt["file"])


def take(house: House, grant_id: str, actor: Actor) -> Handed:
    """The file for somebody of the department that it was granted to; on record in their name.

    Raises:
        Forbidden: the actor may not file requests for that department.
        AccessDenied, SharingError: like ``newest``.
    """
    with house.engine.connect() as connection:
        grant = find(connection, grant_id)
    require(actor, Action.FILE_REQUEST, grant_id, grant.consumer_org)
    handed = newest(house, grant_id)
    use = handed.use(house, actor.account, handed.file.stat().st_size)
    (recorded,) = UseLog(house.engine).append([use])
    if recorded.outcome != "served":
        raise AccessDenied(
            grant_id,
            found=recorded.reason or "denied",
            expected="an open grant in its term",
            remedy="look at the grant's timeline",
            status=403,
        )
    return handed
