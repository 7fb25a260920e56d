"""How people come in: passwords, sessions of browsers, tokens of programs, outside identities.

Secrets are kept as hashes: argon2 of a password, SHA-256 of a random token.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.accounts import Account
from yishu.ledger.models.base import Base


class Credential(Base):
    """The password of an account, and how often it was given wrong in a row."""

    __tablename__ = "credential"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)

    account: Mapped[str] = mapped_column(ForeignKey(Account.account), primary_key=True)
    password_hash: Mapped[str]
    must_change: Mapped[bool]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class PortalSession(Base):
    """One browser that signed in; ``ended_at`` is None while it is in use."""

    __tablename__ = "portal_session"
    __table_args__ = (Index(None, "account"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    csrf: Mapped[str]
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiToken(Base):
    """One token with which a program acts through an account until ``expires_at``."""

    __tablename__ = "api_token"
    __table_args__ = (Index(None, "account"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    label: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class OutsideIdentity(Base):
    """Which account a person of an OpenID provider acts through."""

    __tablename__ = "outside_identity"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
