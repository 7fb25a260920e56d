"""The catalog as people run it."""

revision = "0007"
down_revision = "0006"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
