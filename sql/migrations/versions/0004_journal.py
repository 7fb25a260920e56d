"""The accounts of people, and the journal of what they do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

SCHEMA = "ledger"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("account", "person", "name", "role", "org")
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.PrimaryKeyConstraint("account", name="pk_account"),
        sa.CheckConstraint(
            "valid_until is null or valid_until >= valid_from", name=op.f("ck_account_valid")
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "journal",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("person", "account", "role", "org", "action", "object_kind", "object_id")
        ),
        sa.Column("reason", sa.Text()),
        sa.Column("before", JSONB()),
        sa.Column("after", JSONB()),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_journal_object_kind_object_id", "journal", ["object_kind", "object_id"], schema=SCHEMA
    )
    op.create_index("ix_journal_at", "journal", ["at"], schema=SCHEMA)


def downgrade() -> None:
    """Drop the tables and what they say."""
    op.drop_table("journal", schema=SCHEMA)
    op.drop_table("account", schema=SCHEMA)
