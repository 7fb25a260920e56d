"""Maintenance: compact and vacuum the library, end what landing and quarantine keep too long.

Records (receipt, verdict) stay when rows go: counts and digests outlive the rows.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from catalog.model import CatalogEntry
from yishu.library import maintain
from yishu.library.read import tables
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.landing import landed_files
from yishu.pipeline.pull import RECEIPT, load_receipt
from yishu.pipeline.store import RunFolder

DEFAULT_HISTORY_DAYS = 1095
"""For tables that belong to no entry of the release: subjects and withdrawn entries."""


def run_maintenance(ctx: PipelineContext) -> dict[str, Any]:
    """Do all upkeep that is due now.

    Returns:
        ``tables``: what compaction did, a record a table; ``purged``: files removed, by entry.
    """
    library = ctx.settings.library_dir
    upkeep = [
        asdict(maintain(library, table, history_days=_history_days(table, ctx)))
        for table in tables(library)
    ]
    now = ctx.clock()
    purged = {
        entry.id: removed
        for entry in ctx.release.entries.values()
        if (removed := purge_entry(ctx.settings.var_dir, entry, now))
    }
    return {"tables": upkeep, "purged": purged}


def purge_entry(var_dir: Path, entry: CatalogEntry, now: datetime) -> int:
    """Remove landed and quarantined rows past the entry's retention; how many files went."""
    removed = 0
    for folder, pulled_at in _runs(var_dir, entry):
        age = now - pulled_at
        keep = entry.retention
        for path, days in (
            *(
                (file, keep.landing_days)
                for file in (*landed_files(folder), folder.keys, folder.gone)
            ),
            (folder.quarantined, keep.quarantine_days),
        ):
            if age > timedelta(days=days) and path.exists():
                path.unlink()
                removed += 1
    return removed


def _runs(var_dir: Path, entry: CatalogEntry) -> Iterator[tuple[RunFolder, datetime]]:
    department, _, name = entry.id.partition(".")
    for receipt in (var_dir / "landing" / department / name).glob(f"*/{RECEIPT}"):
        run = receipt.parent.name
        folder = RunFolder(receipt.parent, var_dir / "quarantine" / department / name / run)
        pulled_at = load_receipt(folder, needed_by="maintenance").pulled_at
        yield folder, datetime.fromisoformat(pulled_at)


def _history_days(table: str, ctx: PipelineContext) -> int:
    entry_id = table.partition("/")[2]
    if entry_id in ctx.release.entries:
        return ctx.release.entries[entry_id].retention.history_days
    return DEFAULT_HISTORY_DAYS
