"""Publish: standardise the rows that passed and commit them to the unified database at once."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.model import CatalogEntry
from expectations.verdict import Positions, Verdict
from transforms.standard import standardise
from transforms.types import arrow_type
from yishu.library import (
    POSITION,
    Changes,
    Commit,
    publish_changes,
    publish_snapshot,
    unified_table,
)
from yishu.pipeline.changes import is_by_changes
from yishu.pipeline.errors import QualityGateClosed
from yishu.pipeline.landing import landed
from yishu.pipeline.pull import load_receipt
from yishu.pipeline.resolve import resolve, write_keys
from yishu.pipeline.store import RunFolder, clear_partial, whole_file
from yishu.pipeline.validate import load_verdict, quarantined_rows

PUBLISHED = "published.json"
"""The record of a publication by changes."""

BATCH_ROWS = 131_072
"""Rows standardised at a time: large enough for vectorised work, small enough for memory."""


def publish_entry(
    entry: CatalogEntry, folder: RunFolder, library: Path, *, committed_at: datetime
) -> Commit:
    """Publish a validated run as one atomic version of the entry's table.

    Raises:
        StageMissing: pull or validation of this run has not finished.
        QualityGateClosed: the verdict does not allow it; the table is unchanged.
        CountsDoNotAddUp: rows read are not accounted for; the table is unchanged.
    """
    receipt = load_receipt(folder, needed_by="publish")
    verdict = load_verdict(folder, needed_by="publish")
    _require_open_gate(entry, verdict)
    quarantined = quarantined_rows(folder.quarantined)
    if is_by_changes(entry):
        return _publish_once(entry, folder, quarantined, library, committed_at)
    return publish_snapshot(
        library,
        unified_table(entry.id),
        provenance_schema(entry),
        _standard_rows(entry, folder, quarantined, receipt.run_id),
        key=entry.key,
        run_id=receipt.run_id,
        committed_at=committed_at,
        read=receipt.rows,
        quarantined=len(quarantined),
        superseded=0,
        metadata={"entry_id": entry.id, "entry_version": str(entry.version)},
    )


def _publish_once(
    entry: CatalogEntry,
    folder: RunFolder,
    quarantined: Positions,
    library: Path,
    committed_at: datetime,
) -> Commit:
    """Publish a pull by changes; done again it says what it said the first time.

    Changes that alter nothing leave no version by which the run could be known.
    """
    if folder.has(PUBLISHED):
        done = json.loads(folder.read_text(PUBLISHED, needed_by="publish"))
        return Commit(**{**done, "already_published": True})
    clear_partial(folder.landing)
    commit = _publish_resolved(entry, folder, quarantined, library, committed_at)
    folder.write_text(PUBLISHED, json.dumps(asdict(commit)))
    folder.gone.unlink(missing_ok=True)
    folder.keys.unlink(missing_ok=True)
    return commit


def _publish_resolved(
    entry: CatalogEntry,
    folder: RunFolder,
    quarantined: Positions,
    library: Path,
    committed_at: datetime,
) -> Commit:
    receipt = load_receipt(folder, needed_by="publish")
    with landed(folder) as rows:
        found = resolve(entry, folder, rows, datetime.fromisoformat(receipt.pulled_at))
    passed = np.setdiff1d(found.writes, quarantined)
    metadata = {"entry_id": entry.id, "entry_version": str(entry.version)}
    if receipt.position is not None:
        metadata[POSITION] = receipt.position
    left_out = np.setdiff1d(np.arange(receipt.rows), passed)
    target = (library, unified_table(entry.id), provenance_schema(entry))
    standard = _standard_rows(entry, folder, left_out, receipt.run_id)
    facts: dict[str, Any] = {
        "key": entry.key,
        "run_id": receipt.run_id,
        "committed_at": committed_at,
        "read": receipt.rows - len(found.removals),
        "quarantined": len(quarantined),
        "superseded": len(found.superseded),
        "removals": len(found.removals),
        "metadata": metadata,
    }
    if receipt.after is None:
        return publish_snapshot(*target, standard, **facts)
    with whole_file(folder.gone) as path:
        write_keys(path, entry, folder, found.removals)
    present = folder.keys if folder.keys.exists() else None
    changes = Changes(folder.gone, present, receipt.after)
    return publish_changes(*target, standard, changes, **facts)


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
    entry: CatalogEntry, folder: RunFolder, quarantined: Positions, run_id: str
) -> Iterator[pa.RecordBatch]:
    schema = provenance_schema(entry)
    with landed(folder) as rows:
        start = 0
        for batch in rows.batches(BATCH_ROWS):
            stop = start + batch.num_rows
            bad = quarantined[slice(*np.searchsorted(quarantined, [start, stop]))] - start
            good = np.delete(np.arange(batch.num_rows), bad)
            passed = batch.take(pa.array(good)) if len(bad) else batch
            origin = [entry.provider_org, entry.id, run_id]
            columns = [
                *standardise(passed, entry).columns,
                *(pa.repeat(pa.scalar(value), len(good)) for value in origin),
                pa.array(good + start),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            start = stop
