"""Clocks, cards and notices."""

revision = "0008"
down_revision = "0007"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
