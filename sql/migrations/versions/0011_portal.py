"""Accounts and sessions of the portal."""

revision = "0011"
down_revision = "0010"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
