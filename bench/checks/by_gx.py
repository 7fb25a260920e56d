"""Plain Great Expectations on the whole pandas frame, by the documented way.

https://docs.greatexpectations.io/docs/core/connect_to_data/dataframes: a data frame asset, so that
below 1 GB every cell is hashed to name the batch, as it is for everybody who follows the manual.
Result format COMPLETE without lists of values, which nobody needs here. It has no check digits:
they come from the byte-matrix functions of this project, as columns of booleans.
"""

from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from common import told
from great_expectations import expectations as gxe
from landed import CHECKS

from catalog.vocabulary import ItemFormat
from expectations import masks

RESULT_FORMAT = {"result_format": "COMPLETE", "exclude_unexpected_values": True}


def find(path: str) -> dict[str, Any]:
    """Row numbers of the failing rows, by check."""
    table = pq.read_table(path)
    for check in CHECKS:
        if check["kind"] == "format":
            values = table.column(check["columns"][0])
            right = masks.follows(values, ItemFormat(check["format"]))
            table = table.append_column(check["id"], pa.array(right))
    frame = table.to_pandas(types_mapper=_kind)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("landed").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite("checks", expectations=[_expectation(c) for c in CHECKS])
    found = batch.validate(context.suites.add(suite), result_format=RESULT_FORMAT)
    return {
        one.expectation_config.meta["id"]: np.array(one.result["unexpected_index_list"] or [], int)
        for one in found.results
    }


def _kind(kind: Any) -> Any:
    return None if str(kind) == "double" else pd.ArrowDtype(kind)


def _expectation(check: dict[str, Any]) -> Any:
    first, *others = check["columns"]
    about = {"meta": {"id": check["id"]}}
    match check["kind"]:
        case "present":
            found = gxe.ExpectColumnValuesToNotBeNull(column=first, **about)
        case "format":
            found = gxe.ExpectColumnValuesToBeInSet(column=check["id"], value_set=[True], **about)
        case "unique":
            found = gxe.ExpectColumnValuesToBeUnique(column=first, **about)
        case "length":
            found = gxe.ExpectColumnValueLengthsToBeBetween(
                column=first, max_value=check["most"], **about
            )
        case "code_list":
            found = gxe.ExpectColumnValuesToBeInSet(column=first, value_set=check["codes"], **about)
        case "pattern":
            pattern = f"^{check['pattern']}$"
            found = gxe.ExpectColumnValuesToMatchRegex(column=first, regex=pattern, **about)
        case "range":
            found = gxe.ExpectColumnValuesToBeBetween(
                column=first, min_value=check["least"], **about
            )
        case "ordered":
            found = gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=others[0], column_B=first, or_equal=True, **about
            )
        case _:
            raise ValueError(check["kind"])
    return found


if __name__ == "__main__":
    told(find)
