"""Validate: check landed rows against the entry, keep each failing row with all its reasons.

The checks see standard values (``transforms.read_column``), so that a credit code in lower case
is a matter of spelling and not an error; the quarantine keeps the row as the source gave it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry, CatalogView
from expectations.plan import plan
from expectations.quarantine import reasons_table
from expectations.run import ColumnView, validate
from expectations.verdict import Gate, Positions, Verdict
from transforms.standard import read_column
from yishu.pipeline.landing import Landed, landed
from yishu.pipeline.pull import load_receipt
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

        def column(field: str) -> ColumnView:
            reading = read_column(rows.column(field), entry.item(field))
            return ColumnView(reading.values, reading.unreadable)

        verdict = validate(
            plan(entry, catalog),
            receipt.rows,
            column,
            gate=Gate.of(entry),
            entry_id=entry.id,
            run_id=receipt.run_id,
        )
        _write_quarantine(rows, verdict, folder)
    folder.write_text(VERDICT, verdict.to_json())
    return verdict


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
            for rows, first in _pick(landed, verdict.quarantined):
                table = rows.append_column(ROW, pa.array(first, pa.int64()))
                part = reasons.slice(done, len(first))
                writer.write_table(table.append_column(REASONS, part))
                done += len(first)


def _pick(landed: Landed, positions: Positions) -> Iterator[tuple[pa.Table, Positions]]:
    """Rows at ``positions`` (ascending), one row group at a time, with their positions."""
    for group in landed.groups():
        inside = positions[slice(*np.searchsorted(positions, [group.start, group.stop]))]
        if len(inside):
            yield group.read().take(pa.array(inside - group.start)), inside


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
