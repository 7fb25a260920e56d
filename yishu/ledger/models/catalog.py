"""The catalog's tables: versions of entries on their way, what precedes them, and their checks.

``content`` is an entry as its YAML file has it, without what reviewing and publishing fill in. A
trigger refuses to change the content of a version that is neither a draft nor returned.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base
from yishu.ledger.models.separation import separated

_OPEN = "state in ('draft', 'submitted', 'returned', 'approved')"
_WAS_PUBLISHED = "state in ('published', 'superseded', 'revoked')"


class CatalogVersion(Base):
    """One version of an entry; `yishu.governance.versions.Version`."""

    __tablename__ = "catalog_version"
    __table_args__ = (
        CheckConstraint(f"{_OPEN} or {_WAS_PUBLISHED}", name="state"),
        CheckConstraint(f"({_WAS_PUBLISHED}) = (published_at is not null)", name="published"),
        CheckConstraint(
            "(state in ('superseded', 'revoked')) = (ended_at is not null)", name="ended"
        ),
        CheckConstraint("ended_at >= published_at", name="period"),
        CheckConstraint(
            "state not in ('returned', 'revoked') or length(trim(coalesce(opinion, ''))) > 0",
            name="reason",
        ),
        separated("compiled", "reviewed", by_org=False),
        Index("ix_catalog_version_open", "entry_id", unique=True, postgresql_where=text(_OPEN)),
        Index(
            "ix_catalog_version_in_force",
            "entry_id",
            unique=True,
            postgresql_where=text("state = 'published'"),
        ),
        Index(None, "published_at", "ended_at"),
        Index(None, "resource_code"),
        Index(None, "state", "provider_org"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    provider_org: Mapped[str]
    name: Mapped[str]
    resource_code: Mapped[str | None]
    data_kind: Mapped[str | None]
    share_type: Mapped[str | None]
    open_type: Mapped[str | None]
    update_cycle: Mapped[str | None]
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]
    edit: Mapped[int]
    cause: Mapped[str]
    cause_note: Mapped[str]
    changed_on: Mapped[date]
    ruleset: Mapped[int | None]
    compiled_person: Mapped[str]
    compiled_account: Mapped[str]
    edited_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    reviewed_person: Mapped[str | None]
    reviewed_account: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    opinion: Mapped[str | None]
    remarks: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class CatalogAssessment(Base):
    """A confidentiality review, an impact assessment or a head's consent. Only ever added.

    ``digest`` is that of the content which was looked at: another content needs another one.
    """

    __tablename__ = "catalog_assessment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["entry_id", "version"],
            [f"{SCHEMA}.catalog_version.entry_id", f"{SCHEMA}.catalog_version.version"],
        ),
        CheckConstraint("length(trim(basis)) > 0", name="basis"),
        CheckConstraint(
            "kind <> 'confidentiality' or assessed_org <> compiled_org",
            name="reviewer_is_not_compiler",
        ),
        separated("compiled", "assessed", by_org=False),
        Index(None, "entry_id", "version", "kind"),
    )

    assessment: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    entry_id: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    digest: Mapped[str]
    verdict: Mapped[str]
    basis: Mapped[str]
    compiled_person: Mapped[str]
    compiled_org: Mapped[str]
    assessed_person: Mapped[str]
    assessed_account: Mapped[str]
    assessed_org: Mapped[str]
    assessed_at: Mapped[datetime]


class CatalogCheck(Base):
    """What a version of the compilation rules found in a published version of an entry."""

    __tablename__ = "catalog_check"
    __table_args__ = (
        ForeignKeyConstraint(
            ["entry_id", "version"],
            [f"{SCHEMA}.catalog_version.entry_id", f"{SCHEMA}.catalog_version.version"],
        ),
        Index(None, "ruleset"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ruleset: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    faults: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    checked_at: Mapped[datetime]
