"""Passwords, sessions, tokens and outside identities of the portal."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

SCHEMA = "ledger"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "credential",
        *_texts("account", "password_hash"),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("locked_until", nullable=True),
        _moment("changed_at"),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_credential_failures")),
        *_keys("credential", "account"),
        schema=SCHEMA,
    )
    op.create_table(
        "portal_session",
        *_texts("token_hash", "account", "csrf"),
        _moment("opened_at"),
        _moment("seen_at"),
        _moment("ended_at", nullable=True),
        *_keys("portal_session", "token_hash"),
        schema=SCHEMA,
    )
    op.create_table(
        "api_token",
        *_texts("token_hash", "account", "label"),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        *_keys("api_token", "token_hash"),
        schema=SCHEMA,
    )
    op.create_table(
        "outside_identity",
        *_texts("issuer", "subject", "account"),
        *_keys("outside_identity", "issuer", "subject"),
        schema=SCHEMA,
    )
    for table in ("portal_session", "api_token"):
        op.create_index(f"ix_{table}_account", table, ["account"], schema=SCHEMA)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _keys(table: str, *primary: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint(*primary, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["account"], [f"{SCHEMA}.account.account"], name=f"fk_{table}_account"
        ),
    ]


def downgrade() -> None:
    """Drop the tables."""
    for table in ("outside_identity", "api_token", "portal_session", "credential"):
        op.drop_table(table, schema=SCHEMA)
