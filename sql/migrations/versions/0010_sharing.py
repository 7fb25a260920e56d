"""Share requests, grants, channels and the use log."""

revision = "0010"
down_revision = "0009"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
