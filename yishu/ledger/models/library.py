"""Tables of the library: versions that must stay readable, and what lineage told."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Identity, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import Base


class LibraryPin(Base):
    """A version of a table that a grant, a frozen report or a release names."""

    __tablename__ = "library_pin"
    __table_args__ = (
        CheckConstraint("version >= 0", name="version"),
        CheckConstraint("holder_kind in ('grant', 'report', 'release')", name="holder_kind"),
        CheckConstraint("released_at is null or released_at >= pinned_at", name="released"),
        Index(None, "holder_kind", "holder_id"),
    )

    table_name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    holder_kind: Mapped[str] = mapped_column(primary_key=True)
    holder_id: Mapped[str] = mapped_column(primary_key=True)
    pinned_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class LineageEvent(Base):
    """One OpenLineage event as it was told; ``digest`` keeps a repeated one out."""

    __tablename__ = "lineage_event"
    __table_args__ = (Index(None, "digest", unique=True), Index(None, "job", "at"))

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    digest: Mapped[str]
    at: Mapped[datetime]
    kind: Mapped[str]
    job: Mapped[str]
    run_uuid: Mapped[str]
    event: Mapped[dict[str, Any]]
