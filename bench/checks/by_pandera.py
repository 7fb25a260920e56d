"""Pandera with Polars: native expressions, lazy validation, so that every fault is reported.

https://pandera.readthedocs.io/en/stable/polars.html: checks are Polars expressions, the frame is
materialised, since a lazy one is checked for its schema alone. Uniqueness is an expression too: it
then names all rows of a doubled key. It has no check digits: they come from the byte-matrix
functions of this project, as columns of booleans.
"""

from typing import Any

import numpy as np
import pandera.polars as pa
import polars as pl
from common import told
from landed import CHECKS
from pandera.errors import SchemaErrors

from catalog.vocabulary import ItemFormat
from expectations import masks


def find(path: str) -> dict[str, Any]:
    """Row numbers of the failing rows, by check."""
    frame = pl.read_parquet(path)
    digits = [
        pl.Series(check["id"], _right(frame, check))
        for check in CHECKS
        if check["kind"] == "format"
    ]
    frame = frame.with_columns(digits)
    failing: dict[str, Any] = {check["id"]: np.empty(0, int) for check in CHECKS}
    schema = pa.DataFrameSchema(checks=[_check(check) for check in CHECKS])
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        for one in errors.schema_errors:
            passed = one.check_output["check_output"].to_numpy()
            failing[one.check.name] = np.flatnonzero(~passed)
    return failing


def _right(frame: pl.DataFrame, check: dict[str, Any]) -> Any:
    import pyarrow as arrow  # noqa: PLC0415  the names of the two packages collide

    values = arrow.chunked_array(frame[check["columns"][0]].to_arrow())
    return masks.follows(values, ItemFormat(check["format"]))


def _check(check: dict[str, Any]) -> Any:
    test = _right_if(check).fill_null(value=True)
    return pa.Check(lambda data: data.lazyframe.select(test), name=check["id"])


def _right_if(check: dict[str, Any]) -> pl.Expr:
    first, *others = check["columns"]
    column = pl.col(first)
    match check["kind"]:
        case "present":
            found = column.is_not_null()
        case "format":
            found = pl.col(check["id"])
        case "unique":
            found = column.is_null() | column.is_unique()
        case "length":
            found = column.str.len_chars() <= check["most"]
        case "code_list":
            found = column.is_in(check["codes"])
        case "pattern":
            found = column.str.contains(f"^(?:{check['pattern']})$")
        case "range":
            found = column >= check["least"]
        case "ordered":
            found = column <= pl.col(others[0])
        case _:
            raise ValueError(check["kind"])
    return found


if __name__ == "__main__":
    told(find)
