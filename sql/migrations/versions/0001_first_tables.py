"""The first tables: runs, receipts, verdicts, commits, contributions, refusals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "ledger"
MOMENT = sa.DateTime(timezone=True)
COUNTS = ("read", "inserted", "updated", "unchanged", "deleted", "quarantined", "superseded")

NO_CHANGE = """
create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to', tg_table_name
        using errcode = 'restrict_violation';
end
$$
"""


def upgrade() -> None:
    """Make the tables."""
    _run()
    _pull_receipt()
    _verdict()
    _check_result()
    _library_commit()
    _subject_contribution()
    _refusal()


def downgrade() -> None:
    """Remove the tables and every fact in them."""
    for table in (
        "refusal",
        "subject_contribution",
        "library_commit",
        "check_result",
        "verdict",
        "pull_receipt",
        "run",
    ):
        op.drop_table(table, schema=SCHEMA)
    op.execute("drop function ledger.refuse_change()")


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=nullable)


def _run() -> None:
    op.create_table(
        "run",
        _text("run_id"),
        _text("object_id"),
        _text("kind"),
        _text("state"),
        _text("release_id"),
        sa.Column("object_version", sa.Integer()),
        _moment("nominal_at", nullable=True),
        _moment("started_at"),
        _moment("finished_at", nullable=True),
        _text("stage", nullable=True),
        _text("error_code", nullable=True),
        _text("error_message", nullable=True),
        sa.PrimaryKeyConstraint("run_id", "object_id", name="pk_run"),
        sa.CheckConstraint("kind in ('entry', 'subject')", name=op.f("ck_run_kind")),
        sa.CheckConstraint(
            "state in ('running', 'succeeded', 'blocked', 'failed')", name=op.f("ck_run_state")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (finished_at is null)", name=op.f("ck_run_finished")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_run_object_id_started_at", "run", ["object_id", "started_at"], schema=SCHEMA
    )
    op.create_index("ix_run_started_at", "run", ["started_at"], schema=SCHEMA)


def _pull_receipt() -> None:
    op.create_table(
        "pull_receipt",
        _text("run_id"),
        _text("entry_id"),
        _text("department_id"),
        _text("connection_id"),
        _text("system_kind"),
        _text("place"),
        _count("rows"),
        _count("bytes"),
        _text("digest"),
        _text("source_digest", nullable=True),
        sa.Column("new_columns", postgresql.JSONB(), nullable=False),
        _moment("pulled_at"),
        sa.PrimaryKeyConstraint("run_id", "entry_id", name="pk_pull_receipt"),
        _of_run("pull_receipt", "entry_id"),
        sa.CheckConstraint("rows >= 0", name=op.f("ck_pull_receipt_rows")),
        schema=SCHEMA,
    )


def _verdict() -> None:
    op.create_table(
        "verdict",
        _text("run_id"),
        _text("entry_id"),
        _count("rows"),
        _count("quarantined"),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("max_quarantined_share", sa.Double(), nullable=False),
        _moment("decided_at"),
        sa.PrimaryKeyConstraint("run_id", "entry_id", name="pk_verdict"),
        _of_run("verdict", "entry_id"),
        sa.CheckConstraint("quarantined between 0 and rows", name=op.f("ck_verdict_quarantined")),
        schema=SCHEMA,
    )


def _check_result() -> None:
    op.create_table(
        "check_result",
        _text("run_id"),
        _text("entry_id"),
        _text("check_id"),
        _text("kind"),
        _text("dimension"),
        _text("severity"),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        _count("counted"),
        _count("failed"),
        _text("text_zh"),
        sa.PrimaryKeyConstraint("run_id", "entry_id", "check_id", name="pk_check_result"),
        sa.ForeignKeyConstraint(
            ["run_id", "entry_id"],
            ["ledger.verdict.run_id", "ledger.verdict.entry_id"],
            name="fk_check_result_verdict",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("failed between 0 and counted", name=op.f("ck_check_result_failed")),
        schema=SCHEMA,
    )


def _library_commit() -> None:
    op.create_table(
        "library_commit",
        _text("run_id"),
        _text("object_id"),
        _text("layer"),
        _text("table_name"),
        _count("version"),
        sa.Column("entry_version", sa.Integer()),
        *(_count(name) for name in COUNTS),
        _count("rows"),
        _text("content_digest", nullable=True),
        _moment("committed_at"),
        sa.PrimaryKeyConstraint("run_id", "object_id", name="pk_library_commit"),
        _of_run("library_commit", "object_id"),
        sa.CheckConstraint("layer in ('unified', 'subject')", name=op.f("ck_library_commit_layer")),
        sa.CheckConstraint(
            "layer <> 'unified' or "
            "read = inserted + updated + unchanged + quarantined + superseded",
            name=op.f("ck_library_commit_counts_add_up"),
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_library_commit_object_id_committed_at",
        "library_commit",
        ["object_id", "committed_at"],
        schema=SCHEMA,
    )


def _subject_contribution() -> None:
    op.create_table(
        "subject_contribution",
        _text("run_id"),
        _text("subject_id"),
        _text("entry_id"),
        _count("entry_table_version", nullable=True),
        _count("rows_in"),
        _count("contributed"),
        _count("not_linked"),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "subject_id", "entry_id", name="pk_subject_contribution"),
        sa.ForeignKeyConstraint(
            ["run_id", "subject_id"],
            ["ledger.library_commit.run_id", "ledger.library_commit.object_id"],
            name="fk_subject_contribution_library_commit",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "rows_in = contributed + not_linked", name=op.f("ck_subject_contribution_counts_add_up")
        ),
        schema=SCHEMA,
    )


def _refusal() -> None:
    op.create_table(
        "refusal",
        _text("run_id"),
        _text("object_id"),
        _text("item"),
        _text("code"),
        _text("stage", nullable=True),
        _text("found"),
        _text("expected"),
        _text("remedy"),
        _moment("refused_at"),
        sa.PrimaryKeyConstraint("run_id", "object_id", "item", "code", name="pk_refusal"),
        schema=SCHEMA,
    )
    op.create_index("ix_refusal_refused_at", "refusal", ["refused_at"], schema=SCHEMA)
    op.execute(NO_CHANGE)
    op.execute(
        "create trigger refusal_is_only_added_to "
        "before update or delete or truncate on ledger.refusal "
        "for each statement execute function ledger.refuse_change()"
    )


def _of_run(table: str, object_column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["run_id", object_column],
        ["ledger.run.run_id", "ledger.run.object_id"],
        name=f"fk_{table}_run",
    )
