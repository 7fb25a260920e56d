"""The journal's tables: acts, the chain that links them, and the seals on the chain.

A record is inserted with its own digest, without waiting for others. The sealer links what is
committed, in batches, and signs each batch. Database triggers refuse to change or delete a record,
a link or a seal, and to forget a waiting record before it is linked.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base


class JournalRecord(Base):
    """One act of a person; `yishu.ledger.journal.Act`. Rows are only ever added."""

    __tablename__ = "journal"
    __table_args__ = (
        Index(None, "object_kind", "object_id"),
        Index(None, "at"),
        Index(None, "account", "number"),
    )

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
    hash: Mapped[str]


class JournalWaiting(Base):
    """Records that the sealer has not linked yet."""

    __tablename__ = "journal_waiting"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class JournalLink(Base):
    """A record's place in the chain; ``hash`` covers the record and all before it."""

    __tablename__ = "journal_link"
    __table_args__ = (Index(None, "number", unique=True),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.journal.number"))
    hash: Mapped[str]


class JournalSeal(Base):
    """A signature on the chain up to ``last_position``, by a key that is not in the database."""

    __tablename__ = "journal_seal"
    __table_args__ = (CheckConstraint("last_position >= first_position", name="positions"),)

    seal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_position: Mapped[int]
    last_position: Mapped[int]
    hash: Mapped[str]
    sealed_at: Mapped[datetime]
    key_id: Mapped[str]
    previous: Mapped[str]
    signature: Mapped[str]
