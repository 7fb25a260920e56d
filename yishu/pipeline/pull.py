"""Pull: bring the catalogued columns of one department system into landing, and nothing else."""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime

from catalog.drift import Drift, compare
from catalog.model import CatalogEntry
from yishu.pipeline.errors import EmptySource, SchemaDrift
from yishu.pipeline.landing import landed_files, write_parquet
from yishu.pipeline.store import RunFolder, clear_partial, file_digest
from yishu.sources import open_source
from yishu.sources.protocol import Connection, Source

logger = logging.getLogger(__name__)

RECEIPT = "receipt.json"


@dataclass(frozen=True)
class PullReceipt:
    """What a pull brought.

    Attributes:
        rows: Rows landed; equal to the rows that the source gave.
        digest: SHA-256 of the landed file, or of all its parts in order.
        new_columns: Columns of the source that the catalog does not list, ``name: type``. They
            were neither read nor stored (S004 Art.15).
        pulled_at: UTC, ISO 8601.
    """

    entry_id: str
    entry_version: int
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

    Raises:
        SchemaDrift: a catalogued column is missing or has another type.
        EmptySource: no row came although the entry says there always are some.
        SourceError: the department system could not be read.
    """
    if (folder.landing / RECEIPT).exists():
        return load_receipt(folder, needed_by="pull")
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
    files = landed_files(folder)
    receipt = PullReceipt(
        entry_id=entry.id,
        entry_version=entry.version,
        run_id=run_id,
        rows=rows,
        bytes=sum(file.stat().st_size for file in files),
        digest=file_digest(*files),
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
    return write_parquet(folder.data, batches, entry.fields)
