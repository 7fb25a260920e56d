"""What changed between two versions of a table, row by row, by key.

Only data files that one of the two versions has and the other lacks are read: rows of shared files
cannot differ. Where a table was merely packed anew, its rows compare as equal and none is told.
Single keys are answered through the key indexes of both versions.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from yishu.library.commit import recorded
from yishu.library.engine import connect, quote, scan, sql_type, stream
from yishu.library.errors import RowsDoNotFit
from yishu.library.key_index import key_at, open_key_index
from yishu.library.place import Place, open_version
from yishu.library.provenance import content_columns

CHANGE = "_change_type"
"""The column that says what happened to a row."""


class Change(StrEnum):
    """What happened to a row; the words are those of Delta Lake's change data feed."""

    INSERT = "insert"
    DELETE = "delete"
    BEFORE = "update_preimage"
    AFTER = "update_postimage"


def changes_between(root: Path, table: str, before: int, after: int) -> pa.RecordBatchReader:
    """Every row that version ``after`` has otherwise than version ``before``, as a stream.

    An update gives two rows, the old and the new one. What a row holds counts, not which run
    brought it. Columns are those of version ``after`` and ``_change_type``; a column that only
    one of the versions has is null in the rows of the other.

    Raises:
        TableMissing, VersionMissing: there is no such table, or no longer such a version.
        RowsDoNotFit: the versions have different keys, so no row can be followed.
    """
    place = Place(root, table)
    old, new = open_version(place, before), open_version(place, after)
    key = _common_key(place, before, after)
    schema = pa.schema(new.schema())
    plain = pa.schema([one.with_nullable(True) for one in schema])
    first, second = (_only(place, one, other) for one, other in ((old, new), (new, old)))
    query = _query(_rows(old, first, plain), _rows(new, second, plain), plain, key)
    result = pa.schema([pa.field(CHANGE, pa.string(), nullable=False), *plain])
    return stream(connect(), query, result)


def changes_of(
    root: Path, table: str, before: int, after: int, keys: Iterable[Mapping[str, Any]]
) -> pa.Table:
    """What ``changes_between`` tells of these keys, looked up in milliseconds each.

    Raises:
        TableMissing, VersionMissing, ColumnMissing, RowsDoNotFit: as there, and a key is not whole.
    """
    _common_key(Place(root, table), before, after)
    old, new = (open_key_index(root, table, version) for version in (before, after))
    found: list[dict[str, Any]] = []
    for key in keys:
        found += _told(old.row(key).to_pylist(), new.row(key).to_pylist())
    schema = pa.schema([pa.field(CHANGE, pa.string(), nullable=False), *new.schema])
    nullable = pa.schema([one.with_nullable(one.name != CHANGE) for one in schema])
    return pa.Table.from_pylist(found, schema=nullable)


def _told(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    names_of_both = {*(old[0] if old else ()), *(new[0] if new else ())}
    content = content_columns(names_of_both)
    if old and new:
        if any(old[0].get(name) != new[0].get(name) for name in content):
            yield {CHANGE: Change.BEFORE.value, **old[0]}
            yield {CHANGE: Change.AFTER.value, **new[0]}
    elif old:
        yield {CHANGE: Change.DELETE.value, **old[0]}
    elif new:
        yield {CHANGE: Change.INSERT.value, **new[0]}


def _common_key(place: Place, before: int, after: int) -> tuple[str, ...]:
    publications = recorded(place.open())
    old, new = (key_at(publications, version) for version in (before, after))
    if old == new and new:
        return new
    raise RowsDoNotFit(
        place.table,
        found=f"key {', '.join(old) or 'unknown'} in version {before}, "
        f"{', '.join(new) or 'unknown'} in version {after}",
        expected="one key in both versions",
        remedy="read both versions in full; rows of different keys cannot be told as changed",
    )


def _only(place: Place, one: DeltaTable, other: DeltaTable) -> list[str]:
    return sorted(set(place.files(one)) - set(place.files(other)))


def _rows(opened: DeltaTable, files: list[str], wanted: pa.Schema) -> str:
    """The rows of some files in the columns of the newer version, old values as far as they fit."""
    have = pa.schema(opened.schema())
    columns = (
        f"{'TRY_CAST(' + quote(one.name) + ' AS ' if one.name in have.names else 'CAST(NULL AS '}"
        f"{sql_type(one.type)}) AS {quote(one.name)}"
        for one in wanted
    )
    return f"(SELECT {', '.join(columns)}, true AS _there FROM {scan(files, have)})"


def _query(old: str, new: str, schema: pa.Schema, key: tuple[str, ...]) -> str:
    same = " AND ".join(f"o.{quote(name)} = n.{quote(name)}" for name in key)
    differs = " OR ".join(
        f"o.{quote(name)} IS DISTINCT FROM n.{quote(name)}"
        for name in content_columns(schema.names)
        if name not in key
    )
    is_update = f"(o._there AND n._there AND ({differs or 'false'}))"
    sides = (
        (Change.DELETE, "o", "n._there IS NULL"),
        (Change.BEFORE, "o", is_update),
        (Change.AFTER, "n", is_update),
        (Change.INSERT, "n", "o._there IS NULL"),
    )
    told = ", ".join(
        f"CASE WHEN {condition} THEN struct_pack({CHANGE} := '{change}', "
        f"{', '.join(f'{quote(name)} := {side}.{quote(name)}' for name in schema.names)}) END"
        for change, side, condition in sides
    )
    joined = f"SELECT unnest([{told}]) AS row FROM {old} o FULL JOIN {new} n ON {same}"
    columns = ", ".join(f"row.{quote(name)} AS {quote(name)}" for name in (CHANGE, *schema.names))
    return f"SELECT {columns} FROM ({joined}) WHERE row IS NOT NULL"
