"""Codes of government service items: basic code, implementation code, handling item code.

The national scheme has 12, 31 and 33 characters; older provincial schemes have 10 and 24
(GB/T 39046-2020). The text of GB/T 39554.1-2020 was not at hand: only what three real codes and
public item libraries agree on is checked.
"""

from enum import StrEnum

import numpy as np

from catalog.identifiers.credit_code import check_uscc, credit_columns
from catalog.identifiers.matrix import (
    ALPHANUMERIC,
    DIGITS,
    Alphabet,
    LinearCheck,
    Mask,
    Matrix,
    row,
    weighted,
)
from catalog.identifiers.resident_id import PROVINCES


class CodeScheme(StrEnum):
    """Which lengths a city's item codes have."""

    NATIONAL_2018 = "national_2018"
    LEGACY = "legacy"


_CREDIT_WIDTH = 18
_MODULUS = 31
_REGIONS = PROVINCES | {"00"}
"""A basic code starts with its province, or with 00 for a national item."""

_LEVELS: Alphabet = dict.fromkeys("1234567", 0)
"""Levels of exercise, GB/T 39046-2020 A.2."""

_digit = weighted(DIGITS)
_any = weighted(ALPHANUMERIC)
_implementation_columns = [*credit_columns(), _LEVELS, *[_digit] * 12]
_region_at = {_CREDIT_WIDTH + 1: _REGIONS}

_basic = LinearCheck([_digit] * 12, pairs={0: _REGIONS})
_implementation = LinearCheck(_implementation_columns, _MODULUS, pairs=_region_at)
_handling = LinearCheck([*_implementation_columns, *[_digit] * 2], _MODULUS, pairs=_region_at)
_legacy_basic = LinearCheck([_any] * 10)
_legacy_implementation = LinearCheck([_any] * 24)
_cut_implementation = LinearCheck(_implementation_columns[:24], _MODULUS, pairs=_region_at)


def is_valid_basic(values: Matrix, scheme: CodeScheme = CodeScheme.NATIONAL_2018) -> Mask:
    """Whether each row is a basic code (基本编码)."""
    return _legacy_basic(values) if scheme is CodeScheme.LEGACY else _basic(values)


def is_valid_implementation(values: Matrix, scheme: CodeScheme = CodeScheme.NATIONAL_2018) -> Mask:
    """Whether each row is an implementation code (实施编码).

    National: credit code of the implementing body, level, basic code. Under the legacy scheme a
    national code that some system cut to 24 characters is refused: it looks like a legacy code.
    """
    if scheme is CodeScheme.NATIONAL_2018:
        return _implementation(values)
    return _legacy_implementation(values) & ~_cut_implementation(values)


def is_valid_handling(values: Matrix) -> Mask:
    """Whether each row is a handling item code (业务办理项编码): implementation code + 2 digits."""
    return _handling(values)


def check_basic_code(text: str, scheme: CodeScheme = CodeScheme.NATIONAL_2018) -> bool:
    """Whether a text is a basic code of the scheme."""
    value = row(text)
    return value is not None and bool(is_valid_basic(value, scheme)[0])


def check_implementation_code(text: str, scheme: CodeScheme = CodeScheme.NATIONAL_2018) -> bool:
    """Whether a text is an implementation code of the scheme."""
    value = row(text)
    return value is not None and bool(is_valid_implementation(value, scheme)[0])


def check_handling_item_code(text: str) -> bool:
    """Whether a text is a handling item code."""
    value = row(text)
    return value is not None and bool(np.all(is_valid_handling(value)))


def implementation_code_fault(text: str) -> str | None:
    """Which segment of an implementation code is wrong, first one first; None: it is right.

    Args:
        text: The code, 18 characters of credit code, one of level, 12 of basic code.
    """
    width = _implementation.width
    if len(text) != width:
        return f"length {len(text)} instead of {width}"
    body, level, basic = (
        text[:_CREDIT_WIDTH],
        text[_CREDIT_WIDTH],
        text[_CREDIT_WIDTH + 1 :],
    )
    if not check_uscc(body):
        return f"credit code of the implementing body, characters 1 to {_CREDIT_WIDTH}"
    if level not in _LEVELS:
        return f"level, character {_CREDIT_WIDTH + 1}"
    if not check_basic_code(basic):
        return f"basic code, characters {_CREDIT_WIDTH + 2} to {width}"
    return None
