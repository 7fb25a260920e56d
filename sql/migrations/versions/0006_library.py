"""Pins of library versions, and lineage events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

SCHEMA = "ledger"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "library_pin",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Text(), nullable=False),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint(
            "table_name", "version", "holder_kind", "holder_id", name="pk_library_pin"
        ),
        sa.CheckConstraint("version >= 0", name=op.f("ck_library_pin_version")),
        sa.CheckConstraint(
            "holder_kind in ('grant', 'report', 'release')", name=op.f("ck_library_pin_holder_kind")
        ),
        sa.CheckConstraint(
            "released_at is null or released_at >= pinned_at", name=op.f("ck_library_pin_released")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_library_pin_holder_kind_holder_id",
        "library_pin",
        ["holder_kind", "holder_id"],
        schema=SCHEMA,
    )
    op.create_table(
        "lineage_event",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("run_uuid", sa.Text(), nullable=False),
        sa.Column("event", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_lineage_event"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_lineage_event_digest", "lineage_event", ["digest"], unique=True, schema=SCHEMA
    )
    op.create_index("ix_lineage_event_job_at", "lineage_event", ["job", "at"], schema=SCHEMA)


def downgrade() -> None:
    """Drop the tables and what they say."""
    op.drop_table("lineage_event", schema=SCHEMA)
    op.drop_table("library_pin", schema=SCHEMA)
