"""A look at a few rows of a table, personal values masked as the catalog says (S003 二(九))."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.masks import mask
from catalog.model import CatalogView
from catalog.vocabulary import Mask
from yishu.library import subject_table, unified_table
from yishu.library.between import changes_between
from yishu.library.read import read
from yishu.library.release import release_at
from yishu.library.sql import run_sql


def peek(
    root: Path,
    catalog: CatalogView,
    table: str,
    *,
    columns: Sequence[str] | None = None,
    where: Mapping[str, str] | None = None,
    version: int | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Rows of a subject's or an entry's table, at most ``limit``, as plain records.

    Raises:
        TableMissing: nothing was published under that name.
        ColumnMissing: the table has no such column.
    """
    name = subject_table(table) if table in catalog.subjects else unified_table(table)
    masks = column_masks(catalog, table)
    rows = read(root, name, version=version, columns=columns, where=where, limit=limit)
    return [
        {column: shown_value(value, column, masks) for column, value in row.items()}
        for row in rows.to_pylist()
    ]


def peek_changes(
    root: Path, catalog: CatalogView, table: str, before: int, after: int, *, limit: int
) -> list[dict[str, Any]]:
    """Rows that changed between two versions, at most ``limit``, as plain records.

    Raises:
        TableMissing, VersionMissing: there is no such table or version.
        RowsDoNotFit: the versions have different keys.
    """
    name = subject_table(table) if table in catalog.subjects else unified_table(table)
    masks = column_masks(catalog, table)
    rows: list[dict[str, Any]] = []
    for batch in changes_between(root, name, before, after):
        rows += batch.slice(0, limit - len(rows)).to_pylist()
        if len(rows) == limit:
            break
    return [
        {column: shown_value(value, column, masks) for column, value in row.items()} for row in rows
    ]


def peek_sql(
    root: Path, catalog: CatalogView, statement: str, *, by_release: bool, limit: int
) -> list[dict[str, Any]]:
    """Rows of a SELECT over the library, personal columns hidden, as plain records.

    Raises:
        StatementRefused: it is no single SELECT over tables of the library.
        ReleaseMissing: a release was asked for and there is none.
    """
    versions = release_at(root).versions if by_release else None
    found = run_sql(
        root,
        statement,
        masks=lambda table: column_masks(catalog, table.partition("/")[2]),
        versions=versions,
        limit=limit,
    )
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def column_masks(catalog: CatalogView, table: str) -> dict[str, Mask]:
    """How each column of a table is masked: by its item, or by its data element."""
    if table in catalog.subjects:
        columns = catalog.subjects[table].columns
        return {column.field: catalog.elements[column.element].mask for column in columns}
    if table in catalog.entries:
        return {item.field: item.mask for item in catalog.entries[table].items}
    return {}


def shown_value(value: Any, column: str, masks: Mapping[str, Mask]) -> Any:
    """A value of a column as it may be shown."""
    # What the catalog does not know (any more) may be personal: it is hidden whole.
    how = Mask.NONE if column.startswith("_") else masks.get(column, Mask.FULL)
    return value if value is None or how is Mask.NONE else mask(str(value), how)
