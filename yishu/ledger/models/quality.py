"""Tables of quality: objections, figures and their freezing, quarantine, sampling checks.

No column holds a value of a row in clear: keys stand masked, for people, and as keyed digests, for
programs. Evidence is what somebody attached on purpose; it leaves by its own door alone.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base

OBJECTION_NUMBER = Sequence("objection_number", metadata=Base.metadata, schema=SCHEMA)
"""Numbers of objections, through all years."""

_OBJECTION = f"{SCHEMA}.objection.objection_id"


class Objection(Base):
    """An objection (异议) to an entry, a column or a row; what became of it is in its steps.

    ``fingerprint`` is the same for objections to the same thing; ``merged_into`` names the one
    that is followed up when there already was one.
    """

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint("origin in ('department', 'monitor', 'cross_check')", name="origin"),
        CheckConstraint("(key_masked is null) = (key_digest is null)", name="key"),
        CheckConstraint("length(trim(summary)) > 0", name="summary"),
        Index(None, "fingerprint"),
        Index(None, "source_entry_id"),
        Index(None, "merged_into", postgresql_where=text("merged_into is not null")),
    )

    objection_id: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str]
    raised_org: Mapped[str]
    raised_at: Mapped[datetime]
    profile: Mapped[str]
    authority: Mapped[str]
    entry_id: Mapped[str]
    column_name: Mapped[str | None]
    key_masked: Mapped[str | None]
    key_digest: Mapped[str | None]
    source_entry_id: Mapped[str]
    source_org: Mapped[str]
    summary: Mapped[str]
    fingerprint: Mapped[str]
    merged_into: Mapped[str | None] = mapped_column(ForeignKey(_OBJECTION))


class ObjectionStep(Base):
    """One step of an objection: into which state, by whom, when. Rows are only ever added."""

    __tablename__ = "objection_step"
    __table_args__ = (Index(None, "objection_id", "number"),)

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    objection_id: Mapped[str] = mapped_column(ForeignKey(_OBJECTION))
    state: Mapped[str]
    at: Mapped[datetime]
    person: Mapped[str]
    account: Mapped[str]
    role: Mapped[str]
    org: Mapped[str]
    note: Mapped[str | None]
    run_id: Mapped[str | None]
    table_version: Mapped[int | None]


class ObjectionEvidence(Base):
    """A file that somebody attached to an objection. Rows are only ever added."""

    __tablename__ = "objection_evidence"
    __table_args__ = (
        UniqueConstraint("objection_id", "sha256", name="uq_objection_evidence_sha256"),
    )

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    objection_id: Mapped[str] = mapped_column(ForeignKey(_OBJECTION))
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class RunDimension(Base):
    """A verdict's checks summed by quality dimension, so that a year of runs is scored at once."""

    __tablename__ = "run_dimension"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "entry_id"],
            [f"{SCHEMA}.verdict.run_id", f"{SCHEMA}.verdict.entry_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("failed between 0 and counted", name="failed"),
        CheckConstraint("waived between 0 and failed", name="waived"),
        Index(None, "decided_at"),
        Index(None, "entry_id", "decided_at"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    decided_at: Mapped[datetime]
    checks: Mapped[int]
    counted: Mapped[int]
    failed: Mapped[int]
    waived: Mapped[int]


class FrozenPeriod(Base):
    """The figures of a month or quarter as they were frozen. Rows are only ever added."""

    __tablename__ = "frozen_period"

    period: Mapped[str] = mapped_column(primary_key=True)
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[str]
    figures: Mapped[dict[str, Any]]
    digest: Mapped[str]


class FrozenScore(Base):
    """A score of a frozen period: of the city, a department or an entry. Rows are only ever added.

    ``total`` null: nothing was measured. ``dimensions`` holds what was right of what was counted.
    """

    __tablename__ = "frozen_score"
    __table_args__ = (
        CheckConstraint("kind in ('city', 'department', 'entry')", name="kind"),
        CheckConstraint("total between 0 and 100", name="total"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(
        ForeignKey(f"{SCHEMA}.frozen_period.period"), primary_key=True
    )
    total: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    dimensions: Mapped[dict[str, Any]]


class FigureAnswer(Base):
    """What a department answers to a figure of its own. Rows are only ever added."""

    __tablename__ = "figure_answer"
    __table_args__ = (
        CheckConstraint("length(trim(answer)) > 0", name="answer"),
        Index(None, "period", "department_id"),
    )

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    period: Mapped[str]
    department_id: Mapped[str]
    figure: Mapped[str]
    answer: Mapped[str]
    at: Mapped[datetime]
    account: Mapped[str]


class IndicatorValue(Base):
    """The newest value of a rate of a department in a quarter, and the run that refreshed it."""

    __tablename__ = "indicator_value"
    __table_args__ = (CheckConstraint("kept between 0 and due", name="kept"),)

    period: Mapped[str] = mapped_column(primary_key=True)
    department_id: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[str] = mapped_column(primary_key=True)
    kept: Mapped[int]
    due: Mapped[int]
    run_id: Mapped[str]
    at: Mapped[datetime]


class QuarantineAgeing(Base):
    """How the quarantine of an entry stood after a run: what is new, what left it and why.

    ``standing`` rows are in it, ``fresh`` of them for the first time; ``corrected`` passed their
    checks now, ``gone`` are no longer in the source, ``released`` were let through by decisions.
    """

    __tablename__ = "quarantine_ageing"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "entry_id"], [f"{SCHEMA}.verdict.run_id", f"{SCHEMA}.verdict.entry_id"]
        ),
        CheckConstraint("fresh between 0 and standing", name="fresh"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    standing: Mapped[int]
    fresh: Mapped[int]
    corrected: Mapped[int]
    gone: Mapped[int]
    released: Mapped[int]
    oldest_at: Mapped[datetime | None]


class QuarantineRelease(Base):
    """A decision that a row is right though checks fail on it. Rows are only ever added.

    It holds for the row as it was then: ``row_digest`` is a keyed digest of all its values.
    """

    __tablename__ = "quarantine_release"
    __table_args__ = (
        UniqueConstraint("entry_id", "row_digest", name="uq_quarantine_release_entry_id"),
        CheckConstraint("length(trim(reason)) > 0", name="reason"),
    )

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    entry_id: Mapped[str]
    run_id: Mapped[str]
    row_number: Mapped[int]
    row_digest: Mapped[str]
    check_ids: Mapped[list[str]]
    reason: Mapped[str]
    at: Mapped[datetime]
    account: Mapped[str]


class SamplingCheck(Base):
    """A sampling check (抽查) of published rows against their source. Rows are only ever added.

    ``findings`` names rows by their masked keys and the columns that differ, never a value.
    """

    __tablename__ = "sampling_check"
    __table_args__ = (
        CheckConstraint("drawn = equal + different + missing", name="adds_up"),
        Index(None, "entry_id", "at"),
    )

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    entry_id: Mapped[str]
    table_version: Mapped[int]
    seed: Mapped[int]
    drawn: Mapped[int]
    equal: Mapped[int]
    different: Mapped[int]
    missing: Mapped[int]
    findings: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    account: Mapped[str]
