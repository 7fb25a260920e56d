"""The table of column profiles: statistics of each column of a validated run."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base


class ColumnProfile(Base):
    """Statistics of one column; `yishu.ledger.facts.ProfileFacts`.

    ``minimum``, ``maximum`` and ``top`` are of items alone that are not sensitive.
    """

    __tablename__ = "column_profile"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "entry_id"],
            [f"{SCHEMA}.verdict.run_id", f"{SCHEMA}.verdict.entry_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "nulls between 0 and rows and unreadable between 0 and nulls", name="nulls"
        ),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int]
    nulls: Mapped[int]
    unreadable: Mapped[int]
    distinct: Mapped[int]
    minimum: Mapped[str | None]
    maximum: Mapped[str | None]
    shortest: Mapped[int | None]
    longest: Mapped[int | None]
    top: Mapped[list[Any]] = mapped_column(JSONB)
