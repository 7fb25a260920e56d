"""What validation decided beyond counts."""

revision = "0005"
down_revision = "0004"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
