"""The task's checks in plain Great Expectations on a pandas frame, at its fastest settings.

Of https://docs.greatexpectations.io/docs/core/trigger_actions_based_on_results/choose_a_result_format:
COMPLETE, since all failing rows are wanted, without the lists of values that nobody needs here.
"""

from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations import expectations as gxe

RESULT_FORMAT = {"result_format": "COMPLETE", "exclude_unexpected_values": True}


def failing_rows(frame: pd.DataFrame, checks: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Positions of failing rows, by check."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("bench")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = gx.ExpectationSuite(
        name="bench",
        expectations=[_expectation(check) for check in checks if check["kind"] != "ordered"],
    )
    found = batch.get_batch({"dataframe": frame}).validate(suite, result_format=RESULT_FORMAT)
    failing = {
        result.expectation_config.meta["name"]: np.array(
            result.result.get("unexpected_index_list") or [], dtype=np.int64
        )
        for result in found.results
    }
    for check in checks:
        if check["kind"] == "ordered":
            # A line of pandas does this faster than Great Expectations' pair expectation, which
            # copies both columns without their nulls first.
            late = frame[check["earlier"]] > frame[check["later"]]
            failing[check["name"]] = np.flatnonzero(late.fillna(False).to_numpy(dtype=bool))
    return failing


def _expectation(check: dict[str, Any]) -> Any:
    about = {"meta": {"name": check["name"]}, "column": check["column"]}
    match check["kind"]:
        case "not_null":
            return gxe.ExpectColumnValuesToNotBeNull(**about)
        case "unique":
            return gxe.ExpectColumnValuesToBeUnique(**about)
        case "in_set":
            return gxe.ExpectColumnValuesToBeInSet(value_set=check["values"], **about)
        case "length":
            return gxe.ExpectColumnValueLengthsToBeBetween(max_value=check["most"], **about)
        case "at_least":
            return gxe.ExpectColumnValuesToBeBetween(min_value=check["least"], **about)
    raise ValueError(check["kind"])


def frame_of(kind: Any) -> Any:
    """``types_mapper``: Arrow-backed columns, except floats.

    Great Expectations compares numpy's floats at once and any other column value by value.
    """
    return None if str(kind) in {"double", "float"} else pd.ArrowDtype(kind)
