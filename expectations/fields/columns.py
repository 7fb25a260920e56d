"""Expectations over one column: codes, texts, dates, amounts, references, keys."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.compatibility.pydantic import Field

from expectations import field_masks, guide_rules, masks
from expectations.fields.base import ColumnExpectation, ColumnMetric
from expectations.wording import vague_words


class ColumnValuesInCodeList(ColumnMetric):
    """Values are codes of a closed list."""

    condition_metric_name = "column_values.yishu_in_code_list"
    condition_value_keys = ("codes",)

    @staticmethod
    def predicate(values: pa.ChunkedArray, *, codes: Sequence[str] | str) -> masks.Mask:
        """True where null or one of the codes."""
        return masks.in_codes(values, codes.split("\n") if isinstance(codes, str) else codes)


class ExpectColumnValuesToBeInCodeList(ColumnExpectation):
    """Expect codes of a code list (代码表).

    ``codes``: a list, or one text with a code a line, which Great Expectations handles faster: a
    list it copies and checks code by code some forty times.
    """

    map_metric = "column_values.yishu_in_code_list"
    codes: list[str] | str
    success_keys = ("codes", "mostly")
    args_keys = ("column", "codes")


class ColumnValuesNotLonger(ColumnMetric):
    """Texts have at most so many characters."""

    condition_metric_name = "column_values.yishu_not_longer"
    condition_value_keys = ("maximum_length",)
    predicate = staticmethod(masks.not_longer)


class ExpectColumnValuesNotToBeLonger(ColumnExpectation):
    """Expect texts of at most ``maximum_length`` characters."""

    map_metric = "column_values.yishu_not_longer"
    maximum_length: int
    success_keys = ("maximum_length", "mostly")
    args_keys = ("column", "maximum_length")


class ColumnValuesMatchPattern(ColumnMetric):
    """Whole texts match a regular expression."""

    condition_metric_name = "column_values.yishu_match_pattern"
    condition_value_keys = ("pattern",)
    predicate = staticmethod(masks.matches)


class ExpectColumnValuesToMatchPattern(ColumnExpectation):
    """Expect texts that match a regular expression (RE2 syntax) from beginning to end."""

    map_metric = "column_values.yishu_match_pattern"
    pattern: str
    success_keys = ("pattern", "mostly")
    args_keys = ("column", "pattern")


class ColumnValuesUnclassified(ColumnMetric):
    """Texts carry no secrecy mark."""

    condition_metric_name = "column_values.yishu_unclassified"
    predicate = staticmethod(masks.unclassified)


class ExpectColumnValuesToBeUnclassified(ColumnExpectation):
    """Expect texts without the mark of a state secret, degree and star (S004 Art.2)."""

    map_metric = "column_values.yishu_unclassified"


class ColumnValuesWithin(ColumnMetric):
    """Numbers are within bounds."""

    condition_metric_name = "column_values.yishu_within"
    condition_value_keys = ("minimum", "maximum")
    predicate = staticmethod(masks.between)


class ExpectColumnValuesToBeWithin(ColumnExpectation):
    """Expect numbers from ``minimum`` to ``maximum``, both inclusive; None leaves a side open."""

    map_metric = "column_values.yishu_within"
    minimum: float | None = None
    maximum: float | None = None
    success_keys = ("minimum", "maximum", "mostly")
    args_keys = ("column", "minimum", "maximum")


class ColumnValuesRead(ColumnMetric):
    """Values could be read as their type."""

    condition_metric_name = "column_values.yishu_read"
    predicate = staticmethod(masks.is_true)


class ExpectColumnValuesToHaveBeenRead(ColumnExpectation):
    """Expect that every given value could be read as its type.

    The column holds the outcome of reading another one: True for read, False for unreadable, null
    where no value was given (see ``expectations.run.frame``).
    """

    map_metric = "column_values.yishu_read"


class ColumnValuesUniqueKey(ColumnMetric):
    """Keys of one column occur once."""

    condition_metric_name = "column_values.yishu_unique_key"
    condition_value_keys = ("nulls_fail",)

    @staticmethod
    def predicate(values: pa.ChunkedArray, *, nulls_fail: bool) -> masks.Mask:
        """True where no other row has the value; nulls as asked."""
        alone = masks.unique_key([values])
        return alone if nulls_fail else alone | pc.is_null(values).to_numpy()


class ExpectColumnKeyToBeUnique(ColumnExpectation):
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


class ColumnValuesDate(ColumnMetric):
    """Texts are days of the calendar."""

    condition_metric_name = "column_values.yishu_date_text"
    condition_value_keys = ("open_ended", "not_after")
    predicate = staticmethod(field_masks.is_date)


class ExpectColumnValuesToBeDates(ColumnExpectation):
    """Expect texts that are days of the calendar, in the spellings that departments use.

    ``open_ended``: ``9999-9-9`` and ``9999-12-31`` mean "no end" and are right. ``not_after``: the
    last day that is right (ISO).
    """

    map_metric = "column_values.yishu_date_text"
    open_ended: bool = False
    not_after: str | None = None
    success_keys = ("open_ended", "not_after", "mostly")
    args_keys = ("column",)


class ColumnValuesMoney(ColumnMetric):
    """Texts are amounts in one unit."""

    condition_metric_name = "column_values.yishu_money_text"
    condition_value_keys = ("unit",)
    predicate = staticmethod(field_masks.is_money)


class ExpectColumnValuesToBeMoney(ColumnExpectation):
    """Expect texts that are amounts, without a unit or with ``unit`` itself (元, 万元).

    ``100元`` where 万元 is meant is wrong by a factor of ten thousand, and so it fails.
    """

    map_metric = "column_values.yishu_money_text"
    unit: str
    success_keys = ("unit", "mostly")
    args_keys = ("column", "unit")


class ColumnValuesNotFuture(ColumnMetric):
    """Dates are not after a day."""

    condition_metric_name = "column_values.yishu_not_future"
    condition_value_keys = ("not_after", "open_ended")
    predicate = staticmethod(field_masks.not_future)


class ExpectColumnValuesNotToBeInTheFuture(ColumnExpectation):
    """Expect dates not after ``not_after`` (ISO); ``open_ended`` lets the year 9999 pass."""

    map_metric = "column_values.yishu_not_future"
    not_after: str
    open_ended: bool = False
    success_keys = ("not_after", "open_ended", "mostly")
    args_keys = ("column", "not_after")


class ColumnValuesExist(ColumnMetric):
    """Values are in a column of another table."""

    condition_metric_name = "column_values.yishu_exist"
    condition_value_keys = ("files", "other_column")

    @staticmethod
    def predicate(
        values: pa.ChunkedArray, *, files: Sequence[str], other_column: str
    ) -> masks.Mask:
        """True where null or in the other table."""
        return field_masks.exists_in(values, files=files, column=other_column)


class ExpectColumnValuesToExistInTable(ColumnExpectation):
    """Expect values that another table has, e.g. the case that a rating names.

    ``files``: the other table's Parquet files; ``other_column``: the column there.
    """

    map_metric = "column_values.yishu_exist"
    files: list[str]
    other_column: str
    success_keys = ("files", "other_column", "mostly")
    args_keys = ("column", "files", "other_column")


class ColumnValuesGuideRule(ColumnMetric):
    """A rule of the service guide about one column holds."""

    condition_metric_name = "column_values.yishu_guide_rule"
    condition_value_keys = ("rule",)

    @staticmethod
    def predicate(values: pa.ChunkedArray, *, rule: str) -> masks.Mask:
        """True where the rule holds; absence may be what it forbids."""
        return guide_rules.holds([values], rule)


class ExpectColumnGuideRuleToHold(ColumnExpectation):
    """Expect a rule of guide accuracy about one column to hold (办事指南准确度, S001 二(五)).

    ``rule`` names it (``expectations/guide_rules.py``).
    """

    map_metric = "column_values.yishu_guide_rule"
    rule: str
    success_keys = ("rule", "mostly")
    args_keys = ("column", "rule")


class ColumnValuesClear(ColumnMetric):
    """Texts have no vague wording."""

    condition_metric_name = "column_values.yishu_clear_wording"
    condition_value_keys = ("words",)
    predicate = staticmethod(field_masks.is_clear)


class ExpectColumnValuesToBeClearlyWorded(ColumnExpectation):
    """Expect texts without vague wording or catch-all clauses (S002 二(一)1(2)).

    ``words``: regular expressions (RE2 syntax); by default those of
    ``expectations/suites/vague_wording.yaml``.
    """

    map_metric = "column_values.yishu_clear_wording"
    words: list[str] = Field(default_factory=vague_words)
    success_keys = ("words", "mostly")
    args_keys = ("column", "words")
