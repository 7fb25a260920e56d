"""Publish: standardise the rows that passed and commit them to the unified database at once."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry
from expectations.verdict import Positions, Verdict
from transforms.standard import standardise
from transforms.types import arrow_type
from yishu.library import Commit, publish_snapshot, unified_table
from yishu.library.recency import PULLED_AT
from yishu.pipeline.ahead import made_ahead
from yishu.pipeline.errors import QualityGateClosed
from yishu.pipeline.landed import RowGroup, row_groups, whole_batch
from yishu.pipeline.pull import load_receipt, require_same_entry
from yishu.pipeline.store import RunFolder
from yishu.pipeline.validate import load_verdict, quarantined_rows

HANDED_ROWS = 16_384
"""Rows handed over at a time. The writer of Delta tables keeps a queue of batches, whatever their
size: with batches of eight times as many rows its peak was 0.5 GB higher (5 million rows)."""


def publish_entry(
    entry: CatalogEntry, folder: RunFolder, library: Path, *, committed_at: datetime
) -> Commit:
    """Publish a validated run as one atomic version of the entry's table.

    Raises:
        StageMissing: pull or validation of this run has not finished, or its rows are gone.
        EntryChanged: a release changed the entry since the pull.
        QualityGateClosed: the verdict does not allow it; the table is unchanged.
        CountsDoNotAddUp: rows read are not accounted for; the table is unchanged.
        LibrarySuperseded: rows of a later pull are published; the table is unchanged.
    """
    receipt = load_receipt(folder, needed_by="publish")
    require_same_entry(receipt, entry)
    verdict = load_verdict(folder, needed_by="publish")
    _require_open_gate(entry, verdict)
    folder.require_rows(needed_by="publish")
    # Where one process runs all stages, validation has left memory behind.
    pa.default_memory_pool().release_unused()
    quarantined = quarantined_rows(folder.quarantined)
    return publish_snapshot(
        library,
        unified_table(entry.id),
        provenance_schema(entry),
        _standard_rows(entry, folder.data, quarantined, receipt.run_id),
        key=entry.key,
        run_id=receipt.run_id,
        committed_at=committed_at,
        read=receipt.rows,
        quarantined=len(quarantined),
        superseded=0,
        metadata={
            "entry_id": entry.id,
            "entry_version": str(entry.version),
            PULLED_AT: receipt.pulled_at,
        },
    )


def provenance_schema(entry: CatalogEntry) -> pa.Schema:
    """The columns of the entry's table: its items, then where each row came from."""
    return pa.schema(
        [
            *(pa.field(item.field, arrow_type(item)) for item in entry.items),
            pa.field("_provider_org", pa.string(), nullable=False),
            pa.field("_entry_id", pa.string(), nullable=False),
            pa.field("_run_id", pa.string(), nullable=False),
            pa.field("_landed_row", pa.int64(), nullable=False),
        ]
    )


def _require_open_gate(entry: CatalogEntry, verdict: Verdict) -> None:
    if verdict.passed:
        return
    raise QualityGateClosed(
        entry.id,
        found=f"{verdict.quarantined_rows} of {verdict.rows} rows failed "
        f"({verdict.quarantined_share:.1%}); closed by {', '.join(verdict.blocked_by)}",
        expected=f"at most {entry.quality.max_quarantined_share:.1%} of rows failing",
        remedy=f"see `yishu quality {entry.id}`, send the failing rows to the department; "
        "the published table is unchanged",
    )


def _standard_rows(
    entry: CatalogEntry, landed: Path, quarantined: Positions, run_id: str
) -> Iterator[pa.RecordBatch]:
    make = partial(_standard_part, entry, landed, quarantined, run_id)
    for part in made_ahead(make, row_groups(landed)):
        for start in range(0, part.num_rows, HANDED_ROWS):
            yield part.slice(start, HANDED_ROWS)


def _standard_part(
    entry: CatalogEntry, landed: Path, quarantined: Positions, run_id: str, group: RowGroup
) -> pa.RecordBatch:
    """The rows of one row group that passed, standardised, with their origin."""
    rows = pq.ParquetFile(landed).read_row_group(group.number, use_threads=False)
    is_good = np.ones(rows.num_rows, dtype=np.bool_)
    bad = quarantined[slice(*np.searchsorted(quarantined, [group.start, group.stop]))]
    is_good[bad - group.start] = False
    if len(bad):
        rows = rows.filter(pa.array(is_good))
    origin = [entry.provider_org, entry.id, run_id]
    columns = [
        *standardise(whole_batch(rows), entry).columns,
        *(pa.repeat(pa.scalar(value), rows.num_rows) for value in origin),
        pa.array(np.flatnonzero(is_good) + group.start),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=provenance_schema(entry))
