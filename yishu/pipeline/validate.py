"""Validate: check landed rows against the entry, keep each failing row with all its reasons.

The checks see standard values (``transforms.read_column``), so that a credit code in lower case
is a matter of spelling and not an error; the quarantine keeps the row as the source gave it.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry, CatalogView
from expectations.plan import plan
from expectations.quarantine import reasons_table
from expectations.run import ColumnView, validate
from expectations.verdict import Gate, Positions, Verdict, judge
from transforms.standard import read_column
from yishu.pipeline.changes import is_by_changes
from yishu.pipeline.landing import Landed, landed, pick
from yishu.pipeline.pull import PullReceipt, load_receipt
from yishu.pipeline.resolve import resolve
from yishu.pipeline.store import RunFolder, clear_partial, whole_file

VERDICT = "verdict.json"
ROW = "_row"
REASONS = "_reasons"


def validate_landed(entry: CatalogEntry, catalog: CatalogView, folder: RunFolder) -> Verdict:
    """Check what a pull landed; a validation that already finished is returned as it was.

    The quarantine has the landed columns, ``_row`` (position in landing, from 0) and ``_reasons``
    (list of check, column, reason in Chinese and in English).

    Raises:
        StageMissing: the pull of this run has not finished.
    """
    receipt = load_receipt(folder, needed_by="validate")
    if (folder.landing / VERDICT).exists():
        return load_verdict(folder, needed_by="validate")
    clear_partial(folder.landing)
    with landed(folder) as rows:
        judged = _judged_changes if is_by_changes(entry) else _judged
        verdict = judged(entry, catalog, folder, rows, receipt)
        _write_quarantine(rows, verdict, folder)
    folder.write_text(VERDICT, verdict.to_json())
    return verdict


def _judged(
    entry: CatalogEntry, catalog: CatalogView, _: RunFolder, rows: Landed, receipt: PullReceipt
) -> Verdict:
    def column(field: str) -> ColumnView:
        reading = read_column(rows.column(field), entry.item(field))
        return ColumnView(reading.values, reading.unreadable)

    return validate(
        plan(entry, catalog),
        receipt.rows,
        column,
        gate=Gate.of(entry),
        entry_id=entry.id,
        run_id=receipt.run_id,
    )


def _judged_changes(
    entry: CatalogEntry, catalog: CatalogView, folder: RunFolder, rows: Landed, receipt: PullReceipt
) -> Verdict:
    """The verdict on landed changes: the entry's checks see the last word on each key alone."""
    found = resolve(entry, folder, rows, datetime.fromisoformat(receipt.pulled_at))
    places = None if len(found.writes) == receipt.rows else pa.array(found.writes)

    def column(field: str) -> ColumnView:
        raw = rows.column(field)
        reading = read_column(raw if places is None else raw.take(places), entry.item(field))
        return ColumnView(reading.values, reading.unreadable)

    names: dict[str, Any] = {"entry_id": entry.id, "run_id": receipt.run_id}
    any_share = Gate(max_quarantined_share=1, allow_empty=True)
    seen = validate(plan(entry, catalog), len(found.writes), column, gate=any_share, **names)
    results = [replace(one, positions=found.writes[one.positions]) for one in seen.results]
    return judge([*results, *found.faults], receipt.rows, _gate(entry, receipt), **names)


def _gate(entry: CatalogEntry, receipt: PullReceipt) -> Gate:
    """The entry's gate; for a part, the share is one of the rows that there are in all.

    A part may be a single row, which may be wrong: that is no reason to stop all others for good.
    """
    gate = Gate.of(entry)
    if not receipt.is_part:
        return gate
    whole = max(receipt.before, receipt.rows) / max(receipt.rows, 1)
    return Gate(min(gate.max_quarantined_share * whole, 1), allow_empty=True)


def load_verdict(folder: RunFolder, *, needed_by: str) -> Verdict:
    """The verdict of a run, without row numbers: those are in the quarantine."""
    return Verdict.from_json(folder.read_text(VERDICT, needed_by=needed_by))


def quarantined_rows(path: Path) -> Positions:
    """Positions in landing of the quarantined rows, ascending."""
    rows: Positions = pq.read_table(path, columns=[ROW]).column(ROW).to_numpy()
    return rows


def _write_quarantine(landed: Landed, verdict: Verdict, folder: RunFolder) -> None:
    clear_partial(folder.quarantine)
    reasons = _reasons_by_row(verdict)
    with whole_file(folder.quarantined) as path:
        schema = landed.schema.append(pa.field(ROW, pa.int64()))
        schema = schema.append(pa.field(REASONS, reasons.type))
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            done = 0
            for rows, first in pick(landed, verdict.quarantined):
                table = rows.append_column(ROW, pa.array(first, pa.int64()))
                part = reasons.slice(done, len(first))
                writer.write_table(table.append_column(REASONS, part))
                done += len(first)


def _reasons_by_row(verdict: Verdict) -> pa.ListArray:
    """All reasons of each quarantined row, in the order of ``verdict.quarantined``."""
    table = reasons_table(verdict).combine_chunks()
    rows = table.column("row").to_numpy()
    offsets = np.append(np.searchsorted(rows, verdict.quarantined), len(rows))
    names = table.column_names[1:]
    parts = [table.column(name).combine_chunks() for name in names]
    columns = [part.chunk(0) if isinstance(part, pa.ChunkedArray) else part for part in parts]
    structs = pa.StructArray.from_arrays(columns, names)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)
