"""The faults that real departments have: which row gets which, and how a valid row is corrupted.

Each fault goes to a row of its own, so what should become of every row is known exactly without
asking the product. About one row in a hundred is corrupted, at least two for every fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np

from example.chance import Dice, Index


class FaultKind(StrEnum):
    """What is wrong with a row or, for ``extra_column``, with a whole source."""

    WRONG_CHECK_DIGIT = "wrong_check_digit"
    IMPOSSIBLE_DATE = "impossible_date"
    NO_END_DATE = "no_end_date"
    NULL_SPELLING = "null_spelling"
    LOWER_CASE = "lower_case"
    FULL_WIDTH = "full_width"
    THOUSANDS_COMMAS = "thousands_commas"
    DUPLICATE_KEY = "duplicate_key"
    UNKNOWN_CODE = "unknown_code"
    MISSING_VALUE = "missing_value"
    WRONG_ORDER = "wrong_order"
    OUT_OF_SCOPE = "out_of_scope"
    DIFFERING_COPY = "differing_copy"
    DANGLING_LINK = "dangling_link"
    DEAD_LINK = "dead_link"
    BEYOND_GUIDE = "beyond_guide"
    EXPIRED_CODE = "expired_code"
    EXTRA_COLUMN = "extra_column"


class Outcome(StrEnum):
    """What a good pipeline makes of a faulty row.

    ``not_linked``: published in the entry's own table, but no source of its subject.
    ``reported``: published as it is, and somebody is told.
    """

    QUARANTINED = "quarantined"
    REPAIRED = "repaired"
    NOT_LINKED = "not_linked"
    REPORTED = "reported"


TEXT_KINDS = frozenset(
    {
        FaultKind.IMPOSSIBLE_DATE,
        FaultKind.NO_END_DATE,
        FaultKind.NULL_SPELLING,
        FaultKind.LOWER_CASE,
        FaultKind.FULL_WIDTH,
        FaultKind.THOUSANDS_COMMAS,
    }
)
"""Faults of spelling: only a column that the source keeps as text can have them."""


@dataclass(frozen=True)
class Fault:
    """A fault that an entry has.

    Attributes:
        kind: What is wrong.
        field: Field name of the item, or the new column for ``extra_column``.
        outcome: What should become of the row.
        check: Kind of check that should fail; empty if none should.
        value: What is written, for an unknown or expired code, a wrong scope or a material beyond
            the guide; the file that is not there, for a dead link.
        earlier: For ``wrong_order``, the field that ``field`` will lie before.
    """

    kind: FaultKind
    field: str
    outcome: Outcome
    check: str = ""
    value: str = ""
    earlier: str = ""


def check_digit(field: str) -> Fault:
    """The last character of an identifier is wrong."""
    return Fault(FaultKind.WRONG_CHECK_DIGIT, field, Outcome.QUARANTINED, "format")


def impossible_date(field: str) -> Fault:
    """A text date that no calendar has."""
    return Fault(FaultKind.IMPOSSIBLE_DATE, field, Outcome.QUARANTINED, "readable")


def no_end(field: str, *, open_ended: bool = True) -> Fault:
    """``9999-9-9``: no end where an end may be open, nonsense elsewhere."""
    if open_ended:
        return Fault(FaultKind.NO_END_DATE, field, Outcome.REPAIRED)
    return Fault(FaultKind.NO_END_DATE, field, Outcome.QUARANTINED, "readable")


def null_spelling(field: str, *, nullable: bool) -> Fault:
    """The words that stand for "no value"."""
    if nullable:
        return Fault(FaultKind.NULL_SPELLING, field, Outcome.REPAIRED)
    return Fault(FaultKind.NULL_SPELLING, field, Outcome.QUARANTINED, "present")


def respelt(kind: FaultKind, field: str) -> Fault:
    """A spelling that is repaired: letter case, width or thousands commas."""
    return Fault(kind, field, Outcome.REPAIRED)


def duplicate(key: str) -> Fault:
    """The key occurs twice; nobody knows which row is right, so all of them are set apart."""
    return Fault(FaultKind.DUPLICATE_KEY, key, Outcome.QUARANTINED, "unique")


def unknown_code(field: str, value: str) -> Fault:
    """A code that its code list does not have."""
    return Fault(FaultKind.UNKNOWN_CODE, field, Outcome.QUARANTINED, "code_list", value)


def expired_code(field: str, value: str) -> Fault:
    """A code that its code list has, but not any more on the day of the row."""
    return Fault(FaultKind.EXPIRED_CODE, field, Outcome.QUARANTINED, "valid_on", value)


def missing(field: str) -> Fault:
    """A mandatory value is not there."""
    return Fault(FaultKind.MISSING_VALUE, field, Outcome.QUARANTINED, "present")


def wrong_order(earlier: str, later: str) -> Fault:
    """The later date lies before the earlier one."""
    return Fault(FaultKind.WRONG_ORDER, later, Outcome.QUARANTINED, "ordered", earlier=earlier)


def out_of_scope(field: str, value: str) -> Fault:
    """A valid code for which this entry is not the source."""
    return Fault(FaultKind.OUT_OF_SCOPE, field, Outcome.NOT_LINKED, value=value)


def differing_copy(field: str) -> Fault:
    """A second-hand copy that says something else than its source."""
    return Fault(FaultKind.DIFFERING_COPY, field, Outcome.REPORTED, "copy")


def no_such(field: str) -> Fault:
    """A well-formed code that points to nothing: no code of the city ends in 999."""
    return Fault(FaultKind.DANGLING_LINK, field, Outcome.REPORTED, "link")


def dead_link(field: str, file: str) -> Fault:
    """A guide names a form that no file has."""
    return Fault(FaultKind.DEAD_LINK, field, Outcome.REPORTED, "form", file)


def beyond_guide(field: str, material: str) -> Fault:
    """A case is asked for a material that no guide asks for."""
    return Fault(FaultKind.BEYOND_GUIDE, field, Outcome.REPORTED, "beyond_guide", material)


def extra_column(column: str) -> Fault:
    """The source has a column that the catalog does not list."""
    return Fault(FaultKind.EXTRA_COLUMN, column, Outcome.REPORTED, "drift")


@dataclass(frozen=True)
class Plan:
    """Which rows of a table get which fault: ``kinds[i]`` is the fault number of ``rows[i]``."""

    rows: Index
    kinds: Index

    def between(self, start: int, stop: int) -> "Plan":
        """The part of the plan for rows ``start`` to ``stop - 1``."""
        begin, end = np.searchsorted(self.rows, [start, stop])
        return Plan(self.rows[begin:end], self.kinds[begin:end])


def plan_rows(dice: Dice, rows: int, faults: int) -> Plan:
    """Distinct, ascending rows for ``faults`` kinds of faults, the same number for each kind.

    One row is drawn from each of equally long stretches of the table, so no row is drawn twice.
    """
    each = max(2, rows // 100 // max(faults, 1))
    total = each * faults
    if total * 2 > rows:
        raise ValueError(f"{rows} rows cannot hold {total} faulty ones; make the city larger")
    stretches = np.arange(total, dtype=np.int64)
    borders = stretches * rows // max(total, 1)
    lengths = (stretches + 1) * rows // max(total, 1) - borders
    offsets = (dice.throw("fault", stretches) % lengths.astype(np.uint64)).astype(np.int64)
    return Plan(borders + offsets, stretches % max(faults, 1))


_WIDE = {ord(narrow): ord(narrow) + 0xFEE0 for narrow in "0123456789"}
_CHECKS = "0123456789X"
_NULLS = ("\\n", "NULL")
_IMPOSSIBLE = ("2023-02-30", "2021-13-01", "20230431")


def _next_check(value: str) -> str:
    """Another last character; every identifier of the city may end in a digit or in X."""
    return value[:-1] + _CHECKS[(_CHECKS.find(value[-1]) + 1) % len(_CHECKS)]


def _commas(value: str) -> str:
    whole, point, rest = value.partition(".")
    return f"{int(whole):,}{point}{rest}"


_WRITTEN = frozenset(
    {
        FaultKind.UNKNOWN_CODE,
        FaultKind.EXPIRED_CODE,
        FaultKind.OUT_OF_SCOPE,
        FaultKind.BEYOND_GUIDE,
    }
)
"""Faults whose value is written as it is."""

_Spell = Callable[[str, int], str | None]

_SPELLINGS: dict[FaultKind, _Spell] = {
    FaultKind.WRONG_CHECK_DIGIT: lambda value, _: _next_check(value),
    FaultKind.IMPOSSIBLE_DATE: lambda _, turn: _IMPOSSIBLE[turn % len(_IMPOSSIBLE)],
    FaultKind.NO_END_DATE: lambda _value, _turn: "9999-9-9",
    FaultKind.NULL_SPELLING: lambda _, turn: _NULLS[turn % len(_NULLS)],
    FaultKind.LOWER_CASE: lambda value, _: value.lower(),
    FaultKind.FULL_WIDTH: lambda value, _: value.translate(_WIDE),
    FaultKind.THOUSANDS_COMMAS: lambda value, _: _commas(value),
    FaultKind.MISSING_VALUE: lambda _value, _turn: None,
    FaultKind.DIFFERING_COPY: lambda value, _: f"{value}（旧）",
    FaultKind.DANGLING_LINK: lambda value, _: f"{value[:-3]}999",
}


def corrupt(fault: Fault, value: Any, earlier: date | None, turn: int) -> Any:
    """What is written instead of a valid value.

    Args:
        fault: The fault; neither a duplicate key nor an extra column, which change no value.
        value: The valid value, as text unless the column is typed.
        earlier: The date or time that a wrongly ordered value will lie before.
        turn: Number of the row; takes turns between ways to write the same fault.
    """
    if fault.kind in _WRITTEN:
        return fault.value
    if fault.kind is FaultKind.DEAD_LINK:
        return value.replace(fault.value, f"moved_{fault.value}")
    if fault.kind is FaultKind.WRONG_ORDER:
        return None if earlier is None else earlier - timedelta(days=30)
    return _SPELLINGS[fault.kind](value, turn)


def becomes(fault: Fault, value: Any) -> Any:
    """What a repaired value should read: the valid one, no value, or the last day of all."""
    if fault.kind is FaultKind.NULL_SPELLING:
        return None
    return "9999-12-31" if fault.kind is FaultKind.NO_END_DATE else value
