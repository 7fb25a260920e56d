"""Validate: check landed rows against the entry, keep each failing row with all its reasons.

The checks see standard values (``transforms.read_column``), so that a credit code in lower case
is a matter of spelling and not an error; the quarantine keeps the row as the source gave it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry, CatalogView
from expectations.history import History
from expectations.plan import Check, plan
from expectations.quarantine import reasons_table
from expectations.rulebook import rulebook
from expectations.run import validate
from expectations.spans import ColumnView, Span
from expectations.tables import with_tables
from expectations.verdict import CheckResult, Gate, Positions, Verdict, judge
from transforms.standard import read_column
from yishu.ahead import made_ahead
from yishu.pipeline.circumstances import ALONE, Circumstances
from yishu.pipeline.landing import Group, Landed, landed
from yishu.pipeline.pull import VERDICT, PullReceipt, load_receipt, require_same_entry
from yishu.pipeline.resolve import resolve
from yishu.pipeline.rows import is_by_changes
from yishu.pipeline.store import RunFolder, clear_partial, whole_file

ROW = "_row"
REASONS = "_reasons"

QUARANTINE_ROWS = 65_536
"""Rows of the quarantine written at a time, where there are so many."""


def validate_landed(
    entry: CatalogEntry,
    catalog: CatalogView,
    folder: RunFolder,
    around: Circumstances = ALONE,
) -> Verdict:
    """Check what a pull landed; a validation that already finished is returned as it was.

    The quarantine has the landed columns, ``_row`` (position in landing, from 0) and ``_reasons``
    (list of check, column, reason in Chinese and in English).

    Raises:
        StageMissing: the pull of this run has not finished, or its rows are gone.
        EntryChanged: a release changed the entry since the pull.
    """
    receipt = load_receipt(folder, needed_by="validate")
    require_same_entry(receipt, entry)
    # Also after the verdict: what looks through the quarantine may have been killed.
    clear_partial(folder.landing)
    clear_partial(folder.quarantine)
    if (folder.landing / VERDICT).exists():
        return load_verdict(folder, needed_by="validate")
    folder.require_rows(needed_by="validate")
    rows = landed(folder)
    judged = _judged_changes if is_by_changes(entry) else _judged
    checks, unjudged = _planned(entry, catalog, receipt, around)
    verdict = judged(entry, checks, folder, rows, receipt, unjudged=unjudged)
    _write_quarantine(rows, verdict, folder)
    folder.write_text(VERDICT, verdict.to_json())
    return verdict


def _planned(
    entry: CatalogEntry, catalog: CatalogView, receipt: PullReceipt, around: Circumstances
) -> tuple[tuple[Check, ...], tuple[CheckResult, ...]]:
    at = datetime.fromisoformat(receipt.pulled_at)
    history = around.history(at)
    if receipt.is_part:
        # Part of the rows says nothing about how many there should be, or how they are spread.
        history = History(last_delivery=None if receipt.until else history.last_delivery)
    book = rulebook(entry.id)
    return with_tables(plan(entry, catalog, at=at, history=history, book=book), around.files_of)


def _judged(
    entry: CatalogEntry,
    checks: Sequence[Check],
    _: RunFolder,
    rows: Landed,
    receipt: PullReceipt,
    *,
    unjudged: Sequence[CheckResult],
) -> Verdict:
    def read(field: str, span: Span) -> ColumnView:
        reading = read_column(rows.column(field, *span), entry.item(field))
        return ColumnView(reading.values, reading.unreadable)

    return validate(
        checks,
        receipt.rows,
        read,
        gate=Gate.of(entry),
        also=unjudged,
        profiled=entry.items,
        entry_id=entry.id,
        run_id=receipt.run_id,
    )


def _judged_changes(
    entry: CatalogEntry,
    checks: Sequence[Check],
    folder: RunFolder,
    rows: Landed,
    receipt: PullReceipt,
    *,
    unjudged: Sequence[CheckResult],
) -> Verdict:
    """The verdict on landed changes: the entry's checks see the last word on each key alone."""
    found = resolve(entry, folder, rows, datetime.fromisoformat(receipt.pulled_at))
    is_all = len(found.writes) == receipt.rows

    def read(field: str, span: Span) -> ColumnView:
        places = found.writes[span.start : span.stop]
        raw = rows.column(field, *span) if is_all else rows.taken(field, places)
        reading = read_column(raw, entry.item(field))
        return ColumnView(reading.values, reading.unreadable)

    names: dict[str, Any] = {"entry_id": entry.id, "run_id": receipt.run_id}
    any_share = Gate(max_quarantined_share=1, allow_empty=True)
    seen = validate(checks, len(found.writes), read, gate=any_share, profiled=entry.items, **names)
    results = [replace(one, positions=found.writes[one.positions]) for one in seen.results]
    every = [*results, *unjudged, *found.faults]
    gate = _gate(entry, receipt)
    return judge(every, receipt.rows, gate, profiles=seen.profiles, **names)


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


def _write_quarantine(rows: Landed, verdict: Verdict, folder: RunFolder) -> None:
    reasons = _reasons_by_row(verdict)
    schema = rows.schema.append(pa.field(ROW, pa.int64())).append(pa.field(REASONS, reasons.type))
    with whole_file(folder.quarantined) as path:  # noqa: SIM117  the writer ends first
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            done = 0
            for picked in _picked(rows, verdict.quarantined):
                part = reasons.slice(done, picked.num_rows)
                writer.write_table(picked.append_column(REASONS, part))
                done += picked.num_rows


def _picked(rows: Landed, positions: Positions) -> Iterator[pa.Table]:
    """Rows at ``positions`` (ascending) with their positions, a few thousand at a time."""
    waiting: list[pa.Table] = []
    for part in made_ahead(partial(_pick, positions), rows.groups()):
        waiting.append(part)
        if sum(one.num_rows for one in waiting) >= QUARANTINE_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _pick(positions: Positions, group: Group) -> pa.Table:
    found, inside = group.pick(positions)
    return found.append_column(ROW, pa.array(inside, pa.int64()))


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
