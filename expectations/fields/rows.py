"""Expectations over the columns of a row: keys, order, sums, agreement of codes."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import pyarrow as pa

from expectations import field_masks, guide_rules, masks
from expectations.fields.base import RowExpectation, RowMetric


class MulticolumnValuesUniqueKey(RowMetric):
    """Keys are given and occur once."""

    condition_metric_name = "multicolumn_values.yishu_unique_key"
    predicate = staticmethod(masks.unique_key)


class ExpectCompoundKeyToBeUnique(RowExpectation):
    """Expect keys of several columns, all parts given, that no other row has.

    All rows of a doubled key fail. With ``ignore_row_if="any_value_is_missing"`` rows whose key is
    not fully given are left out instead of failing.
    """

    map_metric = "multicolumn_values.yishu_unique_key"
    ignore_row_if: Literal["any_value_is_missing", "never"] = "never"


class MulticolumnValuesNotAfter(RowMetric):
    """The first value is not after the second."""

    condition_metric_name = "multicolumn_values.yishu_not_after"

    @staticmethod
    def predicate(columns: Sequence[pa.ChunkedArray]) -> masks.Mask:
        """True where the first is before or equal to the second, or one is missing."""
        earlier, later = columns
        return masks.not_after(earlier, later)


class ExpectColumnNotToBeAfter(RowExpectation):
    """Expect the first column of a row not to be after the second, where both are given."""

    map_metric = "multicolumn_values.yishu_not_after"


class MulticolumnSumAtMost(RowMetric):
    """The sum of all columns but the last is not above the last."""

    condition_metric_name = "multicolumn_values.yishu_sum_at_most"
    predicate = staticmethod(field_masks.sum_at_most)


class ExpectSumNotToExceedColumn(RowExpectation):
    """Expect the sum of all columns but the last not to be above the last, a missing part being 0.

    The days of the steps are not more than the promised ones, which are not more than the
    statutory.
    """

    map_metric = "multicolumn_values.yishu_sum_at_most"
    ignore_row_if: Literal["any_value_is_missing", "never"] = "never"


class MulticolumnSexAgrees(RowMetric):
    """Sex code and resident ID number agree."""

    condition_metric_name = "multicolumn_values.yishu_sex_agrees"
    predicate = staticmethod(field_masks.sex_agrees)


class ExpectSexToAgreeWithResidentId(RowExpectation):
    """Expect the sex code (GB/T 2261.1) to agree with digit 17 of the ID number (GB 11643).

    Columns: sex, number. 0 (unknown) and 9 (not stated) agree with either.
    """

    map_metric = "multicolumn_values.yishu_sex_agrees"


class MulticolumnIdFitsType(RowMetric):
    """A document's number follows the rule of its type."""

    condition_metric_name = "multicolumn_values.yishu_id_fits_type"
    predicate = staticmethod(field_masks.id_fits_type)


class ExpectIdNumberToFitType(RowExpectation):
    """Expect document numbers to follow the rule of their type (GA/T 2000.156).

    Columns: type, number. Credit codes, resident IDs, passports, travel permits and residence cards
    have rules; the numbers of other types are all right.
    """

    map_metric = "multicolumn_values.yishu_id_fits_type"


class MulticolumnCodeInForce(RowMetric):
    """A code was in force on the day beside it."""

    condition_metric_name = "multicolumn_values.yishu_code_in_force"
    condition_value_keys = ("periods",)
    predicate = staticmethod(field_masks.valid_on)


class ExpectCodeToBeInForceOn(RowExpectation):
    """Expect codes that were in force on the day beside them: (code, date).

    ``periods``: of codes that are not always in force, the first and the last day (ISO); null
    leaves a side open. A code that has none is always right here: whether the list has it is
    another expectation's matter.
    """

    map_metric = "multicolumn_values.yishu_code_in_force"
    periods: Mapping[str, Sequence[str | None]]
    success_keys: ClassVar[tuple[str, ...]] = ("periods", "mostly")


class MulticolumnGuideRule(RowMetric):
    """A rule of the service guide holds."""

    condition_metric_name = "multicolumn_values.yishu_guide_rule"
    condition_value_keys = ("rule",)

    @staticmethod
    def predicate(columns: Sequence[pa.ChunkedArray], *, rule: str) -> masks.Mask:
        """True where the rule holds."""
        return guide_rules.holds(columns, rule)


class ExpectGuideRuleToHold(RowExpectation):
    """Expect a rule of guide accuracy to hold (办事指南准确度, S001 二(五)).

    ``rule`` names it (``expectations/guide_rules.py``); ``column_list`` has the columns that it
    reads, in its order.
    """

    map_metric = "multicolumn_values.yishu_guide_rule"
    ignore_row_if: Literal["any_value_is_missing", "never"] = "never"
    rule: str
    success_keys: ClassVar[tuple[str, ...]] = ("rule", "mostly")
