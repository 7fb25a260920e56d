"""The field's own Great Expectations classes, and the metrics that they ask for.

Ordinary expectations: any Great Expectations context that has imported this module can load and
run a suite of them. Separate from everything else because importing Great Expectations takes
seconds; ``expectations.suite`` imports this module when it is first needed.

Two things differ from the core ones. The metrics judge whole Arrow columns (``masks``) and do not
copy the frame to leave out nulls. And no result carries a value: counts and row numbers only, for
results travel further than the rows of persons may.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull as ExpectColumnValuesToNotBeNull,  # noqa: PLC0414 - re-export
)
from great_expectations.expectations.expectation import (
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

from catalog.vocabulary import ItemFormat
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


class _ColumnMetric(ColumnMapMetricProvider):
    """A predicate over one column."""

    filter_column_isnull = False
    predicate: ClassVar[Callable[..., masks.Mask]]

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **kwargs: Any) -> pd.Series:  # noqa: N805 - called so
        args = {key: kwargs[key] for key in cls.condition_value_keys}
        return pd.Series(cls.predicate(masks.to_arrow(column), **args), index=column.index)


class _RowMetric(MulticolumnMapMetricProvider):
    """A predicate over several columns of a row."""

    predicate: ClassVar[Callable[..., masks.Mask]]

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805 - called so
        columns = [masks.to_arrow(column_list[name]) for name in column_list.columns]
        return pd.Series(cls.predicate(columns), index=column_list.index)


class _ColumnExpectation(ColumnMapExpectation):
    """An expectation over one column whose results carry no values."""

    def _validate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _without_values(super()._validate(*args, **kwargs))


class _RowExpectation(MulticolumnMapExpectation):
    """An expectation over the columns of a row whose results carry no values."""

    def _validate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _without_values(super()._validate(*args, **kwargs))


# --- one column ---------------------------------------------------------------------------------


class ColumnValuesFormat(_ColumnMetric):
    """Values follow the rule of an identifier or code."""

    condition_metric_name = "column_values.yishu_format"
    condition_value_keys = ("format",)

    @staticmethod
    def predicate(values: pa.ChunkedArray, *, format: str) -> masks.Mask:  # noqa: A002
        """True where null or of the format."""
        return masks.follows(values, ItemFormat(format))


class _FormatExpectation(_ColumnExpectation):
    """Expect values to follow the format that the class is named after."""

    map_metric = "column_values.yishu_format"
    success_keys = ("format", "mostly")
    args_keys = ("column", "format")


class ExpectColumnValuesToBeUscc(_FormatExpectation):
    """Expect unified social credit codes (统一社会信用代码, GB 32100-2015)."""

    format: Literal["uscc"] = "uscc"


class ExpectColumnValuesToBeResidentId(_FormatExpectation):
    """Expect resident identity numbers (公民身份号码, GB 11643-1999)."""

    format: Literal["resident_id"] = "resident_id"


class ExpectColumnValuesToBeLicenceIdentifier(_FormatExpectation):
    """Expect electronic licence identifiers (电子证照标识, GB/T 36904-2018)."""

    format: Literal["licence_identifier"] = "licence_identifier"


class ExpectColumnValuesToBeBasicCode(_FormatExpectation):
    """Expect basic codes of service items (基本编码, 12 characters)."""

    format: Literal["basic_code"] = "basic_code"


class ExpectColumnValuesToBeImplementationCode(_FormatExpectation):
    """Expect implementation codes of service items (实施编码, 31 characters)."""

    format: Literal["implementation_code"] = "implementation_code"


class ExpectColumnValuesToBeHandlingItemCode(_FormatExpectation):
    """Expect handling item codes (业务办理项编码, 33 characters)."""

    format: Literal["handling_item_code"] = "handling_item_code"


class ExpectColumnValuesToBeMobilePhone(_FormatExpectation):
    """Expect mobile phone numbers of mainland China (移动电话)."""

    format: Literal["mobile_phone"] = "mobile_phone"


class ExpectColumnValuesToBePostcode(_FormatExpectation):
    """Expect postcodes (邮政编码, 6 digits)."""

    format: Literal["postcode"] = "postcode"


class ColumnValuesInCodeList(_ColumnMetric):
    """Values are codes of a closed list."""

    condition_metric_name = "column_values.yishu_in_code_list"
    condition_value_keys = ("codes",)
    predicate = staticmethod(masks.in_codes)


class ExpectColumnValuesToBeInCodeList(_ColumnExpectation):
    """Expect codes of a code list (代码表)."""

    map_metric = "column_values.yishu_in_code_list"
    codes: list[str]
    success_keys = ("codes", "mostly")
    args_keys = ("column", "codes")


class ColumnValuesNotLonger(_ColumnMetric):
    """Texts have at most so many characters."""

    condition_metric_name = "column_values.yishu_not_longer"
    condition_value_keys = ("maximum_length",)
    predicate = staticmethod(masks.not_longer)


class ExpectColumnValuesNotToBeLonger(_ColumnExpectation):
    """Expect texts of at most ``maximum_length`` characters."""

    map_metric = "column_values.yishu_not_longer"
    maximum_length: int
    success_keys = ("maximum_length", "mostly")
    args_keys = ("column", "maximum_length")


class ColumnValuesMatchPattern(_ColumnMetric):
    """Whole texts match a regular expression."""

    condition_metric_name = "column_values.yishu_match_pattern"
    condition_value_keys = ("pattern",)
    predicate = staticmethod(masks.matches)


class ExpectColumnValuesToMatchPattern(_ColumnExpectation):
    """Expect texts that match a regular expression (RE2 syntax) from beginning to end."""

    map_metric = "column_values.yishu_match_pattern"
    pattern: str
    success_keys = ("pattern", "mostly")
    args_keys = ("column", "pattern")


class ColumnValuesUnclassified(_ColumnMetric):
    """Texts carry no secrecy mark."""

    condition_metric_name = "column_values.yishu_unclassified"
    predicate = staticmethod(masks.unclassified)


class ExpectColumnValuesToBeUnclassified(_ColumnExpectation):
    """Expect texts without the mark of a state secret, degree and star (S004 Art.2)."""

    map_metric = "column_values.yishu_unclassified"


class ColumnValuesWithin(_ColumnMetric):
    """Numbers are within bounds."""

    condition_metric_name = "column_values.yishu_within"
    condition_value_keys = ("minimum", "maximum")
    predicate = staticmethod(masks.between)


class ExpectColumnValuesToBeWithin(_ColumnExpectation):
    """Expect numbers from ``minimum`` to ``maximum``, both inclusive; None leaves a side open."""

    map_metric = "column_values.yishu_within"
    minimum: float | None = None
    maximum: float | None = None
    success_keys = ("minimum", "maximum", "mostly")
    args_keys = ("column", "minimum", "maximum")


class ColumnValuesRead(_ColumnMetric):
    """Values could be read as their type."""

    condition_metric_name = "column_values.yishu_read"
    predicate = staticmethod(masks.is_true)


class ExpectColumnValuesToHaveBeenRead(_ColumnExpectation):
    """Expect that every given value could be read as its type.

    The column holds the outcome of reading another one: True for read, False for unreadable, null
    where no value was given (see ``expectations.run.frame``).
    """

    map_metric = "column_values.yishu_read"


class ColumnValuesUniqueKey(_ColumnMetric):
    """Keys of one column occur once."""

    condition_metric_name = "column_values.yishu_unique_key"
    condition_value_keys = ("nulls_fail",)

    @staticmethod
    def predicate(values: pa.ChunkedArray, *, nulls_fail: bool) -> masks.Mask:
        """True where no other row has the value; nulls as asked."""
        alone = masks.unique_key([values])
        return alone if nulls_fail else alone | pc.is_null(values).to_numpy()


class ExpectColumnKeyToBeUnique(_ColumnExpectation):
    """Expect values that no other row has; all rows of a doubled value fail.

    ``nulls_fail``: a row without the key fails too, and counts; otherwise it is left out.
    """

    map_metric = "column_values.yishu_unique_key"
    nulls_fail: bool = True
    success_keys = ("nulls_fail", "mostly")
    args_keys = ("column", "nulls_fail")

    def _validate(self, metrics: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        if self.nulls_fail:
            metrics = {**metrics, "column_values.nonnull.unexpected_count": 0}
        return super()._validate(metrics, *args, **kwargs)


# --- a row --------------------------------------------------------------------------------------


class MulticolumnValuesUniqueKey(_RowMetric):
    """Keys are given and occur once."""

    condition_metric_name = "multicolumn_values.yishu_unique_key"
    predicate = staticmethod(masks.unique_key)


class ExpectCompoundKeyToBeUnique(_RowExpectation):
    """Expect keys of several columns, all parts given, that no other row has.

    All rows of a doubled key fail. With ``ignore_row_if="any_value_is_missing"`` rows whose key is
    not fully given are left out instead of failing.
    """

    map_metric = "multicolumn_values.yishu_unique_key"
    ignore_row_if: Literal["any_value_is_missing", "never"] = "never"
    args_keys = ("column_list",)


class MulticolumnValuesNotAfter(_RowMetric):
    """The first value is not after the second."""

    condition_metric_name = "multicolumn_values.yishu_not_after"

    @staticmethod
    def predicate(columns: Sequence[pa.ChunkedArray]) -> masks.Mask:
        """True where the first is before or equal to the second, or one is missing."""
        earlier, later = columns
        return masks.not_after(earlier, later)


class ExpectColumnNotToBeAfter(_RowExpectation):
    """Expect the first column of a row not to be after the second, where both are given."""

    map_metric = "multicolumn_values.yishu_not_after"
    ignore_row_if: Literal["any_value_is_missing", "never"] = "any_value_is_missing"
    args_keys = ("column_list",)
