"""What a pull tells the clock of the catalog: the source is not what the entry says."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from catalog.model import CatalogEntry
from yishu.governance.catalog_clock import DriftSeen, on_drift
from yishu.ledger.models import PullReceipt
from yishu.pipeline.context import PipelineContext


def tell_new_columns(entry: CatalogEntry, columns: Mapping[str, str], ctx: PipelineContext) -> None:
    """Columns that the catalog does not list were seen, and not read."""
    if columns:
        named = "、".join(f"{name}（{kind}）" for name, kind in sorted(columns.items()))
        tell_drift(entry, f"来源新增字段：{named}", ctx)


def tell_drift(entry: CatalogEntry, evidence: str, ctx: PipelineContext) -> None:
    """Open the clock of an entry, or merge with the one that runs."""
    with ctx.ledger.engine.begin() as connection:
        matched = _last_match(connection, entry.id)
        seen = DriftSeen(entry.id, entry.provider_org, evidence, ctx.clock(), matched)
        on_drift(connection, seen, ctx.settings.rule_profile)


def _last_match(connection: Connection, entry_id: str) -> str | None:
    """The last pull that found exactly the catalogued columns: since then something changed."""
    asked = (
        select(PullReceipt.run_id, PullReceipt.pulled_at)
        .where(PullReceipt.entry_id == entry_id, PullReceipt.new_columns == {})
        .order_by(PullReceipt.pulled_at.desc())
        .limit(1)
    )
    row = connection.execute(asked).one_or_none()
    return None if row is None else f"{row.run_id} {row.pulled_at:%Y-%m-%d %H:%M %Z}"
