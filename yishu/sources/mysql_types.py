"""How a value of MySQL becomes one of Arrow: from the server's own text, and only exactly.

Types: integers, ``year`` and ``bit`` become ``int64`` (``bit(1)`` a boolean, ``bigint unsigned``
and ``bit(64)`` ``decimal128(20, 0)``); ``decimal(p, s)`` becomes ``decimal128(p, s)``; ``date``,
``datetime``, ``timestamp`` and ``time`` arrive as text, since they may hold 0000-00-00, 2020-02-31
or 838:59:59, and a misplaced value is a row's fault, not a broken pull. ``timestamp`` names its
zone, which is UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from transforms.parsing import LOCAL_ZONE

UNSIGNED_BIGINT = pa.decimal128(20, 0)
MAX_DECIMAL128_PRECISION = 38

INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
BINARIES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
TEXTS = (
    frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json"})
    | {"enum", "set"}
    | {"date", "datetime", "time"}
)
"""Types whose text the server sends by itself; what is in no set is asked for as text."""

WITH_VALUES = frozenset({"enum", "set"})
"""Types whose name lists data; only the bare name is told."""


@dataclass(frozen=True)
class Declared:
    """A column as the server declares it; precision of ``bit`` is its number of bits."""

    name: str
    type: str
    base: str
    precision: int | None
    scale: int | None
    octets: int | None

    @property
    def is_unsigned(self) -> bool:
        """Whether it holds no negative numbers."""
        return "unsigned" in self.type


def literal(bound: datetime | date | int, column: Declared) -> str | None:
    """The bound as a literal that the column is compared with; a moment without zone is Beijing's.

    Returns:
        None when the two cannot be compared exactly.
    """
    if isinstance(bound, int):
        return str(bound) if column.base in INTEGERS else None
    moment = bound
    if not isinstance(moment, datetime):
        moment = datetime(bound.year, bound.month, bound.day, tzinfo=LOCAL_ZONE)
    local = moment.astimezone(LOCAL_ZONE)
    if column.base == "date":
        return f"'{local.date().isoformat()}'"
    if column.base == "datetime":
        return f"'{local.replace(tzinfo=None).isoformat(' ')}'"
    if column.base == "timestamp":
        return f"'{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'"
    return None


def quoted(name: str) -> str:
    """A name as an identifier of MySQL, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


def expression(column: Declared) -> str:
    """What to select for a column, so that its text is exact."""
    name = quoted(column.name)
    if column.base == "bit":
        return f"{name} + 0"
    if column.base == "float":
        # The text of a float has six digits; that of the same number as a double has them all.
        return f"{name} + 0e0"
    known = INTEGERS | BINARIES | TEXTS | {"decimal", "double", "timestamp"}
    return name if column.base in known else f"CAST({name} AS CHAR)"


def conversion(column: Declared) -> tuple[pa.DataType, Callable[[pa.Array], pa.Array]]:
    """The type that a column arrives as, and how to make it of the server's text."""
    if column.base == "timestamp":
        return pa.string(), _with_zone
    if column.base == "bit" and column.precision == 1:
        return pa.bool_(), lambda array: array.cast(pa.int64()).cast(pa.bool_())
    target = _target(column)
    return target, lambda array: array.cast(target)


def _target(column: Declared) -> pa.DataType:
    target = pa.string()
    if column.base in {"bigint", "bit"} and (column.is_unsigned or column.precision == 64):  # noqa: PLR2004 - bits
        target = UNSIGNED_BIGINT
    elif column.base in INTEGERS | {"bit"}:
        target = pa.int64()
    elif column.base in {"float", "double"}:
        target = pa.float64()
    elif column.base in BINARIES:
        target = pa.binary()
    elif column.base == "decimal" and (column.precision or 0) <= MAX_DECIMAL128_PRECISION:
        target = pa.decimal128(column.precision, column.scale)
    return target


def _with_zone(array: pa.Array) -> pa.Array:
    """Instants with their zone; 0000-00-00 is no instant and gets none."""
    zoned = pc.binary_join_element_wise(array, "+00:00", "")
    return pc.if_else(pc.starts_with(array, "0000"), array, zoned)
