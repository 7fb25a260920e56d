"""Maintenance: compact and vacuum the library, end what is kept for a time only.

Receipts and verdicts stay when rows go: counts and digests outlive the rows.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from catalog.model import CatalogView, Retention
from yishu.library import maintain
from yishu.library.read import tables
from yishu.pipeline.context import PipelineContext

RECORDS = {"receipt.json", "verdict.json"}
"""What landing keeps for good."""


def run_maintenance(ctx: PipelineContext) -> dict[str, Any]:
    """Do all upkeep that is due now.

    Returns:
        ``tables``: what compaction did, a record a table; ``purged``: files removed, by layer.
    """
    library = ctx.settings.library_dir
    upkeep = [
        asdict(maintain(library, table, history_days=_retention(ctx.release, table).history_days))
        for table in tables(library)
    ]
    purged = purge(ctx.settings.var_dir, library, ctx.release, ctx.clock())
    return {"tables": upkeep, "purged": purged}


def purge(var_dir: Path, library: Path, catalog: CatalogView, now: datetime) -> dict[str, int]:
    """Remove rows past their retention, whatever became of the run that left them.

    Entries that the catalog no longer has are kept as long as an entry that says nothing.

    Args:
        var_dir: Holds ``landing`` and ``quarantine``.
        library: Holds the keys of rows that subjects could not link.
        catalog: Says how long each entry's rows are kept.
        now: The present moment, with its zone.
    """
    quarantine_days = Retention().quarantine_days
    removed = {"landing": 0, "quarantine": 0, "not_linked": 0}
    for entry_id, path in _files_of_runs(var_dir / "landing"):
        days = _retention(catalog, entry_id).landing_days
        removed["landing"] += path.name not in RECORDS and _end(path, days, now)
    for entry_id, path in _files_of_runs(var_dir / "quarantine"):
        days = _retention(catalog, entry_id).quarantine_days
        removed["quarantine"] += _end(path, days, now)
    for path in (library / "not_linked").glob("*/*"):
        removed["not_linked"] += _end(path, quarantine_days, now)
    return removed


def _files_of_runs(layer: Path) -> Iterator[tuple[str, Path]]:
    for path in layer.glob("*/*/*/*"):
        department, entry, *_ = path.relative_to(layer).parts
        yield f"{department}.{entry}", path


def _end(path: Path, days: int, now: datetime) -> bool:
    """Remove a file older than that; whether it was. A file's age counts from its last write."""
    age = now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if age <= timedelta(days=days):
        return False
    path.unlink()
    return True


def _retention(catalog: CatalogView, name: str) -> Retention:
    entry_id = name.partition("/")[2] or name
    if entry_id in catalog.entries:
        return catalog.entries[entry_id].retention
    return Retention()
