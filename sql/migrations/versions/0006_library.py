"""Releases of the library."""

revision = "0006"
down_revision = "0005"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
