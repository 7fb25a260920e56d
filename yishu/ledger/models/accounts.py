"""Accounts of people; who may do what is in `catalog.roles`."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import Base


class Account(Base):
    """One account: a person acting in one role for one body, on the days it is valid."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("valid_until is null or valid_until >= valid_from", name="valid"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    org: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
