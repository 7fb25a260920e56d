"""What can go wrong with a validation run; a bad row is a result, never an exception.

ValidationError
├── PlanImpossible     the entry asks for a check that cannot be made
├── RulebookFaulty     a file of expectations/suites/ breaks its rules
├── TableNotGiven      a check over two tables has no path to the other one
├── RowsDisagree       a column does not have as many rows as the run
└── CheckCrashed       Great Expectations could not evaluate a check
"""

from catalog.errors import YishuError


class ValidationError(YishuError):
    """A validation could not be planned or carried out."""

    code = "VAL_ERROR"


class PlanImpossible(ValidationError):
    """The entry asks for a check that cannot be made, e.g. an order between a date and a text."""

    code = "VAL_PLAN_IMPOSSIBLE"


class RulebookFaulty(ValidationError):
    """A file of ``expectations/suites/`` cannot be read or breaks its rules."""

    code = "VAL_RULEBOOK_FAULTY"


class TableNotGiven(ValidationError):
    """A check over two tables was to be carried out without the path to the other table."""

    code = "VAL_TABLE_NOT_GIVEN"


class RowsDisagree(ValidationError):
    """A column does not have as many rows as the run, so row numbers would mean nothing."""

    code = "VAL_ROWS_DISAGREE"


class CheckCrashed(ValidationError):
    """A check could not be evaluated.

    Only the kind and the place of the cause are told: its message may quote values of persons.
    """

    code = "VAL_CHECK_CRASHED"
