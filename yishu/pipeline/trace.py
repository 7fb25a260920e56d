"""Where a row of the library came from: department, entry, run, landed row, for each column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.model import CatalogEntry, Subject
from yishu.library import subject_table, unified_table
from yishu.library.provenance import ENTRY_ID, LANDED_ROW, RUN_ID, joined_run
from yishu.library.read import by_key
from yishu.pipeline.context import PipelineContext


@dataclass(frozen=True)
class Origin:
    """Where some columns of a row come from.

    Attributes:
        columns: Column names, comma-separated.
        responsible_org: Who collects, updates and answers for them (S004 Art.15).
        landed_row: Position in the landed file, from 0; None for joined columns.
        pulled_at: When the department system was read, ISO 8601; empty when not on record.
    """

    columns: str
    entry_id: str
    responsible_org: str
    run_id: str
    landed_row: int | None
    place: str
    pulled_at: str


def key_of(ctx: PipelineContext, table: str) -> Sequence[str]:
    """The key columns of a subject's or an entry's table.

    Raises:
        NotCataloged: it is neither.
    """
    if table in ctx.release.subjects:
        return ctx.release.subjects[table].key
    return ctx.release.entry(table).key


def trace_row(ctx: PipelineContext, table: str, key: Mapping[str, str]) -> list[Origin]:
    """The origins of the row of that key, one for each entry and responsible body.

    Returns:
        Nothing when there is no such row.
    """
    subject = ctx.release.subjects.get(table)
    name = subject_table(table) if subject else unified_table(table)
    rows = by_key(ctx.settings.library_dir, name, key).to_pylist()
    if not rows:
        return []
    row = rows[0]
    if subject is None:
        entry = ctx.release.entry(table)
        return _origins(ctx, row, {field: (entry, field) for field in entry.fields})
    return _origins(ctx, row, _subject_sources(ctx, subject, row))


def _subject_sources(
    ctx: PipelineContext, subject: Subject, row: Mapping[str, Any]
) -> dict[str, tuple[CatalogEntry, str]]:
    """Column -> the entry that gave it to this row, and the item's field there."""
    base = ctx.release.entry(row[ENTRY_ID])
    joined = [
        ctx.release.entry(entry_id)
        for entry_id in ctx.release.entries
        if row.get(joined_run(entry_id)) is not None
    ]
    found = {}
    for column in subject.columns:
        claims = {source.entry for source in ctx.release.elements[column.element].sources}
        for entry in [base, *joined]:
            fields = [item.field for item in entry.items if item.element == column.element]
            if entry.id in claims and fields:
                found[column.field] = (entry, fields[0])
                break
    return found


def _origins(
    ctx: PipelineContext,
    row: Mapping[str, Any],
    sources: Mapping[str, tuple[CatalogEntry, str]],
) -> list[Origin]:
    groups: dict[tuple[str, str], list[str]] = {}
    for column, (entry, field) in sources.items():
        groups.setdefault((entry.id, entry.responsible_org(field)), []).append(column)
    origins = []
    for (entry_id, responsible), columns in groups.items():
        is_base = entry_id == row[ENTRY_ID]
        run_id = row[RUN_ID] if is_base else row[joined_run(entry_id)]
        receipt = ctx.ledger.receipt(run_id, entry_id)
        origins.append(
            Origin(
                columns=", ".join(columns),
                entry_id=entry_id,
                responsible_org=responsible,
                run_id=run_id,
                landed_row=row[LANDED_ROW] if is_base else None,
                place=receipt.place if receipt else "",
                pulled_at=receipt.pulled_at.isoformat() if receipt else "",
            )
        )
    return origins
