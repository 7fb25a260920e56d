"""Expectations over a delivery as a whole: in time, of the usual size, distributed as usual."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd
import pyarrow.compute as pc
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    BatchExpectation,
    ColumnAggregateExpectation,
)
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
    column_aggregate_value,
)

from expectations import masks
from expectations.history import LEAST_ROWS, MAXIMUM_PSI, band, instability


def _outcome(success: bool, **observed: float | None) -> dict[str, Any]:
    return {"success": success, "result": {"observed_value": observed}}


class ExpectDeliveryToBeTimely(BatchExpectation):
    """Expect a delivery to come within the freshness limit of its cycle (S004 Art.15).

    ``age``: hours since the delivery before; ``limit``: the most hours allowed.
    """

    age: float
    limit: float
    metric_dependencies = ("table.row_count",)
    success_keys: ClassVar[tuple[str, ...]] = ("age", "limit")
    args_keys = ("age", "limit")

    def _validate(self, *_: Any, **__: Any) -> dict[str, Any]:
        return _outcome(self.age <= self.limit, age_hours=self.age)


class ExpectRowCountToFitHistory(BatchExpectation):
    """Expect the number of rows to fit those of earlier deliveries, season by season.

    ``history``: rows of earlier deliveries, oldest first; ``season``: deliveries in a season, 7 for
    daily ones. With fewer than five earlier deliveries nothing is judged.
    """

    history: list[int]
    season: int = 1
    metric_dependencies = ("table.row_count",)
    success_keys: ClassVar[tuple[str, ...]] = ("history", "season")
    args_keys = ("history", "season")

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        allowed = band(self.history, self.season)
        if allowed is None:
            return _outcome(True)
        rows = int(metrics["table.row_count"])
        return _outcome(
            allowed.holds(rows), rows=rows, least=round(allowed.least), most=round(allowed.most)
        )


class ColumnInstability(ColumnAggregateMetricProvider):
    """Population stability index of a column against reference shares; None: too few rows."""

    metric_name = "column.yishu_instability"
    value_keys = ("reference",)

    @column_aggregate_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805 - called so
        column: pd.Series,
        reference: Mapping[str, float],
        **_: Any,
    ) -> float | None:
        values = masks.as_text(masks.to_arrow(column)).drop_null()
        if len(values) < LEAST_ROWS:
            return None
        counts = {one["values"]: one["counts"] for one in pc.value_counts(values).to_pylist()}
        return instability(counts, reference)


class ExpectDistributionNotToDrift(ColumnAggregateExpectation):
    """Expect the shares of a column's values to be about those of the delivery before.

    ``reference``: share of each value then, 0 to 1. Measured by the population stability index,
    which is to stay below 0.25; below 100 rows nothing is judged.
    """

    reference: Mapping[str, float]
    metric_dependencies = ("column.yishu_instability",)
    success_keys: ClassVar[tuple[str, ...]] = ("reference",)
    args_keys = ("column", "reference")

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        index = metrics["column.yishu_instability"]
        return _outcome(index is None or index < MAXIMUM_PSI, instability=index)
