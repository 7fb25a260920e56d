"""What all expectation classes of this field share, and how they meet Great Expectations.

To add another engine, e.g. Spark: give the metric class (``ColumnMetric`` or ``RowMetric``) a
second method decorated for it, ``@column_condition_partial(engine=SparkDFExecutionEngine)``, which
returns the same condition as a Spark column. The expectation classes stay as they are, since they
name metrics and know no engine.

Two things differ from the core expectations. The metrics judge whole Arrow columns (``masks``,
``field_masks``) and do not copy the frame to leave out nulls. And no result carries a value: counts
and row numbers only, for results travel further than the rows of persons may.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import pandas as pd
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    BatchExpectation,
    ColumnMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (  # noqa: E501
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (  # noqa: E501
    MulticolumnMapMetricProvider,
)

from expectations import masks

VALUE_KEYS = (
    "partial_unexpected_list",
    "partial_unexpected_counts",
    "unexpected_list",
    "unexpected_rows",
    "partial_unexpected_index_list",
    "unexpected_index_list",
)
"""Parts of a Great Expectations result that quote values, or can when an index is configured."""


def _without_values(output: Mapping[str, Any]) -> dict[str, Any]:
    details = output.get("result", {})
    kept = {key: part for key, part in details.items() if key not in VALUE_KEYS}
    return {**output, "result": kept}


class ColumnMetric(ColumnMapMetricProvider):
    """A predicate over one column."""

    filter_column_isnull = False
    predicate: ClassVar[Callable[..., masks.Mask]]

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **kwargs: Any) -> pd.Series:  # noqa: N805 - called so
        args = {key: kwargs[key] for key in cls.condition_value_keys}
        return pd.Series(cls.predicate(masks.to_arrow(column), **args), column.index, copy=False)


class RowMetric(MulticolumnMapMetricProvider):
    """A predicate over several columns of a row."""

    condition_value_keys: tuple[str, ...] = ()
    predicate: ClassVar[Callable[..., masks.Mask]]

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, **kwargs: Any) -> pd.Series:  # noqa: N805
        args = {key: kwargs[key] for key in cls.condition_value_keys}
        columns = [masks.to_arrow(column_list[name]) for name in column_list.columns]
        return pd.Series(cls.predicate(columns, **args), column_list.index, copy=False)


class Remembering(BatchExpectation):
    """Makes its configuration once while it is evaluated.

    Great Expectations makes it anew some forty times an evaluation, each time copying every
    argument: with a code list of half a million codes that took a minute.
    """

    _remembered: Any = PrivateAttr(None)

    @property
    def configuration(self) -> Any:
        """The expectation as Great Expectations stores it."""
        return self._remembered or super().configuration

    def remember(self) -> None:
        """Keep the configuration; from now on nobody may change the expectation."""
        self._remembered = super().configuration


class ColumnExpectation(Remembering, ColumnMapExpectation):
    """An expectation over one column whose results carry no values."""

    def _validate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _without_values(super()._validate(*args, **kwargs))


class RowExpectation(Remembering, MulticolumnMapExpectation):
    """An expectation over the columns of a row whose results carry no values."""

    ignore_row_if: Literal["any_value_is_missing", "never"] = "any_value_is_missing"
    args_keys: ClassVar[tuple[str, ...]] = ("column_list",)

    def _validate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _without_values(super()._validate(*args, **kwargs))
