"""Pull: bring the catalogued columns of one department system into landing, and nothing else."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.drift import Drift, compare
from catalog.model import CatalogEntry
from catalog.vocabulary import DataType
from yishu.pipeline.ahead import used_behind
from yishu.pipeline.errors import EmptySource, EntryChanged, SchemaDrift
from yishu.pipeline.store import RunFolder, clear_partial, file_digest, whole_file
from yishu.sources import open_source
from yishu.sources.protocol import Connection, Source

logger = logging.getLogger(__name__)

RECEIPT = "receipt.json"
VERDICT = "verdict.json"

GROUP_ROWS = 131_072
"""Rows of a row group of the landed file: what the later stages read at a time."""


@dataclass(frozen=True)
class PullReceipt:
    """What a pull brought.

    Attributes:
        entry_digest: Of the entry as it was when the rows were pulled; see ``same_entry``.
        rows: Rows landed; equal to the rows that the source gave.
        digest: SHA-256 of the landed file.
        new_columns: Columns of the source that the catalog does not list, ``name: type``. They
            were neither read nor stored (S004 Art.15).
        pulled_at: UTC, ISO 8601.
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


def pull(
    entry: CatalogEntry,
    connection: Connection,
    folder: RunFolder,
    *,
    run_id: str,
    now: datetime,
) -> PullReceipt:
    """Land one entry's rows; a pull that already finished for this run is returned as it was.

    Unless the gate kept its rows out: then the department may have mended them, and they are
    pulled anew.

    Raises:
        SchemaDrift: a catalogued column is missing or has another type.
        EmptySource: no row came although the entry says there always are some.
        SourceError: the department system could not be read.
    """
    if (folder.landing / RECEIPT).exists() and not _was_blocked(folder):
        return load_receipt(folder, needed_by="pull")
    # In this order: whatever is killed in between, no verdict outlives the rows that it judged.
    folder.forget(RECEIPT)
    folder.forget(VERDICT)
    folder.landing.mkdir(parents=True, exist_ok=True, mode=0o700)
    clear_partial(folder.landing)
    with open_source(entry.source, connection) as source:
        drift = _compare(entry, source)
        rows = _land(entry, source, folder)
    if rows == 0 and not entry.quality.allow_empty:
        raise EmptySource(
            entry.id,
            found="0 rows",
            expected="at least one row (allow_empty is false)",
            remedy="ask the department whether its system was emptied; the library is unchanged",
        )
    receipt = PullReceipt(
        entry_id=entry.id,
        entry_version=entry.version,
        entry_digest=entry_digest(entry),
        run_id=run_id,
        rows=rows,
        bytes=folder.data.stat().st_size,
        digest=file_digest(folder.data),
        new_columns={column.name: column.type for column in drift.new_columns},
        pulled_at=now.isoformat(),
    )
    folder.write_text(RECEIPT, json.dumps(asdict(receipt), ensure_ascii=False))
    logger.info("%s %s: landed %d rows", entry.id, run_id, rows)
    return receipt


def load_receipt(folder: RunFolder, *, needed_by: str) -> PullReceipt:
    """The receipt of a run.

    Raises:
        StageMissing: the pull of this run has not finished.
    """
    return PullReceipt(**json.loads(folder.read_text(RECEIPT, needed_by=needed_by)))


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


def _land(entry: CatalogEntry, source: Source, folder: RunFolder) -> int:
    batches = source.read([item.source_column for item in entry.items])
    with whole_file(folder.data) as path:
        return _write_parquet(path, batches, entry)


def _write_parquet(path: Path, batches: Iterator[pa.RecordBatch], entry: CatalogEntry) -> int:
    """Write the batches, each part while the next one is read; the number of rows."""
    names = list(entry.fields)
    first = next(batches, None)
    rest = chain([] if first is None else [first], batches)
    # A source without rows may not even say what its columns are.
    nothing = pa.schema([(name, pa.string()) for name in names])
    schema = nothing if first is None else first.rename_columns(names).schema
    rows = 0

    def write(part: pa.Table) -> None:
        nonlocal rows
        writer.write_table(part)
        rows += part.num_rows

    with _writer(path, schema, entry) as writer:
        used_behind(write, _parts(batch.rename_columns(names) for batch in rest))
    return rows


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches in parts of ``GROUP_ROWS`` rows or a batch more, since some sources trickle."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _writer(path: Path, schema: pa.Schema, entry: CatalogEntry) -> pq.ParquetWriter:
    # Landed columns are read whole, so nobody asks for statistics, and a dictionary only costs
    # time where nearly every value is another one.
    few = {DataType.DATE, DataType.BOOLEAN}
    repeating = [item.field for item in entry.items if item.code_list or item.type in few]
    return pq.ParquetWriter(
        path, schema, compression="lz4", use_dictionary=repeating, write_statistics=False
    )
