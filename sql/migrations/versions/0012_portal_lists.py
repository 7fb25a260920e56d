"""Indexes for the portal's long lists: requests in their order and by giver, journal by account."""

from alembic import op

revision = "0012"
down_revision = "0011"

INDEXES = {
    "ix_share_request_list": "share_request ((state <> 'submitted'), received_at, request_id)",
    "ix_share_request_provider_orgs": "share_request using gin (provider_orgs)",
    "ix_journal_account_number": "journal (account, number)",
}


def upgrade() -> None:
    """Make them."""
    for name, on in INDEXES.items():
        op.execute(f"create index {name} on ledger.{on}")


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.execute(f"drop index ledger.{name}")
