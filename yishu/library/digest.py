"""The content digest: what a table holds, whatever its files, its row order and its runs.

Each row is rendered column by column in order of the names: a type letter, then the length in
bytes and the text of the value, or a mark for null. Its SHA-256 is a 256-bit number; the numbers
of all rows are added modulo 2^256, and the digest is the SHA-256 of columns, row count and sum.
"""

import hashlib
from pathlib import Path

import duckdb
import pyarrow as pa

from yishu.library.engine import DEFAULT_MEMORY, connect, one, quote, scan
from yishu.library.place import Place, open_version
from yishu.library.provenance import content_columns

_LIMBS = 4
_LIMB_BITS = 64
_LIMB_HEX = _LIMB_BITS // 4


def content_digest(
    root: Path, table: str, version: int | None = None, *, memory: str = DEFAULT_MEMORY
) -> str:
    """SHA-256 over keys, business columns and source of all rows, in hexadecimal.

    Runs, times and landed rows do not count: the same content published by another run, in
    another order or after compaction has the same digest.

    Raises:
        TableMissing: nothing was published under that name.
        VersionMissing: the table has no such version.
    """
    place = Place(root, table)
    opened = open_version(place, version)
    schema = pa.schema(opened.schema())
    with connect(memory=memory) as connection:
        return digest_rows(connection, scan(place.files(opened), schema), schema)


def digest_rows(connection: duckdb.DuckDBPyConnection, rows: str, schema: pa.Schema) -> str:
    """The content digest of a subquery with these columns."""
    columns = sorted(content_columns(schema.names))
    rendered = " || ".join(_render(name, schema.field(name).type) for name in columns)
    limbs = ", ".join(
        f"sum(('0x' || substr(h, {1 + i * _LIMB_HEX}, {_LIMB_HEX}))::UBIGINT)"
        for i in range(_LIMBS)
    )
    count, *sums = one(
        connection, f"SELECT count(*), {limbs} FROM (SELECT sha256({rendered}) AS h FROM {rows})"
    )
    total = sum(part << (_LIMB_BITS * (_LIMBS - 1 - i)) for i, part in enumerate(sums))
    total %= 1 << (_LIMBS * _LIMB_BITS)
    head = "\n".join(f"{len(name)}:{name} {schema.field(name).type}" for name in columns)
    return hashlib.sha256(f"{head}\n{count}\n{total:064x}".encode()).hexdigest()


def _render(name: str, kind: pa.DataType) -> str:
    column = quote(name)
    letter, text = "s", column
    if pa.types.is_timestamp(kind):
        letter, text = "t", f"epoch_us({column})::VARCHAR"
    elif not pa.types.is_string(kind):
        letter, text = _LETTERS[kind.id], f"{column}::VARCHAR"
    present = f"'{letter}' || strlen({text}) || ':' || {text}"
    return f"CASE WHEN {column} IS NULL THEN 'n' ELSE {present} END"


_LETTERS = {
    pa.int64().id: "i",
    pa.decimal128(1).id: "d",
    pa.date32().id: "e",
    pa.bool_().id: "b",
}
