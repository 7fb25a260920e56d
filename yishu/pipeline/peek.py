"""A look at a few rows of a table, personal values masked as the catalog says (S003 二(九))."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.masks import mask
from catalog.model import CatalogView
from catalog.vocabulary import Mask
from yishu.library import subject_table, unified_table
from yishu.library.read import read


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
        {column: _shown(value, column, masks) for column, value in row.items()}
        for row in rows.to_pylist()
    ]


def column_masks(catalog: CatalogView, table: str) -> dict[str, Mask]:
    """How each column of a table is masked: by its item, or by its data element."""
    if table in catalog.subjects:
        columns = catalog.subjects[table].columns
        return {column.field: catalog.elements[column.element].mask for column in columns}
    if table in catalog.entries:
        return {item.field: item.mask for item in catalog.entries[table].items}
    return {}


def _shown(value: Any, column: str, masks: Mapping[str, Mask]) -> Any:
    # What the catalog does not know (any more) may be personal: it is hidden whole.
    how = Mask.NONE if column.startswith("_") else masks.get(column, Mask.FULL)
    return value if value is None or how is Mask.NONE else mask(str(value), how)
