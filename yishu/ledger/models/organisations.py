"""Bodies of the four levels, who followed whom, their contacts, deputies, duties and claims."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base

_ORG = f"{SCHEMA}.organisation.org"
_VALID = "valid_until is null or valid_until >= valid_from"


class Organisation(Base):
    """A body; ``kind`` `vertical` takes part by reference (S004 Art.2)."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint(_VALID, name="valid"),
        CheckConstraint("(level = 'city') = (parent is null)", name="parent"),
        CheckConstraint("level in ('city', 'county', 'town', 'village')", name="level"),
        CheckConstraint("kind in ('organ', 'institution', 'utility', 'vertical')", name="kind"),
        CheckConstraint("code_system in ('gb2260', 'local')", name="code_system"),
        Index(None, "parent"),
    )

    org: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    uscc: Mapped[str | None]
    kind: Mapped[str]
    level: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey(_ORG))
    code_system: Mapped[str]
    region_code: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]


class OrgSuccession(Base):
    """From a day on, a body's duties are another's: renamed, merged or split. Only ever added."""

    __tablename__ = "org_succession"
    __table_args__ = (
        CheckConstraint("org <> successor", name="another"),
        CheckConstraint("length(trim(basis)) > 0", name="basis"),
    )

    org: Mapped[str] = mapped_column(ForeignKey(_ORG), primary_key=True)
    successor: Mapped[str] = mapped_column(ForeignKey(_ORG, name="fk_org_succession_successor"))
    succeeded_on: Mapped[date]
    basis: Mapped[str]


class OrgContact(Base):
    """A person of a body who answers for something; the telephone is the office's."""

    __tablename__ = "org_contact"
    __table_args__ = (CheckConstraint(_VALID, name="valid"),)

    org: Mapped[str] = mapped_column(ForeignKey(_ORG), primary_key=True)
    duty: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    telephone: Mapped[str | None]
    valid_until: Mapped[date | None]


class Deputy(Base):
    """An account that acts for another one, in its role and for its body, on certain days."""

    __tablename__ = "deputy"
    __table_args__ = (
        CheckConstraint("valid_until >= valid_from", name="valid"),
        CheckConstraint("deputy <> account", name="another"),
        CheckConstraint("length(trim(reason)) > 0", name="reason"),
    )

    account: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.account.account"), primary_key=True)
    deputy: Mapped[str] = mapped_column(
        ForeignKey(f"{SCHEMA}.account.account", name="fk_deputy_deputy"), primary_key=True
    )
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_until: Mapped[date]
    reason: Mapped[str]


class Duty(Base):
    """A task or a system, and the body that leads it: there is none without a lead (S003 二)."""

    __tablename__ = "duty"
    __table_args__ = (CheckConstraint("length(trim(title)) > 0", name="title"),)

    duty: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    basis: Mapped[str]
    lead_org: Mapped[str] = mapped_column(ForeignKey(_ORG))


class DutyParty(Base):
    """Another body in a task: cooperating or responsible."""

    __tablename__ = "duty_party"
    __table_args__ = (CheckConstraint("part in ('cooperating', 'responsible')", name="part"),)

    duty: Mapped[str] = mapped_column(
        ForeignKey(f"{SCHEMA}.duty.duty", ondelete="CASCADE"), primary_key=True
    )
    org: Mapped[str] = mapped_column(ForeignKey(_ORG), primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)


class ItemClaim(Base):
    """A body's claim of a service item of a level (认领, S004 Art.6). Only ever added."""

    __tablename__ = "item_claim"
    __table_args__ = (Index(None, "basic_code", "org", unique=True),)

    claim: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    basic_code: Mapped[str]
    org: Mapped[str]
    person: Mapped[str]
    account: Mapped[str]
    claimed_at: Mapped[datetime]
