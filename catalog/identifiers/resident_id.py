"""Resident identity numbers (公民身份号码, GB 11643-1999).

Eighteen characters: six of region, birth date, order (odd: male, even: female), check character.
Region codes are abolished over the years, so only the province is held to the known ones.
"""

from datetime import date

import numpy as np

from catalog.identifiers.matrix import DIGITS, LinearCheck, Mask, Matrix, row, unsigned, weighted

WIDTH = 18

PROVINCES = frozenset(
    str(code)
    for codes in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        (71, 81, 82, 83),
    )
    for code in codes
)
"""First two digits of GB/T 2260; 83: residents from Taiwan with a residence permit."""

_MODULUS = 11
_BIRTH = 6
_MONTH = 10
_DAY = 12


def _number_of(digits: str) -> int:
    """Digits as ``unsigned`` reads them: as one big-endian number."""
    return int.from_bytes(digits.encode("ascii"), "big")


_IMPOSSIBLE_DAYS = [_number_of(day) for day in ("0230", "0231", "0431", "0631", "0931", "1131")]

_number = LinearCheck(
    [weighted(DIGITS, pow(2, 17 - i, _MODULUS), _MODULUS) for i in range(WIDTH - 1)]
    + [weighted({**DIGITS, "X": 10}, 1, _MODULUS)],
    _MODULUS,
    remainder=1,
    pairs={
        0: PROVINCES,
        _BIRTH: frozenset({"18", "19", "20"}),
        _MONTH: frozenset(f"{month:02d}" for month in range(1, 13)),
        _DAY: frozenset(f"{day:02d}" for day in range(1, 32)),
    },
)


def is_valid(values: Matrix, not_after: date | None = None) -> Mask:
    """Whether each row is a resident identity number.

    Args:
        values: One number a row; the check character ``X`` in upper case.
        not_after: The last possible birth date; None leaves the future open.

    Returns:
        True where characters, check character and birth date are right.
    """
    values = np.ascontiguousarray(values)
    passed = _number(values)
    if not passed.any():
        return passed
    late = np.flatnonzero(passed & (unsigned(values, _DAY, 2, ">") >= _number_of("29")))
    days = unsigned(values, _MONTH, 4, ">")[late].astype(np.uint32)
    for impossible in _IMPOSSIBLE_DAYS:
        passed[late[days == impossible]] = False
    leap_day = late[days == _number_of("0229")]
    passed[leap_day] = _is_leap_year(values[leap_day])
    if not_after is not None:
        passed &= unsigned(values, _BIRTH, 8, ">") <= _number_of(f"{not_after:%Y%m%d}")
    return passed


def _is_leap_year(values: Matrix) -> Mask:
    """Whether the birth year is a leap year, for rows whose digits are known to be digits."""
    digits = (values[:, _BIRTH:_MONTH] - ord("0")).astype(np.int64)
    year = digits @ np.array([1000, 100, 10, 1])
    is_leap: Mask = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return is_leap


def check_resident_id(text: str, not_after: date | None = None) -> bool:
    """Whether a text is a resident identity number; ``not_after`` as in ``is_valid``."""
    value = row(text)
    return value is not None and bool(is_valid(value, not_after)[0])
