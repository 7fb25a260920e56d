"""Objections, scores and reports."""

revision = "0009"
down_revision = "0008"

SCHEMA = "ledger"


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing was made."""
