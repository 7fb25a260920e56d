"""What validation decided beyond counts: thresholds, waivers, what blocked, column profiles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0005"
down_revision = "0004"

SCHEMA = "ledger"


def upgrade() -> None:
    """Widen verdict and check result; make the table of column profiles."""
    texts = ARRAY(sa.Text())
    blocked_by = sa.Column("blocked_by", texts, server_default="{}", nullable=False)
    op.add_column("verdict", blocked_by, schema=SCHEMA)
    for column in (
        sa.Column("text_en", sa.Text(), server_default="", nullable=False),
        sa.Column("threshold", sa.Double()),
        sa.Column("waived", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waivers", texts, server_default="{}", nullable=False),
    ):
        op.add_column("check_result", column, schema=SCHEMA)
    op.create_check_constraint(
        op.f("ck_check_result_waived"), "check_result", "waived between 0 and failed", schema=SCHEMA
    )
    op.create_table(
        "column_profile",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run_id", "entry_id", "field")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("rows", "nulls", "unreadable", "distinct")
        ),
        sa.Column("minimum", sa.Text()),
        sa.Column("maximum", sa.Text()),
        sa.Column("shortest", sa.BigInteger()),
        sa.Column("longest", sa.BigInteger()),
        sa.Column("top", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "entry_id", "field", name="pk_column_profile"),
        sa.ForeignKeyConstraint(
            ["run_id", "entry_id"],
            ["ledger.verdict.run_id", "ledger.verdict.entry_id"],
            name="fk_column_profile_verdict",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "nulls between 0 and rows and unreadable between 0 and nulls",
            name=op.f("ck_column_profile_nulls"),
        ),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_table("column_profile", schema=SCHEMA)
    op.drop_constraint(op.f("ck_check_result_waived"), "check_result", type_="check", schema=SCHEMA)
    for column in ("waivers", "waived", "threshold", "text_en"):
        op.drop_column("check_result", column, schema=SCHEMA)
    op.drop_column("verdict", "blocked_by", schema=SCHEMA)
