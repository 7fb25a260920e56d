"""Where a row of the library came from, column by column, what it said before, who received it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.model import CatalogEntry, DataItem, Subject
from transforms.rules import rules
from yishu.ledger.statements import query
from yishu.library import subject_table, unified_table
from yishu.library.commit import Commit, recorded
from yishu.library.errors import ColumnMissing, VersionMissing
from yishu.library.key_index import KeyIndex, open_key_index
from yishu.library.place import Place
from yishu.library.provenance import ENTRY_ID, LANDED_ROW, RUN_ID, joined_run
from yishu.library.subject import VERSION_OF
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.landing import Landed, landed
from yishu.pipeline.peek import column_masks, shown_value
from yishu.pipeline.store import run_folder
from yishu.sharing.house import master_key
from yishu.sharing.uselog import row_key

EARLIER_VERSIONS = 50
"""How many versions back a trace looks for earlier values."""


@dataclass(frozen=True)
class Earlier:
    """What a column said in an earlier version, masked as the catalog says."""

    version: int
    committed_at: str
    value: str


@dataclass(frozen=True)
class ColumnTrace:
    """Where one column of one row comes from.

    Attributes:
        responsible_org: Who collects, updates and answers for it (S004 Art.15).
        pulled_at: When the department system was read, ISO 8601; empty when not on record.
        landed_file: The landed file, below the data folder; empty when its retention is over.
        landed_row: Position in the landed file, from 0; None when the row cannot be told.
        rules: What standardisation does to the item.
        respelled: Whether it changed this value; None when the landed file is gone.
        earlier: Other values before, newest first.
    """

    column: str
    entry_id: str
    item: str
    responsible_org: str
    run_id: str
    place: str
    pulled_at: str
    landed_file: str
    landed_row: int | None
    rules: tuple[str, ...]
    respelled: bool | None
    earlier: tuple[Earlier, ...]


@dataclass(frozen=True)
class Received:
    """One use of the row, by the use log.

    Attributes:
        is_whole: The whole of a grant's rows was served, which may hold this row.
    """

    at: str
    grant_id: str
    consumer_org: str
    channel: str
    columns: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True)
class RowTrace:
    """Everything that is known about one row."""

    columns: tuple[ColumnTrace, ...]
    received: tuple[Received, ...]


def key_of(ctx: PipelineContext, table: str) -> Sequence[str]:
    """The key columns of a subject's or an entry's table.

    Raises:
        NotCataloged: it is neither.
    """
    if table in ctx.release.subjects:
        return ctx.release.subjects[table].key
    return ctx.release.entry(table).key


def trace_row(ctx: PipelineContext, table: str, key: Mapping[str, str]) -> RowTrace:
    """The story of the row of that key; without columns when there is no such row.

    Raises:
        NotCataloged: the table is neither a subject nor an entry.
        TableMissing: nothing was published under that name.
    """
    subject = ctx.release.subjects.get(table)
    name = subject_table(table) if subject else unified_table(table)
    index = open_key_index(ctx.settings.library_dir, name)
    rows = index.row(key).to_pylist()
    if not rows:
        return RowTrace((), ())
    row = rows[0]
    if subject is None:
        entry = ctx.release.entry(table)
        sources = {field: (entry, field) for field in entry.fields}
    else:
        sources = _subject_sources(ctx, subject, row)
    earlier = _earlier(ctx, index, table, key, row)
    whereabouts = {
        entry.id: _whereabouts(ctx, entry, index, row)
        for entry in {entry.id: entry for entry, _ in sources.values()}.values()
    }
    traced = [
        _column(
            ctx,
            (column, row[column]),
            entry.item(field),
            entry,
            found=whereabouts[entry.id],
            earlier=earlier.get(column, ()),
        )
        for column, (entry, field) in sources.items()
    ]
    return RowTrace(tuple(traced), tuple(_received(ctx, table, index.key, row)))


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


@dataclass(frozen=True)
class _Whereabouts:
    """The landed row of one entry behind a row, as far as it can still be found."""

    run_id: str
    landed_row: int | None
    landed_file: str
    raw: Mapping[str, Any] | None


def _whereabouts(
    ctx: PipelineContext, entry: CatalogEntry, index: KeyIndex, row: Mapping[str, Any]
) -> _Whereabouts:
    if entry.id == row[ENTRY_ID]:
        run_id, landed_row = row[RUN_ID], row[LANDED_ROW]
    else:
        run_id = row[joined_run(entry.id)]
        landed_row = _joined_row(ctx, entry, index, row)
    folder = run_folder(ctx.settings.var_dir, entry.id, run_id)
    if landed_row is None or not (folder.data.exists() or folder.landed_parts()):
        return _Whereabouts(run_id, landed_row, "", None)
    file, raw = _raw_row(landed(folder), landed_row)
    return _Whereabouts(run_id, landed_row, str(file.relative_to(ctx.settings.var_dir)), raw)


def _joined_row(
    ctx: PipelineContext, entry: CatalogEntry, index: KeyIndex, row: Mapping[str, Any]
) -> int | None:
    """The landed row of a joined entry: that of its unified table as the subject read it."""
    subject = ctx.release.subjects[index.place.table.partition("/")[2]]
    elements = {column.field: column.element for column in subject.columns}
    items = {item.element: item.field for item in reversed(entry.items)}
    key = {items[elements[name]]: row[name] for name in subject.key}
    version = next(
        int(one.metadata[f"{VERSION_OF}{entry.id}"])
        for one in recorded(index.place.open())
        if f"{VERSION_OF}{entry.id}" in one.metadata
    )
    try:
        unified = open_key_index(ctx.settings.library_dir, unified_table(entry.id), version)
        found = unified.row(key, [LANDED_ROW])
    except (VersionMissing, ColumnMissing):
        return None
    return int(found[LANDED_ROW][0].as_py()) if found.num_rows else None


def _raw_row(rows: Landed, position: int) -> tuple[Any, Mapping[str, Any]]:
    for group in rows.groups():
        if group.start <= position < group.stop:
            picked, _ = group.pick(np.array([position]))
            return group.file, picked.to_pylist()[0]
    raise IndexError(position)


def _column(
    ctx: PipelineContext,
    cell: tuple[str, Any],
    item: DataItem,
    entry: CatalogEntry,
    *,
    found: _Whereabouts,
    earlier: tuple[Earlier, ...],
) -> ColumnTrace:
    column, value = cell
    receipt = ctx.ledger.receipt(found.run_id, entry.id)
    return ColumnTrace(
        column=column,
        entry_id=entry.id,
        item=item.field,
        responsible_org=entry.responsible_org(item.field),
        run_id=found.run_id,
        place=receipt.place if receipt else "",
        pulled_at=receipt.pulled_at.isoformat() if receipt else "",
        landed_file=found.landed_file,
        landed_row=found.landed_row,
        rules=rules(item),
        respelled=None if found.raw is None else found.raw.get(item.field) != value,
        earlier=earlier,
    )


def _earlier(
    ctx: PipelineContext,
    index: KeyIndex,
    table: str,
    key: Mapping[str, str],
    row: Mapping[str, Any],
) -> dict[str, tuple[Earlier, ...]]:
    """Column -> values that it had before and that differ from the next later one, masked."""
    masks = column_masks(ctx.release, table)
    found: dict[str, list[Earlier]] = {}
    later = row
    for commit, before in _versions_of(index.place, index.version, key):
        for column, value in before.items():
            if column in later and column in masks and value != later[column]:
                shown = shown_value(value, column, masks)
                told = Earlier(
                    commit.version, commit.committed_at, "" if shown is None else str(shown)
                )
                found.setdefault(column, []).append(told)
        later = before
    return {column: tuple(values) for column, values in found.items()}


def _versions_of(
    place: Place, newest: int, key: Mapping[str, str]
) -> Iterator[tuple[Commit, Mapping[str, Any]]]:
    """Earlier publications that had the row, newest first, as far as they are kept."""
    publications = [one.commit for one in recorded(place.open()) if one.commit.version < newest]
    for commit in publications[:EARLIER_VERSIONS]:
        try:
            rows = open_key_index(place.root, place.table, commit.version).row(key).to_pylist()
        except (VersionMissing, ColumnMissing):
            return
        if rows:
            yield commit, rows[0]


def _received(
    ctx: PipelineContext, table: str, key: Sequence[str], row: Mapping[str, Any]
) -> list[Received]:
    digest = row_key(master_key(ctx.settings.secrets_dir), table, [row[name] for name in key])
    with ctx.ledger.reading() as connection:
        uses = connection.execute(
            query("use_of_row"), {"object_id": table, "row_key": digest}
        ).all()
    return [
        Received(
            use.at.isoformat(),
            use.grant_id,
            use.consumer_org,
            use.channel,
            tuple(use.columns),
            use.is_whole,
        )
        for use in uses
    ]
