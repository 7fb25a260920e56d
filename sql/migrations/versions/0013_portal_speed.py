"""Scores of frozen months in a table, and indexes for what pages look up."""

from alembic import op

revision = "0013"
down_revision = "0012"

INDEXES = {
    "ix_objection_merged_into": "objection (merged_into) where merged_into is not null",
    "ix_run_finished_at": "run (finished_at)",
    "ix_library_commit_committed_at": "library_commit (committed_at)",
    "ix_pull_receipt_pulled_at": "pull_receipt (pulled_at)",
}
TABLE = """
    create table ledger.frozen_score (
        kind text not null,
        object_id text not null,
        period text not null,
        total numeric(7, 4),
        dimensions jsonb not null,
        constraint pk_frozen_score primary key (kind, object_id, period),
        constraint fk_frozen_score_frozen_period foreign key (period)
            references ledger.frozen_period (period),
        constraint ck_frozen_score_kind check (kind in ('city', 'department', 'entry')),
        constraint ck_frozen_score_total check (total between 0 and 100)
    )
"""
TRIGGER = """
    create trigger frozen_score_is_only_added_to
    before update or delete or truncate on ledger.frozen_score
    for each statement execute function ledger.refuse_change()
"""


def upgrade() -> None:
    """Make them."""
    for name, on in INDEXES.items():
        op.execute(f"create index {name} on ledger.{on}")
    op.execute(TABLE)
    op.execute(TRIGGER)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table ledger.frozen_score")
    for name in INDEXES:
        op.execute(f"drop index ledger.{name}")
