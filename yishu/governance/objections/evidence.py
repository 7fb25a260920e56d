"""Evidence: files that somebody attached to an objection, kept as they were given."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Action
from yishu.governance.errors import EvidenceRefused
from yishu.governance.objections.rows import objection
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import ObjectionEvidence

MAX_BYTES = 10 * 1024 * 1024
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".txt": "text/plain",
}
"""What may be attached; nothing that a browser would run."""


@dataclass(frozen=True)
class Attachment:
    """A file: its name, its size in bytes and SHA-256, and its content where that was asked."""

    name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    added_by: str
    content: bytes = field(default=b"", repr=False)


def attach(
    connection: Connection,
    objection_id: str,
    name: str,
    content: bytes,
    *,
    actor: Actor,
    at: datetime,
) -> str:
    """Keep a file with an objection, once; its SHA-256.

    Raises:
        ObjectionUnknown: no such objection.
        EvidenceRefused: too large, empty, or of another kind than documents, pictures and tables.
        Forbidden: this role has nothing to do with objections.
    """
    found = objection(connection, objection_id)
    is_source = actor.org == found.source_org
    action = Action.ANSWER_OBJECTION if is_source else Action.RAISE_OBJECTION
    require(actor, action, objection_id, actor.org)
    plain = name.replace("\\", "/").rpartition("/")[2]
    suffix = "." + plain.rpartition(".")[2].lower()
    if suffix not in MEDIA_TYPES or not 0 < len(content) <= MAX_BYTES:
        raise EvidenceRefused(
            objection_id,
            found=f"{suffix} of {len(content):,} bytes",
            expected=f"{', '.join(MEDIA_TYPES)}, up to {MAX_BYTES:,} bytes",
            remedy="save it as PDF, or attach the part that matters",
        )
    digest = hashlib.sha256(content).hexdigest()
    values = {
        "objection_id": objection_id,
        "name": plain,
        "media_type": MEDIA_TYPES[suffix],
        "size": len(content),
        "sha256": digest,
        "content": content,
        "added_at": at,
        "added_by": actor.account,
    }
    connection.execute(insert(ObjectionEvidence).values(values).on_conflict_do_nothing())
    kept = {"sha256": digest, "size": len(content)}
    append(connection, Act(actor, action, "objection", objection_id, at, after=kept))
    return digest


def evidence(
    connection: Connection, objection_id: str, sha256: str | None = None
) -> Sequence[Attachment]:
    """The files of an objection, oldest first; with ``sha256`` that one and its content."""
    table = ObjectionEvidence
    columns = [table.name, table.media_type, table.size, table.sha256, table.added_at,
               table.added_by]  # fmt: skip
    asked = select(*columns, *([table.content] if sha256 else []))
    asked = asked.where(table.objection_id == objection_id).order_by(table.number)
    if sha256:
        asked = asked.where(table.sha256 == sha256)
    return [Attachment(**row._mapping) for row in connection.execute(asked)]
