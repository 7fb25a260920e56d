"""SQL over the library: one SELECT of DuckDB's dialect over tables by their names.

The statement sees views, nothing else: no file, no function that opens one, no setting. Columns
that the caller hides are hidden in the view, so no expression can look behind it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalog.masks import mask
from catalog.vocabulary import Mask
from yishu.library.engine import connect, literal, quote, scan
from yishu.library.errors import StatementRefused
from yishu.library.place import Place, open_version
from yishu.library.read import tables

Masks = Callable[[str], Mapping[str, Mask]]
"""Table -> column -> how it is hidden; a column that is not named is hidden whole."""


def run_sql(
    root: Path,
    statement: str,
    *,
    masks: Masks,
    versions: Mapping[str, int] | None = None,
    limit: int,
) -> pa.Table:
    """Rows of a SELECT, at most ``limit``.

    Args:
        root: Folder of the library.
        statement: One SELECT over tables named as ``yishu library list`` names them, in quotes.
        masks: How columns of a table are hidden.
        versions: Table -> version; None, or a table that is not named: the newest.
        limit: At most so many rows.

    Raises:
        StatementRefused: it is no single SELECT, or it reads anything but tables of the library.
    """
    with connect() as connection:
        for table in _asked(connection, statement, tables(root)):
            _show(connection, Place(root, table), masks(table), (versions or {}).get(table))
        try:
            found = connection.sql(
                f"SELECT * FROM ({statement.rstrip().rstrip(';')}) LIMIT {limit:d}"
            )
            return found.to_arrow_table()
        except duckdb.Error as error:
            # Its text may quote a value of a row, unless it only complains about the statement.
            says = str(error) if isinstance(error, duckdb.BinderException) else ""
            raise _refused(says.splitlines()[0] if says else type(error).__name__) from None


def _asked(connection: duckdb.DuckDBPyConnection, statement: str, known: list[str]) -> set[str]:
    """The tables of the library that a statement reads."""
    tree = json.loads(
        connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()[0][0]
    )
    if tree.get("error") or len(tree["statements"]) != 1:
        raise _refused(tree.get("error_message", f"{len(tree.get('statements', ()))} statements"))
    nodes = list(_nodes(tree))
    own = {name for node in nodes for name in _common_names(node)}
    asked = {str(node["table_name"]) for node in nodes if node.get("type") == "BASE_TABLE"}
    functions = {"function" for node in nodes if node.get("type") == "TABLE_FUNCTION"}
    strange = sorted((asked - own).difference(known) | functions)
    if strange:
        raise _refused(f"{', '.join(strange)} in FROM", f"tables among {', '.join(known)}")
    return asked & set(known)


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _common_names(node: Mapping[str, Any]) -> list[str]:
    """Names that a WITH clause gives."""
    held = (node.get("cte_map") or {}).get("map") or ()
    return [str(one["key"]) for one in held]


def _show(
    connection: duckdb.DuckDBPyConnection,
    place: Place,
    masks: Mapping[str, Mask],
    version: int | None,
) -> None:
    opened = open_version(place, version)
    schema = pa.schema(opened.schema())
    columns = ", ".join(_column(connection, name, masks) for name in schema.names)
    rows = scan(place.files(opened), schema)
    connection.execute(f"CREATE VIEW {quote(place.table)} AS SELECT {columns} FROM {rows}")


def _column(connection: duckdb.DuckDBPyConnection, name: str, masks: Mapping[str, Mask]) -> str:
    how = Mask.NONE if name.startswith("_") else masks.get(name, Mask.FULL)
    if how is Mask.NONE:
        return quote(name)
    function = f"masked_{how.value}"
    known = connection.execute(
        f"SELECT count(*) FROM duckdb_functions() WHERE function_name = {literal(function)}"
    ).fetchall()
    if known == [(0,)]:
        connection.create_function(function, _masker(how), ["VARCHAR"], "VARCHAR")
    return f"{function}({quote(name)}::VARCHAR) AS {quote(name)}"


def _masker(how: Mask) -> Callable[[str], str]:
    """A function of one parameter, as DuckDB wants it."""
    return lambda text: mask(text, how)


def _refused(
    found: str, expected: str = "one SELECT over tables of the library"
) -> StatementRefused:
    return StatementRefused(
        "statement",
        found=found,
        expected=expected,
        remedy='name tables in quotes, e.g. "subject/legal_entity"; see `yishu library list`',
    )
