"""Attachments of requests, such as the stamped letter: kept by digest, never run, never inlined.

What a file is, its first bytes say; its name says nothing.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Action, Role
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareAttachment
from yishu.library.place import make_private
from yishu.sharing.desk import Desk
from yishu.sharing.errors import AttachmentRefused, RequestUnknown
from yishu.sharing.vocabulary import RequestState

MOST_BYTES = 10 << 20
MOST_FILES = 10

_KINDS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"OFD", "application/ofd"),
)
_ZIP = b"PK\x03\x04"
_OFD_ENTRY = b"OFD.xml"
_OPEN = (RequestState.DRAFT, RequestState.SUBMITTED, RequestState.RETURNED)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]")


@dataclass(frozen=True)
class Attached:
    """An attachment as it was kept."""

    digest: str
    name: str
    content_type: str
    size: int


def attach(desk: Desk, request_id: str, actor: Actor, *, name: str, content: bytes) -> Attached:
    """Keep a file of a request.

    Raises:
        AttachmentRefused: empty, larger than 10 MiB, the eleventh, or no PDF, OFD, PNG or JPEG.
        NotThisState: it is decided or withdrawn; what was decided on stays as it was.
    """
    row = desk.request(request_id, *_OPEN)
    require(actor, Action.FILE_REQUEST, request_id, row.consumer_org)
    kind = content_type(request_id, content)
    if len(listed(desk, request_id)) >= MOST_FILES:
        raise _refused(request_id, f"more than {MOST_FILES} attachments", "no more")
    digest = hashlib.sha256(content).hexdigest()
    folder = desk.attachments
    make_private(folder)
    beside = folder / f".{digest}.{os.getpid()}"
    beside.touch(mode=0o600)
    beside.write_bytes(content)
    beside.replace(folder / digest)
    values = {
        "request_id": request_id,
        "digest": digest,
        "name": safe_name(name),
        "content_type": kind,
        "bytes": len(content),
        "added_at": desk.at,
    }
    desk.connection.execute(insert(ShareAttachment).values(values).on_conflict_do_nothing())
    desk.step(actor, Action.FILE_REQUEST, request_id, "attached", safe_name(name))
    return Attached(digest, safe_name(name), kind, len(content))


def seen_by(desk: Desk, request_id: str, actor: Actor) -> list[Attached]:
    """The attachments of a request, for a party to it.

    Raises:
        RequestUnknown: there is no such request, or the actor is no party to it.
    """
    row = desk.request(request_id, lock=False)
    is_own = actor.org == row.consumer_org and actor.role in _OWN
    is_party = actor.role in _DECIDING and row.state != RequestState.DRAFT
    is_provider = actor.org in row.provider_orgs or actor.role is not Role.PROVIDER_REVIEWER
    if is_own or (is_party and is_provider):
        return listed(desk, request_id)
    raise RequestUnknown(
        request_id,
        found="a request between other bodies",
        expected="a request of the own department, or one to decide",
        remedy="ask the department that filed it",
    )


_OWN = (Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD)
_DECIDING = (Role.PROVIDER_REVIEWER, Role.AUTHORITY_REVIEWER, Role.CENTRE_OPERATOR, Role.AUDITOR)


def find(desk: Desk, request_id: str, digest: str, actor: Actor) -> tuple[Attached, Path]:
    """An attachment and where it lies, for a party to the request; raises like ``seen_by``."""
    found = [one for one in seen_by(desk, request_id, actor) if one.digest == digest]
    if found:
        return found[0], desk.attachments / digest
    raise RequestUnknown(
        request_id,
        found="no such attachment",
        expected="one that the request lists",
        remedy="open the request's attachments again",
    )


def listed(desk: Desk, request_id: str) -> list[Attached]:
    """The attachments of a request."""
    asked = select(ShareAttachment.__table__).where(ShareAttachment.request_id == request_id)
    rows = desk.connection.execute(asked.order_by(ShareAttachment.name))
    return [Attached(row.digest, row.name, row.content_type, row.bytes) for row in rows]


def headers(attached: Attached) -> dict[str, str]:
    """How an attachment is handed to a browser: saved, never shown or guessed at."""
    return {
        "Content-Disposition": f'attachment; filename="{attached.digest[:16]}"',
        "Content-Type": attached.content_type,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }


def content_type(request_id: str, content: bytes) -> str:
    """What a file is by its content; raises like ``attach``."""
    if not 0 < len(content) <= MOST_BYTES:
        raise _refused(request_id, f"{len(content)} bytes", f"1 to {MOST_BYTES} bytes")
    found = next((kind for start, kind in _KINDS if content.startswith(start)), None)
    if found is None and content.startswith(_ZIP) and _OFD_ENTRY in content:
        found = "application/ofd"
    if found is None:
        raise _refused(request_id, "a file of another kind", "a PDF, OFD, PNG or JPEG")
    return found


def safe_name(name: str) -> str:
    """A name without path and control characters."""
    return _UNSAFE.sub("_", Path(name.replace("\\", "/")).name)[:120] or "附件"


def _refused(request_id: str, found: str, expected: str) -> AttachmentRefused:
    return AttachmentRefused(
        request_id, found=found, expected=expected, remedy="scan the letter as PDF and add that"
    )
