"""The standard Arrow type of a data item: the one place that says what a declared type becomes."""

import pyarrow as pa

from catalog.model import DataItem
from catalog.vocabulary import DataType

DECIMAL_PRECISION = 18
"""Decimal digits of ``decimal`` and ``money``: all that fits into 64 bits."""

MONEY_SCALE = 2
"""Money is counted in yuan to the fen; ``decimal`` has the same scale unless the item says so."""

_FIXED: dict[DataType, pa.DataType] = {
    DataType.STRING: pa.string(),
    DataType.INTEGER: pa.int64(),
    DataType.DATE: pa.date32(),
    DataType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    DataType.BOOLEAN: pa.bool_(),
}


def arrow_type(item: DataItem) -> pa.DataType:
    """The Arrow type that every value of this item has after standardisation."""
    return standard_type(item.type, item.scale)


def standard_type(kind: DataType, scale: int | None = None) -> pa.DataType:
    """The Arrow type of a declared type; ``scale`` counts only for decimals and money."""
    if kind in (DataType.DECIMAL, DataType.MONEY):
        return pa.decimal128(DECIMAL_PRECISION, MONEY_SCALE if scale is None else scale)
    return _FIXED[kind]
