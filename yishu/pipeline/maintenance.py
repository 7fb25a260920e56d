"""Maintenance: compact and vacuum the library, end what is kept for a time only.

Receipts and verdicts stay when rows go: counts and digests outlive the rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from catalog.model import CatalogView, Retention
from yishu.governance.versions import retention_of_withdrawn
from yishu.ledger.pins import pinned_versions
from yishu.library import Upkeep, maintain
from yishu.library.read import tables
from yishu.library.release import LibraryRelease, named_versions, releases
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.delivery import ARRIVED, RECEIPT
from yishu.pipeline.publish import PUBLISHED
from yishu.pipeline.pull import VERDICT
from yishu.pipeline.store import remove_folder

RECORDS = {RECEIPT, VERDICT, PUBLISHED, ARRIVED}
"""What landing keeps for good."""

NOTHING: Mapping[str, Retention] = MappingProxyType({})


def run_maintenance(ctx: PipelineContext) -> dict[str, Any]:
    """Do all upkeep that is due now.

    Returns:
        ``tables``: what compaction did, a record a table; ``purged``: files removed, by layer.
    """
    library = ctx.settings.library_dir
    with ctx.ledger.reading() as connection:
        pinned = pinned_versions(connection)
        kept = _Kept(ctx.release, retention_of_withdrawn(connection))
    every = list(releases(library))
    upkeep = [
        asdict(_upkeep(ctx, table, pinned.get(table, []), every, kept.of(table).history_days))
        for table in tables(library)
    ]
    purged = purge(
        ctx.settings.var_dir, library, ctx.release, ctx.clock(), withdrawn=kept.withdrawn
    )
    return {"tables": upkeep, "purged": purged}


def _upkeep(
    ctx: PipelineContext,
    table: str,
    pinned: Sequence[int],
    every: Sequence[LibraryRelease],
    days: int,
) -> Upkeep:
    """Maintain a table; versions that a grant, a report or a release of its time name stay."""
    released = named_versions(every, table, ctx.clock() - timedelta(days=days))
    protected = [*pinned, *released]
    return maintain(ctx.settings.library_dir, table, history_days=days, protected=protected)


def purge(
    var_dir: Path,
    library: Path,
    catalog: CatalogView,
    now: datetime,
    *,
    withdrawn: Mapping[str, Retention] = NOTHING,
) -> dict[str, int]:
    """Remove rows past their retention, whatever became of the run that left them.

    What a withdrawn entry left is kept as long as the entry promised; of one that nobody knows, as
    long as of an entry that says nothing.

    Args:
        var_dir: Holds ``landing`` and ``quarantine``.
        library: Holds the keys of rows that subjects could not link.
        catalog: Says how long each entry's rows are kept.
        now: The present moment, with its zone.
        withdrawn: How long the rows of entries that were withdrawn are kept.
    """
    kept = _Kept(catalog, withdrawn)
    quarantine_days = Retention().quarantine_days
    removed = {"landing": 0, "quarantine": 0, "not_linked": 0}
    for entry_id, path in _files_of_runs(var_dir / "landing"):
        days = kept.of(entry_id).landing_days
        if path.name not in RECORDS:
            removed["landing"] += _end(path, days, now)
    for entry_id, path in _files_of_runs(var_dir / "quarantine"):
        days = kept.of(entry_id).quarantine_days
        removed["quarantine"] += _end(path, days, now)
    for path in (library / "not_linked").glob("*/*"):
        removed["not_linked"] += _end(path, quarantine_days, now)
    return removed


def _files_of_runs(layer: Path) -> Iterator[tuple[str, Path]]:
    for path in layer.glob("*/*/*/*"):
        department, entry, *_ = path.relative_to(layer).parts
        yield f"{department}.{entry}", path


def _end(path: Path, days: int, now: datetime) -> int:
    """Remove a file or a folder older than that; how many files went.

    A file's age counts from its last write. A folder, such as the parts of one pull, goes as a
    whole when the youngest file in it is old enough.
    """
    inside = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    written = max((file.stat().st_mtime for file in inside), default=path.stat().st_mtime)
    if now - datetime.fromtimestamp(written, UTC) <= timedelta(days=days):
        return 0
    if path.is_dir():
        # Renamed first, so that a process that is killed here leaves no half of it to be read.
        remove_folder(path.rename(path.with_name(f".{path.name.strip('.')}.ended")))
    else:
        path.unlink()
    return len(inside)


@dataclass(frozen=True)
class _Kept:
    """How long rows are kept, of entries that are released and of those that were withdrawn."""

    catalog: CatalogView
    withdrawn: Mapping[str, Retention]

    def of(self, name: str) -> Retention:
        """The retention of an entry, or of the entry of a table."""
        entry_id = name.partition("/")[2] or name
        if entry_id in self.catalog.entries:
            return self.catalog.entries[entry_id].retention
        return self.withdrawn.get(entry_id, Retention())
