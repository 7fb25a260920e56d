"""Indexes for pages: objections merged into one, and the latest end and publication of any run."""

from alembic import op

revision = "0013"
down_revision = "0012"

INDEXES = {
    "ix_objection_merged_into": "objection (merged_into) where merged_into is not null",
    "ix_run_finished_at": "run (finished_at)",
    "ix_library_commit_committed_at": "library_commit (committed_at)",
}


def upgrade() -> None:
    """Make them."""
    for name, on in INDEXES.items():
        op.execute(f"create index {name} on ledger.{on}")


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.execute(f"drop index ledger.{name}")
