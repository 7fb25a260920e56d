"""Validate: check landed rows against the entry, keep each failing row with all its reasons.

The checks see standard values (``transforms.read_column``), so that a credit code in lower case
is a matter of spelling and not an error; the quarantine keeps the row as the source gave it.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry, CatalogView
from expectations.plan import Check, plan
from expectations.quarantine import reasons_table
from expectations.run import ColumnView, validate
from expectations.verdict import Gate, Positions, Verdict
from transforms.standard import read_column
from yishu.pipeline.ahead import made_ahead
from yishu.pipeline.landed import RowGroup, row_groups
from yishu.pipeline.pull import GROUP_ROWS, VERDICT, load_receipt, require_same_entry
from yishu.pipeline.store import RunFolder, clear_partial, whole_file

ROW = "_row"
REASONS = "_reasons"

QUARANTINE_ROWS = 65_536
"""Rows of the quarantine written at a time, where there are so many."""


def validate_landed(entry: CatalogEntry, catalog: CatalogView, folder: RunFolder) -> Verdict:
    """Check what a pull landed; a validation that already finished is returned as it was.

    The quarantine has the landed columns, ``_row`` (position in landing, from 0) and ``_reasons``
    (list of check, column, reason in Chinese and in English).

    Raises:
        StageMissing: the pull of this run has not finished, or its rows are gone.
        EntryChanged: a release changed the entry since the pull.
    """
    receipt = load_receipt(folder, needed_by="validate")
    require_same_entry(receipt, entry)
    if (folder.landing / VERDICT).exists():
        return load_verdict(folder, needed_by="validate")
    folder.require_rows(needed_by="validate")
    clear_partial(folder.landing)
    checks = plan(entry, catalog)
    with _Columns(entry, folder.data, _reading_order(checks)) as columns:
        verdict = validate(
            checks,
            receipt.rows,
            columns.take,
            gate=Gate.of(entry),
            entry_id=entry.id,
            run_id=receipt.run_id,
        )
    _write_quarantine(verdict, folder)
    folder.write_text(VERDICT, verdict.to_json())
    return verdict


def load_verdict(folder: RunFolder, *, needed_by: str) -> Verdict:
    """The verdict of a run, without row numbers: those are in the quarantine."""
    return Verdict.from_json(folder.read_text(VERDICT, needed_by=needed_by))


def quarantined_rows(path: Path) -> Positions:
    """Positions in landing of the quarantined rows, ascending."""
    rows: Positions = pq.read_table(path, columns=[ROW]).column(ROW).to_numpy()
    return rows


class _Columns:
    """Columns of a landed file in standard form; the next one is read while one is checked.

    A guess at the next one that turns out wrong costs its memory until it is asked for.
    """

    def __init__(self, entry: CatalogEntry, data: Path, order: Sequence[str]) -> None:
        self._entry = entry
        self._data = data
        self._order = list(order)
        self._coming: dict[str, Future[ColumnView]] = {}
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def take(self, field: str) -> ColumnView:
        """A column, each at most once."""
        self._begin(field)
        view = self._coming.pop(field).result()
        if self._order:
            self._begin(self._order[0])
        return view

    def _begin(self, field: str) -> None:
        if field not in self._coming:
            self._order.remove(field)
            self._coming[field] = self._thread.submit(self._read, field)

    def _read(self, field: str) -> ColumnView:
        landed = pq.ParquetFile(self._data)
        # In batches: read whole, a column is grown and copied over and over.
        batches = landed.iter_batches(GROUP_ROWS, columns=[field], use_threads=False)
        parts = [batch.column(0) for batch in batches]
        raw = pa.chunked_array(parts, landed.schema_arrow.field(field).type)
        reading = read_column(raw, self._entry.item(field))
        return ColumnView(reading.values, reading.unreadable)


def _reading_order(checks: Sequence[Check]) -> list[str]:
    """The order in which validation will most likely ask for columns: by their last check."""
    last = {field: place for place, check in enumerate(checks) for field in check.columns}
    return sorted(last, key=last.__getitem__)


def _write_quarantine(verdict: Verdict, folder: RunFolder) -> None:
    clear_partial(folder.quarantine)
    reasons = _reasons_by_row(verdict)
    landed = pq.read_schema(folder.data)
    schema = landed.append(pa.field(ROW, pa.int64())).append(pa.field(REASONS, reasons.type))
    with whole_file(folder.quarantined) as path:  # noqa: SIM117  the writer ends first
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            done = 0
            for rows in _picked(folder.data, verdict.quarantined):
                part = reasons.slice(done, rows.num_rows)
                writer.write_table(rows.append_column(REASONS, part))
                done += rows.num_rows


def _picked(data: Path, positions: Positions) -> Iterator[pa.Table]:
    """Rows at ``positions`` (ascending) with their positions, a few thousand at a time."""
    waiting: list[pa.Table] = []
    for rows in made_ahead(partial(_pick, data, positions), row_groups(data)):
        waiting.append(rows)
        if sum(one.num_rows for one in waiting) >= QUARANTINE_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _pick(data: Path, positions: Positions, group: RowGroup) -> pa.Table:
    """The rows of one row group that are at ``positions``."""
    landed = pq.ParquetFile(data)
    inside = positions[slice(*np.searchsorted(positions, [group.start, group.stop]))]
    rows = landed.read_row_group(group.number, use_threads=False) if len(inside) else None
    if rows is None:
        rows = landed.schema_arrow.empty_table()
    return rows.take(pa.array(inside - group.start)).append_column(ROW, pa.array(inside))


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
