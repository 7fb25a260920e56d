"""How far a pull by changes came, and rows that said that their key is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = "ledger"


def upgrade() -> None:
    """Add the columns; all pulls so far were full ones."""
    op.add_column(
        "pull_receipt",
        sa.Column("mode", sa.Text(), nullable=False, server_default="full"),
        schema=SCHEMA,
    )
    op.add_column("pull_receipt", sa.Column("since", sa.Text()), schema=SCHEMA)
    op.add_column("pull_receipt", sa.Column("reached", sa.Text()), schema=SCHEMA)
    op.add_column(
        "library_commit",
        sa.Column("removals", sa.BigInteger(), nullable=False, server_default="0"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Remove the columns and what they say."""
    op.drop_column("library_commit", "removals", schema=SCHEMA)
    for name in ("reached", "since", "mode"):
        op.drop_column("pull_receipt", name, schema=SCHEMA)
