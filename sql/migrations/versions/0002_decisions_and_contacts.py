"""Decisions of persons that let a run through, and contacts with department systems."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

SCHEMA = "ledger"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables; rows are only ever added."""
    op.create_table(
        "decision",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "object_id", "kind", name="pk_decision"),
        sa.ForeignKeyConstraint(
            ["run_id", "object_id"],
            ["ledger.run.run_id", "ledger.run.object_id"],
            name="fk_decision_run",
        ),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_decision_reason")),
        schema=SCHEMA,
    )
    op.create_table(
        "contact",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "connection_id", "happened_at", "run_id", "object_id", "outcome", name="pk_contact"
        ),
        sa.CheckConstraint(
            "outcome in ('reached', 'unreachable', 'trial')", name=op.f("ck_contact_outcome")
        ),
        schema=SCHEMA,
    )
    for table in ("decision", "contact"):
        op.execute(
            f"create trigger {table}_is_only_added_to "
            f"before update or delete or truncate on ledger.{table} "
            "for each statement execute function ledger.refuse_change()"
        )


def downgrade() -> None:
    """Remove both tables and every fact in them."""
    for table in ("contact", "decision"):
        op.drop_table(table, schema=SCHEMA)
