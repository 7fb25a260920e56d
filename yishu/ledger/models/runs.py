"""Tables of what pipelines do: runs, receipts, verdicts, commits, refusals, decisions, contacts.

A fact's key is its run, its object and its kind, so recording it again changes nothing. Equations
that must hold are constraints, so that no program can write a fact that breaks them. No column
holds a value of a row.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base


def _of_run(object_column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["run_id", object_column], [f"{SCHEMA}.run.run_id", f"{SCHEMA}.run.object_id"]
    )


class Run(Base):
    """One run of one entry or subject; `yishu.ledger.facts.RunStarted` and ``RunFinished``."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("kind in ('entry', 'subject')", name="kind"),
        CheckConstraint("state in ('running', 'succeeded', 'blocked', 'failed')", name="state"),
        CheckConstraint("(state = 'running') = (finished_at is null)", name="finished"),
        Index(None, "object_id", "started_at"),
        Index(None, "started_at"),
        Index(None, "finished_at"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    release_id: Mapped[str]
    object_version: Mapped[int | None] = mapped_column(Integer)
    nominal_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    stage: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]


class PullReceipt(Base):
    """What a pull brought; `yishu.ledger.facts.PullFacts`."""

    __tablename__ = "pull_receipt"
    __table_args__ = (
        _of_run("entry_id"),
        CheckConstraint("rows >= 0", name="rows"),
        Index(None, "entry_id", "pulled_at"),
        Index(None, "pulled_at"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    department_id: Mapped[str]
    connection_id: Mapped[str]
    system_kind: Mapped[str]
    place: Mapped[str]
    rows: Mapped[int]
    bytes: Mapped[int]
    digest: Mapped[str]
    source_digest: Mapped[str | None]
    new_columns: Mapped[dict[str, str]]
    pulled_at: Mapped[datetime]
    mode: Mapped[str] = mapped_column(server_default="full")
    since: Mapped[str | None]
    reached: Mapped[str | None]


class Verdict(Base):
    """What validation decided; `yishu.ledger.facts.VerdictFacts`."""

    __tablename__ = "verdict"
    __table_args__ = (
        _of_run("entry_id"),
        CheckConstraint("quarantined between 0 and rows", name="quarantined"),
        Index(None, "entry_id", "decided_at"),
        Index(None, "decided_at"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int]
    quarantined: Mapped[int]
    passed: Mapped[bool]
    max_quarantined_share: Mapped[float]
    decided_at: Mapped[datetime]
    blocked_by: Mapped[list[str]] = mapped_column(server_default="{}")


class CheckResult(Base):
    """The result of one check of a verdict; `yishu.ledger.facts.CheckFacts`."""

    __tablename__ = "check_result"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "entry_id"],
            [f"{SCHEMA}.verdict.run_id", f"{SCHEMA}.verdict.entry_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("failed between 0 and counted", name="failed"),
        Index("ix_check_result_failed", "run_id", "entry_id", postgresql_where=text("failed > 0")),
        CheckConstraint("waived between 0 and failed", name="waived"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    check_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    dimension: Mapped[str]
    severity: Mapped[str]
    columns: Mapped[list[str]]
    counted: Mapped[int]
    failed: Mapped[int]
    text_zh: Mapped[str]
    text_en: Mapped[str] = mapped_column(server_default="")
    threshold: Mapped[float | None]
    waived: Mapped[int] = mapped_column(server_default="0")
    waivers: Mapped[list[str]] = mapped_column(server_default="{}")


class LibraryCommit(Base):
    """One atomic commit to the library; `yishu.ledger.facts.CommitFacts`."""

    __tablename__ = "library_commit"
    __table_args__ = (
        _of_run("object_id"),
        CheckConstraint("layer in ('unified', 'subject')", name="layer"),
        CheckConstraint(
            "layer <> 'unified' or "
            "read = inserted + updated + unchanged + quarantined + superseded",
            name="counts_add_up",
        ),
        Index(None, "object_id", "committed_at"),
        Index(None, "committed_at"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    layer: Mapped[str]
    table_name: Mapped[str]
    version: Mapped[int]
    entry_version: Mapped[int | None] = mapped_column(Integer)
    read: Mapped[int]
    inserted: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    deleted: Mapped[int]
    quarantined: Mapped[int]
    superseded: Mapped[int]
    rows: Mapped[int]
    content_digest: Mapped[str | None]
    committed_at: Mapped[datetime]
    removals: Mapped[int] = mapped_column(server_default="0")


class SubjectContribution(Base):
    """What one entry gave to a subject; `yishu.ledger.facts.ContributionFacts`."""

    __tablename__ = "subject_contribution"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "subject_id"],
            [f"{SCHEMA}.library_commit.run_id", f"{SCHEMA}.library_commit.object_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("rows_in = contributed + not_linked", name="counts_add_up"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    entry_table_version: Mapped[int | None]
    rows_in: Mapped[int]
    contributed: Mapped[int]
    not_linked: Mapped[int]
    reasons: Mapped[dict[str, int]]


class Refusal(Base):
    """What was refused; `yishu.ledger.facts.RefusalFacts`. Rows are only ever added."""

    __tablename__ = "refusal"
    __table_args__ = (Index(None, "refused_at"),)

    run_id: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str | None]
    found: Mapped[str]
    expected: Mapped[str]
    remedy: Mapped[str]
    refused_at: Mapped[datetime]


class Decision(Base):
    """What a person let through; `yishu.ledger.care.DecisionFacts`. Rows are only ever added."""

    __tablename__ = "decision"
    __table_args__ = (
        _of_run("object_id"),
        CheckConstraint("length(trim(reason)) > 0", name="reason"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    facts: Mapped[dict[str, int]]


class Contact(Base):
    """An attempt at a system; `yishu.ledger.care.ContactFacts`. Rows are only ever added."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("outcome in ('reached', 'unreachable', 'trial')", name="outcome"),
    )

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
