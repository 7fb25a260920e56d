"""How a value of PostgreSQL becomes one of Arrow: what is selected, and what is made of it.

Types: what Arrow means exactly arrives as such; ``numeric(p, s)`` becomes ``decimal128(p, s)``;
``numeric`` without a scale, ``money``, ``json``, arrays and all else arrive as PostgreSQL's own
text. ``infinity`` in a date or timestamp arrives as 9999-12-31, the trade's spelling of "no end".
"""

from collections.abc import Callable
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

Convert = Callable[[pa.Array], pa.Array]

TYPE = b"POSTGRESQL:type"
"""Under which the driver tells a column's type."""

NATIVE = (
    frozenset({"int2", "int4", "int8", "float4", "float8", "bool", "bytea"})
    | {"text", "varchar", "bpchar"}
    | {"date", "timestamp", "timestamptz"}
)
"""PostgreSQL types that an Arrow type means exactly."""

MAX_DECIMAL128_PRECISION = 38
MAX_INT64_PRECISION = 18
WHOLE = pa.decimal128(19, 0)
"""Holds every number of 64 bits; so do fewer digits, where the column has no more."""

# PostgreSQL counts from 2000-01-01 and marks infinity by the largest and smallest number; ADBC
# moves the epoch to 1970 without looking, so the marks wrap around to these values.
DATE_MARKS = (-2_147_472_692, -2_147_472_691)
TIMESTAMP_MARKS = (-9_222_425_352_054_775_809, -9_222_425_352_054_775_808)
NO_END = datetime(9999, 12, 31)  # noqa: DTZ001 -- PostgreSQL's infinity has no time zone either


def quoted(name: str) -> str:
    """A name as a PostgreSQL identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def expression(field: pa.Field) -> str:
    """What to select for a column: itself, or PostgreSQL's own text of it."""
    name, kind = quoted(field.name), field.metadata[TYPE].decode()
    if is_in_digits(field):
        _, scale = _declared(field)
        digits = f"{name} * 1{'0' * scale}" if scale else name
        return f"({digits})::int8 AS {name}"
    if kind in NATIVE or kind == "numeric":
        return name
    # The text of money depends on the server's locale, the text of its number does not.
    return f"{name}::numeric::text AS {name}" if kind == "money" else f"{name}::text AS {name}"


def is_in_digits(field: pa.Field) -> bool:
    """Whether a column is fetched as a whole number of its smallest unit, e.g. cents.

    The driver writes a ``numeric`` as text, which costs it and Arrow most of the time that the
    whole column takes; the point is set where the number has arrived.
    """
    if field.metadata[TYPE] != b"numeric":
        return False
    precision, scale = _declared(field)
    return 0 <= scale <= precision <= MAX_INT64_PRECISION


def conversion(field: pa.Field, fetched: pa.Field) -> tuple[pa.DataType, Convert]:
    """The type that a column arrives as, and how to make it.

    Args:
        field: The column as the table has it.
        fetched: The same as ``expression`` brought it.
    """
    if is_in_digits(field):
        return _from_digits(*_declared(field))
    if fetched.metadata[TYPE] == b"numeric":
        return _numeric(*_declared(fetched))
    kind = fetched.type
    if pa.types.is_date32(kind):
        return kind, lambda array: _without_infinity(array, pa.int32(), DATE_MARKS)
    if pa.types.is_timestamp(kind):
        return kind, lambda array: _without_infinity(array, pa.int64(), TIMESTAMP_MARKS)
    return kind, lambda array: array


def _declared(field: pa.Field) -> tuple[int, int]:
    """Precision and scale that a ``numeric`` column declares; precision -1: none.

    A typmod packs precision (upper 16 bits) and scale (lower 11, signed) after an offset of 4.
    """
    typmod = int(field.metadata[b"POSTGRESQL:typmod"])
    if typmod < 0:
        return -1, 0
    return (typmod - 4) >> 16, ((typmod - 4 & 0x7FF) ^ 0x400) - 0x400


def _from_digits(precision: int, scale: int) -> tuple[pa.DataType, Convert]:
    kind = pa.decimal128(precision, scale)

    def with_point(array: pa.Array) -> pa.Array:
        whole = array.cast(WHOLE)
        return pa.Array.from_buffers(kind, len(whole), whole.buffers(), offset=whole.offset)

    return kind, with_point


def _numeric(precision: int, scale: int) -> tuple[pa.DataType, Convert]:
    """``decimal128`` where the column declares a precision that it can hold, else exact text."""
    if not 0 <= scale <= precision <= MAX_DECIMAL128_PRECISION:
        return pa.string(), lambda array: array.storage
    kind = pa.decimal128(precision, scale)
    return kind, lambda array: array.storage.cast(kind)


def _without_infinity(array: pa.Array, integer: pa.DataType, marks: tuple[int, int]) -> pa.Array:
    """Spell ``infinity`` as "no end".

    Nothing of Python's is handed to Arrow before a mark is seen: for that, Arrow imports pandas.

    Raises:
        pa.ArrowInvalid: a value is ``-infinity``.
    """
    numbers = array.view(integer)
    smallest = pc.min(numbers).as_py()
    if smallest is None or smallest > marks[1]:
        return array
    if pc.any(pc.equal(numbers, marks[1])).as_py():
        raise pa.ArrowInvalid("-infinity")
    no_end = pa.scalar(NO_END, pa.timestamp("us")).cast(array.type)
    return pc.if_else(pc.equal(numbers, marks[0]), no_end, array)
