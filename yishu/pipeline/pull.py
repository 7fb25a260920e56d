"""Pull: bring the catalogued columns of one department system into landing, and nothing else."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.drift import Drift, compare
from catalog.model import CatalogEntry
from catalog.vocabulary import PullMode
from yishu.pipeline.delivery import (
    ARRIVED,
    RECEIPT,
    clear_spool,
    delivery_of,
    disk_has_room,
    prepare,
)
from yishu.pipeline.errors import EmptySource, EntryChanged, SchemaDrift
from yishu.pipeline.landing import landed_files, repeating, write_parquet
from yishu.pipeline.rows import (
    WHOLE,
    Batch,
    Brought,
    has_position,
    is_by_changes,
    landed_columns,
    read_rows,
)
from yishu.pipeline.store import RunFolder, clear_partial, file_digest, remove_folder
from yishu.sources import open_source
from yishu.sources.protocol import Connection, ResumableSource, Source

logger = logging.getLogger(__name__)

VERDICT = "verdict.json"
PAGES = "pages"
"""What an interrupted pull of a service already has, until the whole is landed."""


@dataclass(frozen=True)
class PullReceipt:
    """What a pull brought.

    Attributes:
        entry_digest: Of the entry as it was when the rows were pulled; see
            ``require_same_entry``.
        rows: Rows landed; equal to the rows that the source gave.
        digest: SHA-256 of the landed file, or of all its parts in order.
        new_columns: Columns of the source that the catalog does not list, ``name: type``. They
            were neither read nor stored (S004 Art.15).
        pulled_at: UTC, ISO 8601.
        mode: Whether it brought everything or changes.
        since: The first stamp or batch that was asked for; None: there was no bound.
        reached: The last stamp or batch that came, now or before, and is not in the future.
        after: The run of the published version that the rows are changes of; None: of none.
        before: Rows of that version.
        is_part: The rows are not the whole content of the source.
        keys: Rows of the source whose keys were compared; None: they were not.
        position: What publication keeps, so that the next pull knows where to go on.
        until: Where a batch of a back-fill ends; None: it was none.
        source_digest: SHA-256 of the delivery as the department dropped it; None when the source
            is no drop folder.
        delivery: That delivery as the drop folder showed it.
    """

    entry_id: str
    entry_version: int
    entry_digest: str
    run_id: str
    rows: int
    bytes: int
    digest: str
    new_columns: dict[str, str]
    pulled_at: str
    mode: str = PullMode.FULL
    since: str | None = None
    reached: str | None = None
    after: str | None = None
    before: int = 0
    is_part: bool = False
    keys: int | None = None
    position: str | None = None
    until: str | None = None
    source_digest: str | None = None
    delivery: dict[str, Any] | None = None


def pull(
    entry: CatalogEntry,
    connection: Connection,
    folder: RunFolder,
    *,
    run_id: str,
    now: datetime,
    library: Path | None = None,
    batch: Batch = WHOLE,
) -> PullReceipt:
    """Land one entry's rows; a pull that already finished for this run is returned as it was.

    Unless the gate kept its rows out: then the department may have mended them, and they are
    pulled anew.

    Args:
        entry: What to pull.
        connection: The department system.
        folder: Where the run keeps its files.
        run_id: The run.
        now: The present moment.
        library: Where an entry that is pulled by changes finds how far it came; None: nowhere yet.
        batch: The part of the history that is asked for.

    Raises:
        BackfillMisplaced: a batch for an entry that has been published in another way.
        SchemaDrift: a catalogued column is missing or has another type.
        EmptySource: no row came although the entry says there always are some.
        SourceError: the department system could not be read.
        DiskFull: there is no room to land what it gave.
    """
    if is_pulled(folder):
        return load_receipt(folder, needed_by="pull")
    if _was_blocked(folder):
        _forget_all(folder)
    folder.landing.mkdir(parents=True, exist_ok=True, mode=0o700)
    clear_partial(folder.landing)
    with disk_has_room(entry.id), open_source(entry.source, connection) as source:
        prepare(source, folder)
        drift = _compare(entry, source)
        if isinstance(source, ResumableSource) and not has_position(entry):
            source.resume_in(folder.landing / PAGES)
        brought = _bring(entry, source, connection, folder, library, now=now, batch=batch)
        delivery = delivery_of(source)
    remove_folder(folder.landing / PAGES)
    receipt = replace(
        _receipt(entry, folder, brought, drift, run_id=run_id, now=now, batch=batch),
        source_digest=delivery.sha256 if delivery else None,
        delivery=delivery.seen.record() if delivery else None,
    )
    folder.write_text(RECEIPT, json.dumps(asdict(receipt), ensure_ascii=False))
    clear_spool(folder)
    logger.info("%s %s: landed %d rows", entry.id, run_id, receipt.rows)
    return receipt


def _receipt(
    entry: CatalogEntry,
    folder: RunFolder,
    brought: Brought,
    drift: Drift,
    *,
    run_id: str,
    now: datetime,
    batch: Batch,
) -> PullReceipt:
    is_part = brought.after is not None or batch.until is not None
    if brought.rows == 0 and not is_part and not entry.quality.allow_empty:
        raise EmptySource(
            entry.id,
            found="0 rows",
            expected="at least one row (allow_empty is false)",
            remedy="ask the department whether its system was emptied; the library is unchanged",
        )
    files = landed_files(folder)
    return PullReceipt(
        entry_id=entry.id,
        entry_version=entry.version,
        entry_digest=entry_digest(entry),
        run_id=run_id,
        rows=brought.rows,
        bytes=sum(file.stat().st_size for file in files),
        digest=file_digest(*files),
        new_columns={column.name: column.type for column in drift.new_columns},
        pulled_at=now.isoformat(),
        mode=entry.source.mode,
        since=brought.since,
        reached=brought.reached,
        after=brought.after,
        before=brought.before,
        is_part=is_part,
        keys=brought.keys,
        position=brought.position,
        until=batch.until,
    )


def load_receipt(folder: RunFolder, *, needed_by: str) -> PullReceipt:
    """The receipt of a run.

    Raises:
        StageMissing: the pull of this run has not finished.
    """
    return PullReceipt(**json.loads(folder.read_text(RECEIPT, needed_by=needed_by)))


def is_pulled(folder: RunFolder) -> bool:
    """Whether the pull of a run has finished and does not have to be done anew."""
    return folder.has(RECEIPT) and not _was_blocked(folder)


def entry_digest(entry: CatalogEntry) -> str:
    """SHA-256 of all that an entry promises, hexadecimal."""
    return hashlib.sha256(entry.model_dump_json().encode()).hexdigest()


def require_same_entry(receipt: PullReceipt, entry: CatalogEntry) -> None:
    """A run goes on by the entry by which it was pulled, or not at all.

    Raises:
        EntryChanged: a release changed the entry in between.
    """
    if receipt.entry_digest != entry_digest(entry):
        raise EntryChanged(
            entry.id,
            found=f"version {entry.version}, changed since the pull",
            expected=f"version {receipt.entry_version} as it was when the rows were pulled",
            remedy="start a new run; the published table is unchanged",
        )


def _was_blocked(folder: RunFolder) -> bool:
    verdict = folder.landing / VERDICT
    return verdict.exists() and not json.loads(verdict.read_text("utf-8"))["passed"]


def _forget_all(folder: RunFolder) -> None:
    """Begin a run anew: nothing of what was seen, brought or judged before counts."""
    folder.forget(ARRIVED)
    # In this order: whatever is killed in between, no verdict outlives the rows that it judged.
    folder.forget(RECEIPT)
    remove_folder(folder.parts)
    clear_spool(folder)
    folder.forget(VERDICT)
    folder.released.unlink(missing_ok=True)


def _compare(entry: CatalogEntry, source: Source) -> Drift:
    columns = [(column.name, column.type) for column in source.columns()]
    if not columns:
        # A service that has no rows cannot say what it would have: nothing to compare.
        return Drift()
    drift = compare(entry, columns)
    if drift.blocks:
        raise SchemaDrift(
            entry.id,
            found=drift.describe(),
            expected="every catalogued column, of the catalogued type",
            remedy="ask the department what changed, then update the catalog entry; "
            "nothing was read",
        )
    if drift.new_columns:
        names = ", ".join(f"{column.name} ({column.type})" for column in drift.new_columns)
        logger.warning("%s: columns outside the catalog were not read: %s", entry.id, names)
    return drift


def _bring(
    entry: CatalogEntry,
    source: Source,
    connection: Connection,
    folder: RunFolder,
    library: Path | None,
    *,
    now: datetime,
    batch: Batch,
) -> Brought:
    if has_position(entry):
        from yishu.pipeline.changes import bring  # noqa: PLC0415  the library and its engine

        return bring(entry, source, folder, library, now=now, batch=batch)
    if entry.source.ranges > 1:
        from yishu.pipeline.ranged import land_ranges  # noqa: PLC0415  a second driver

        key = entry.item(entry.key[0]).source_column
        columns = landed_columns(entry)
        few = repeating(entry)
        return Brought(
            land_ranges(entry.source, connection, columns, key, folder, dictionaries=few)
        )
    # A pull in ranges that was killed before the entry changed may have left some.
    remove_folder(folder.parts)
    if is_by_changes(entry):
        names = list(landed_columns(entry))
        rows = write_parquet(folder.data, read_rows(entry, source), names, repeating(entry))
        return Brought(rows)
    return Brought(_land(entry, source, folder))


def _land(entry: CatalogEntry, source: Source, folder: RunFolder) -> int:
    batches = source.read([item.source_column for item in entry.items])
    return write_parquet(folder.data, batches, list(entry.fields), repeating(entry))
