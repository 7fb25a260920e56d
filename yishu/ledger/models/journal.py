"""The journal's table: who did what to what, each record chained to the one before by its hash."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import Base


class JournalRecord(Base):
    """One act of a person; `yishu.ledger.journal.Act`. Rows are only ever added."""

    __tablename__ = "journal"
    __table_args__ = (Index(None, "object_kind", "object_id"), Index(None, "at"))

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    person: Mapped[str]
    account: Mapped[str]
    role: Mapped[str]
    org: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    reason: Mapped[str | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]
