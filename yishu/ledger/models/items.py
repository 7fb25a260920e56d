"""Service items as the authority keeps them: versions, published lists, slots, links to lists."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base


class ItemVersion(Base):
    """One version of a service item; no change without its legal basis (S004 Art.8)."""

    __tablename__ = "item_version"
    __table_args__ = (
        CheckConstraint("length(trim(legal_basis)) > 0", name="legal_basis"),
        CheckConstraint("ended_at >= published_at", name="period"),
        Index(
            "ix_item_version_in_force",
            "implementation_code",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index(None, "basic_code"),
        Index(None, "org"),
    )

    implementation_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    basic_code: Mapped[str]
    org: Mapped[str]
    name: Mapped[str]
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]
    is_online: Mapped[bool]
    is_cancelled: Mapped[bool]
    legal_basis: Mapped[str]
    changed_account: Mapped[str]
    published_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PublishedList(Base):
    """A version of a published list of a body. Only ever added."""

    __tablename__ = "published_list"
    __table_args__ = (CheckConstraint("length(trim(basis)) > 0", name="basis"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    published_on: Mapped[date]
    basis: Mapped[str]
    digest: Mapped[str]
    published_account: Mapped[str]


class PublishedListRow(Base):
    """A row of a version of a published list. Only ever added."""

    __tablename__ = "published_list_row"
    __table_args__ = (
        ForeignKeyConstraint(
            ["kind", "org", "version"],
            [f"{SCHEMA}.published_list.{name}" for name in ("kind", "org", "version")],
        ),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]


class ItemSlot(Base):
    """What is published about an item in one slot, online and at the counter."""

    __tablename__ = "item_slot"

    implementation_code: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    online_digest: Mapped[str]
    offline_digest: Mapped[str | None]
    updated_at: Mapped[datetime]


class GuideLink(Base):
    """A service guide and the row of the power list that it rests on (S001 二(四)2)."""

    __tablename__ = "guide_link"

    implementation_code: Mapped[str] = mapped_column(primary_key=True)
    power_row: Mapped[str] = mapped_column(primary_key=True)
