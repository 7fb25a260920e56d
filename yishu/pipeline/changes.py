"""The pull of an entry that is read by changes: what was written since, and which keys are left.

A pull reads from the overlap before the last published stamp. When the keys are due to be
compared, it also reads all keys of the source, after the rows, so that a row that went meanwhile is
gone and not back. Keys that neither the library nor this pull knows were written without a stamp
that a pull could see: then everything is read at once.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry
from transforms.standard import standardise
from transforms.types import arrow_type
from yishu.library import unified_table
from yishu.library.place import Place
from yishu.pipeline.errors import BackfillMisplaced, BoundsOutOfOrder, EmptySource
from yishu.pipeline.landing import Landed, landed, repeating, write_parquet
from yishu.pipeline.position import (
    Position,
    Published,
    Window,
    lower_bound,
    order_column,
    published,
    stamp_of,
    text_of,
)
from yishu.pipeline.rows import (
    WHOLE,
    Batch,
    Brought,
    has_position,
    landed_columns,
    read_rows,
)
from yishu.pipeline.store import RunFolder, whole_file
from yishu.sources.protocol import Since, Source

logger = logging.getLogger(__name__)


def bring(
    entry: CatalogEntry,
    source: Source,
    folder: RunFolder,
    library: Path | None,
    *,
    now: datetime,
    batch: Batch = WHOLE,
) -> Brought:
    """Land what was written since the last published pull, or one batch of a back-fill.

    Raises:
        BackfillMisplaced: a batch where rows were published, but not by changes.
        EmptySource: the source has no keys although the entry says there always are some.
        SourceError: the department system could not be read.
    """
    before = Published() if library is None else published(library, entry)
    position = before.position
    if batch.until is not None and position is None and before.run_id is not None:
        raise _misplaced(entry, before.run_id)
    folder.keys.unlink(missing_ok=True)
    window = _window(entry, position, now, batch)
    rows = _land(entry, source, folder, window)
    if library is None or position is None:
        return _brought(entry, rows, window, Published(), Position(entry.version, None, ""))
    if batch != WHOLE or not _is_due(entry, position, now):
        return _brought(entry, rows, window, before, position)
    keys = _land_keys(entry, source, folder)
    unknown = _unknown(entry, library, folder)
    compared = Position(entry.version, None, now.isoformat(), unknown)
    if unknown in ("", position.unknown):
        return _brought(entry, rows, window, before, compared, keys=keys)
    logger.warning("%s: the source has keys that no pull brought; reading everything", entry.id)
    folder.keys.unlink()
    window = _window(entry, None, now, WHOLE)
    return _brought(entry, _land(entry, source, folder, window), window, Published(), compared)


def require_bounds(entry: CatalogEntry, batch: Batch) -> None:
    """Let pass a batch whose bounds are stamps of the entry, in order.

    Raises:
        BoundsOutOfOrder: they are not.
    """
    bounds = [text for text in (batch.since, batch.until) if text is not None]
    if bounds and not is_ordered(entry, bounds):
        raise bounds_refused(entry, bounds)


def is_ordered(entry: CatalogEntry, bounds: Sequence[str]) -> bool:
    """Whether an entry is pulled by changes, and these are stamps of it, each later."""
    if not has_position(entry):
        return False
    try:
        stamps: list[Any] = [stamp_of(entry.source, text) for text in bounds]
    except ValueError:
        return False
    return all(a < b for a, b in pairwise(stamps))


def bounds_refused(entry: CatalogEntry, bounds: Sequence[str], found: str = "") -> BoundsOutOfOrder:
    """What to say of the bounds of a back-fill that nobody could follow."""
    named = f"the bounds {', '.join(bounds) or 'none'} in mode {entry.source.mode}"
    return BoundsOutOfOrder(
        entry.id,
        found=f"{found}: {named}" if found else named,
        expected="bounds in the type of the entry's watermark or batch, each later than the "
        "one before, of an entry that is pulled by changes",
        remedy="correct the bounds; an entry of mode full is pulled as a whole",
    )


def _land(entry: CatalogEntry, source: Source, folder: RunFolder, window: Window) -> int:
    names = landed_columns(entry)
    since = None
    if window.since is not None:
        spec = entry.source
        parameter = spec.watermark.parameter if spec.watermark else None
        since = Since(names[order_column(spec)], window.since, parameter)
    batches = window.take(read_rows(entry, source, since))
    return write_parquet(folder.data, batches, list(names), repeating(entry))


def _window(entry: CatalogEntry, position: Position | None, now: datetime, batch: Batch) -> Window:
    spec = entry.source
    text = position.reached if position else None
    reached, begin, end = (
        None if one is None else stamp_of(spec, one) for one in (text, batch.since, batch.until)
    )
    if spec.change_log and isinstance(end, int) and isinstance(reached, int):
        # A log read to an earlier batch than before would undo the changes of later ones.
        end = max(end, reached + 1)
    since = lower_bound(spec, text)
    if since is not None and begin is not None:
        # What nobody has read yet is never passed over: a batch may begin earlier, not later.
        since = min(since, begin)
    return Window(spec, since=since, until=end, now=now, reached=reached)


def _is_due(entry: CatalogEntry, position: Position, now: datetime) -> bool:
    hours = entry.source.reconcile_hours
    if hours is None:
        return False
    return now - datetime.fromisoformat(position.reconciled_at) >= timedelta(hours=hours)


def _brought(
    entry: CatalogEntry,
    rows: int,
    window: Window,
    before: Published,
    position: Position,
    *,
    keys: int | None = None,
) -> Brought:
    reached = None if window.reached is None else text_of(window.reached)
    reconciled = position.reconciled_at or window.now.isoformat()
    kept = Position(entry.version, reached, reconciled, position.unknown)
    return Brought(
        rows=rows,
        since=None if window.since is None else text_of(window.since),
        reached=reached,
        after=before.run_id,
        before=before.rows,
        keys=keys,
        position=kept.to_json(),
    )


def _land_keys(entry: CatalogEntry, source: Source, folder: RunFolder) -> int:
    """Land the standard keys of all rows of the source; how many rows there are."""
    columns = [entry.item(field).source_column for field in entry.key]
    rows = 0
    with (
        whole_file(folder.keys) as path,
        pq.ParquetWriter(path, key_schema(entry), compression="lz4") as writer,
    ):
        for batch in source.read(columns):
            writer.write_batch(standard_keys(batch.rename_columns(list(entry.key)), entry))
            rows += batch.num_rows
    if rows == 0 and not entry.quality.allow_empty:
        raise EmptySource(
            entry.id,
            found="0 keys",
            expected="at least one row (allow_empty is false)",
            remedy="ask the department whether its system was emptied; the library is unchanged",
        )
    return rows


def key_schema(entry: CatalogEntry) -> pa.Schema:
    """The key columns of the entry, in their standard types."""
    return pa.schema([(field, arrow_type(entry.item(field))) for field in entry.key])


def standard_keys(batch: pa.RecordBatch, entry: CatalogEntry) -> pa.RecordBatch:
    """The keys of landed rows as the library spells them."""
    have = set(batch.schema.names)
    columns = {
        field: batch.column(field) if field in have else pa.nulls(batch.num_rows, pa.string())
        for field in entry.fields
    }
    whole = pa.RecordBatch.from_pydict(columns)
    return standardise(whole, entry).select(list(entry.key))


def landed_keys(rows: Landed, entry: CatalogEntry) -> Iterator[pa.RecordBatch]:
    """The standard keys of all landed rows, in their order."""
    raw = pa.table({field: rows.column(field) for field in entry.key})
    for batch in raw.to_batches():
        yield standard_keys(batch, entry)


def _misplaced(entry: CatalogEntry, run_id: str) -> BackfillMisplaced:
    return BackfillMisplaced(
        entry.id,
        found=f"a table published by run {run_id}, which does not say how far it is",
        expected="no table yet, or one that was filled by this version of the entry",
        remedy="pull the entry once without a bound; that reads everything and needs no back-fill",
    )


def _unknown(entry: CatalogEntry, library: Path, folder: RunFolder) -> str:
    """Digest of the source's keys that neither the library nor this pull has; empty: none."""
    # Only a comparison of keys, due once in a while, needs the library's engine.
    from yishu.library.engine import connect, discreet, names, quote, scan  # noqa: PLC0415

    place = Place(library, unified_table(entry.id))
    schema = key_schema(entry)
    known = scan(place.files(place.open()), schema)
    key = names(entry.key)
    missing = " OR ".join(f"{quote(field)} IS NULL" for field in entry.key)
    with discreet(entry.id), connect() as connection:
        connection.execute(f"CREATE TABLE brought AS SELECT * FROM {scan([], schema)}")
        for batch in landed_keys(landed(folder), entry):
            connection.register("batch", pa.Table.from_batches([batch]))
            connection.execute("INSERT INTO brought SELECT * FROM batch")
        ((count, digest),) = connection.execute(
            f"SELECT count(*), bit_xor(hash({key})) FROM ("
            f"SELECT {key} FROM {scan([str(folder.keys)], schema)} WHERE NOT ({missing}) "
            f"EXCEPT SELECT {key} FROM {known} EXCEPT SELECT {key} FROM brought)"
        ).fetchall()
    return f"{count}:{digest:016x}" if count else ""
