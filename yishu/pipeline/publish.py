"""Publish: standardise the rows that passed and commit them to the unified database at once."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.model import CatalogEntry
from expectations.verdict import Positions, Verdict
from transforms.standard import standardise
from transforms.types import arrow_type
from yishu.ahead import made_ahead
from yishu.library import (
    POSITION,
    Changes,
    Commit,
    publish_changes,
    publish_snapshot,
    unified_table,
)
from yishu.library.recency import PULLED_AT
from yishu.library.writing import HANDED_ROWS
from yishu.pipeline.errors import QualityGateClosed
from yishu.pipeline.landing import Group, landed, whole_batch
from yishu.pipeline.pull import PullReceipt, load_receipt, require_same_entry
from yishu.pipeline.quarantine import released_rows
from yishu.pipeline.resolve import resolve, write_keys
from yishu.pipeline.rows import is_by_changes
from yishu.pipeline.store import RunFolder, clear_partial, whole_file
from yishu.pipeline.validate import load_verdict, quarantined_rows

PUBLISHED = "published.json"
"""The record of a publication by changes."""


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
        ChangesOutOfDate: the changes do not follow what is published; the table is unchanged.
    """
    receipt = load_receipt(folder, needed_by="publish")
    require_same_entry(receipt, entry)
    verdict = load_verdict(folder, needed_by="publish")
    _require_open_gate(entry, verdict)
    if folder.has(PUBLISHED):
        return _published_before(folder)
    folder.require_rows(needed_by="publish")
    # Where one process runs all stages, those before have left memory behind.
    pa.default_memory_pool().release_unused()
    quarantined = np.setdiff1d(quarantined_rows(folder.quarantined), released_rows(folder))
    if is_by_changes(entry):
        return _publish_changes(entry, folder, quarantined, library, committed_at)
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
        metadata=_metadata(entry, receipt),
    )


def _metadata(entry: CatalogEntry, receipt: PullReceipt) -> dict[str, str]:
    """What is kept beside the commit, besides its counts."""
    return {
        "entry_id": entry.id,
        "entry_version": str(entry.version),
        PULLED_AT: receipt.pulled_at,
    }


def _published_before(folder: RunFolder) -> Commit:
    """What a publication by changes did the first time.

    Changes that alter nothing leave no version by which the run could be known.
    """
    done = json.loads(folder.read_text(PUBLISHED, needed_by="publish"))
    return Commit(**{**done, "already_published": True})


def _publish_changes(
    entry: CatalogEntry,
    folder: RunFolder,
    quarantined: Positions,
    library: Path,
    committed_at: datetime,
) -> Commit:
    """Publish a pull by changes, and keep what it did for who does it again."""
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
    found = resolve(entry, folder, landed(folder), datetime.fromisoformat(receipt.pulled_at))
    passed = np.setdiff1d(found.writes, quarantined, assume_unique=True)
    metadata = _metadata(entry, receipt)
    if receipt.position is not None:
        metadata[POSITION] = receipt.position
    left_out = np.setdiff1d(np.arange(receipt.rows), passed, assume_unique=True)
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
    entry: CatalogEntry, folder: RunFolder, left_out: Positions, run_id: str
) -> Iterator[pa.RecordBatch]:
    schema = provenance_schema(entry)
    # Every row says the same of its origin: columns of a batch are made once for all batches.
    origin = [pa.repeat(one, HANDED_ROWS) for one in (entry.provider_org, entry.id, run_id)]
    for part in made_ahead(partial(_standard_part, entry, left_out), landed(folder).groups()):
        for start in range(0, part.num_rows, HANDED_ROWS):
            some = part.slice(start, HANDED_ROWS)
            *values, places = some.columns
            same = [column.slice(0, some.num_rows) for column in origin]
            yield pa.RecordBatch.from_arrays([*values, *same, places], schema=schema)


def _standard_part(entry: CatalogEntry, left_out: Positions, group: Group) -> pa.RecordBatch:
    """The rows of one row group that are not left out, standardised, and which they are."""
    rows = group.read()
    is_good = np.ones(rows.num_rows, dtype=np.bool_)
    bad = left_out[slice(*np.searchsorted(left_out, [group.start, group.stop]))]
    is_good[bad - group.start] = False
    if len(bad):
        rows = rows.filter(pa.array(is_good))
    places = pa.array(np.flatnonzero(is_good) + group.start)
    return standardise(whole_batch(rows), entry).append_column("_landed_row", places)
