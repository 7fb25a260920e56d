"""The source register: which entry is the source of an element, in which scope, in which time.

A row is one value of the element's discriminator, or everything where ``value`` is null. That no
two claims overlap is an exclusion constraint over ranges of text: one value is a range of one, and
everything is the range without bounds. ``ledger.textrange`` makes it work without any extension.
"""

from datetime import date, datetime

from sqlalchemy import (
    DDL,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base

_EVERYTHING = "value is null or discriminator <> ''"


class SourceElement(Base):
    """An element of the register and the one discriminator of its scopes; '' means none."""

    __tablename__ = "source_element"
    __table_args__ = (
        UniqueConstraint("element_id", "discriminator", name="uq_source_element_discriminator"),
    )

    element_id: Mapped[str] = mapped_column(primary_key=True)
    discriminator: Mapped[str]


class SourceClaim(Base):
    """An entry is the source of an element for one value, or for everything, for a time."""

    __tablename__ = "source_claim"
    __table_args__ = (
        ForeignKeyConstraint(
            ["element_id", "discriminator"],
            [f"{SCHEMA}.source_element.element_id", f"{SCHEMA}.source_element.discriminator"],
            onupdate="CASCADE",
        ),
        CheckConstraint("valid_until >= valid_from", name="valid"),
        CheckConstraint(_EVERYTHING, name="value"),
        CheckConstraint("length(trim(decision)) > 0", name="decision"),
        ExcludeConstraint(
            (text("ledger.textrange(element_id, element_id, '[]'::text)"), "&&"),
            (text("ledger.textrange(value, value, '[]'::text)"), "&&"),
            (text("daterange(valid_from, valid_until)"), "&&"),
            name="ex_source_claim_one_source",
            using="gist",
        ),
        Index(None, "entry_id"),
    )

    claim: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    element_id: Mapped[str]
    discriminator: Mapped[str]
    value: Mapped[str | None]
    entry_id: Mapped[str]
    org: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    decision: Mapped[str]
    claimed_person: Mapped[str]
    claimed_account: Mapped[str]
    claimed_at: Mapped[datetime]


class SourceDispute(Base):
    """Two bodies claim one datum (Decree 809 Art.28): consult, authority, common superior."""

    __tablename__ = "source_dispute"
    __table_args__ = (
        CheckConstraint(
            "stage in ('consulting', 'authority', 'superior', 'decided')", name="stage"
        ),
        CheckConstraint(
            "(stage = 'decided') = (decided_at is not null and winner is not null "
            "and effective_on is not null and length(trim(coalesce(reason, ''))) > 0)",
            name="decided",
        ),
        CheckConstraint("winner in (claimant_entry, first_entry)", name="winner"),
        CheckConstraint(
            "decided_org is null or decided_stage = 'consulting' "
            "or decided_org not in (claimant_org, first_org)",
            name="decider_is_no_party",
        ),
        Index(None, "stage", "due_on"),
    )

    dispute: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    element_id: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.source_element.element_id"))
    scope_by: Mapped[str | None]
    scope_values: Mapped[list[str]]
    claimant_entry: Mapped[str]
    claimant_org: Mapped[str]
    first_entry: Mapped[str]
    first_org: Mapped[str]
    grounds: Mapped[str]
    stage: Mapped[str]
    due_on: Mapped[date]
    opened_account: Mapped[str]
    opened_at: Mapped[datetime]
    decided_stage: Mapped[str | None]
    winner: Mapped[str | None]
    effective_on: Mapped[date | None]
    reason: Mapped[str | None]
    decided_person: Mapped[str | None]
    decided_account: Mapped[str | None]
    decided_org: Mapped[str | None]
    decided_at: Mapped[datetime | None]


event.listen(
    Base.metadata,
    "before_create",
    DDL("create type ledger.textrange as range (subtype = text)"),  # type: ignore[no-untyped-call]
)
