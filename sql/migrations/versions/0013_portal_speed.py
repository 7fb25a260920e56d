"""Scores of frozen months in a table, and indexes for what pages look up."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

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
_ROW = sa.table(
    "frozen_score",
    sa.column("kind", sa.Text),
    sa.column("object_id", sa.Text),
    sa.column("period", sa.Text),
    sa.column("total", sa.Numeric),
    sa.column("dimensions", JSONB),
    schema="ledger",
)
_Sums = dict[str, dict[str, int]]


def upgrade() -> None:
    """Make them, and take over what was frozen already."""
    for name, on in INDEXES.items():
        op.execute(f"create index {name} on ledger.{on}")
    op.execute(TABLE)
    op.execute(TRIGGER)
    asked = sa.text("select period, figures -> 'scores' as scores from ledger.frozen_period")
    for period, scores in op.get_bind().execute(asked).all():
        rows = [
            {"kind": kind, "object_id": id_, "period": period, "dimensions": sums,
             "total": _total(sums, scores["weights"])}
            for kind, id_, sums in _parts(scores["entries"])
        ]  # fmt: skip
        op.bulk_insert(_ROW, rows)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table ledger.frozen_score")
    for name in INDEXES:
        op.execute(f"drop index ledger.{name}")


def _parts(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str, _Sums]]:
    city: _Sums = {}
    departments: dict[str, _Sums] = {}
    for entry in entries:
        own: _Sums = entry["dimensions"]
        yield "entry", entry["entry_id"], own
        for sums in (city, departments.setdefault(entry["department_id"], {})):
            for name, figure in own.items():
                known = sums.setdefault(name, {"right": 0, "counted": 0, "waived": 0})
                sums[name] = {key: known[key] + figure[key] for key in known}
    yield from (("department", org, sums) for org, sums in departments.items())
    yield "city", "city", city


def _total(sums: _Sums, weights: Mapping[str, str]) -> Decimal | None:
    measured = {name: one for name, one in sums.items() if one["counted"]}
    shares = {name: Fraction(weights.get(name, "0")) for name in measured}
    whole = sum(shares.values())
    if not whole:
        return None
    mean = sum(
        shares[name] * Fraction(one["right"], one["counted"]) for name, one in measured.items()
    )
    return Decimal(round(mean / whole * 10**6)).scaleb(-4)
