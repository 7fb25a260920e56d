"""Shapes of passports, travel permits, residence permits, fixed phones and region codes.

Of these only the eighteen-digit permanent residence card has a check character that is public (it
is that of GB 11643). The others are held to their characters and widths.
"""

from collections.abc import Mapping

import numpy as np

from catalog.identifiers.matrix import (
    ALPHANUMERIC,
    DIGITS,
    Alphabet,
    LinearCheck,
    Mask,
    Matrix,
    weighted,
)
from catalog.identifiers.resident_id import PROVINCES

_MODULUS = 11

_digit = weighted(DIGITS)
_letter: Alphabet = {char: 0 for char in ALPHANUMERIC if char.isalpha()}
_any = weighted(ALPHANUMERIC)
_nonzero: Alphabet = dict.fromkeys("123456789", 0)
_zero: Alphabet = {"0": 0}
_hyphen: Alphabet = {"-": 0}

_SHORTEST_PASSPORT, _LONGEST_PASSPORT = 6, 9
"""ICAO Doc 9303: a document number has at most nine characters."""


class ByWidth:
    """A check for each width that a format has; another width never passes."""

    def __init__(self, *checks: LinearCheck) -> None:
        self._checks: Mapping[int, tuple[LinearCheck, ...]] = {
            width: tuple(check for check in checks if check.width == width)
            for width in {check.width for check in checks}
        }

    def __call__(self, values: Matrix) -> Mask:
        """True for each row that one of the checks of its width passes."""
        passed = np.zeros(len(values), dtype=np.bool_)
        for check in self._checks.get(values.shape[1], ()):
            passed |= check(values)
        return passed


_passport = ByWidth(
    *(LinearCheck([_any] * width) for width in range(_SHORTEST_PASSPORT, _LONGEST_PASSPORT + 1))
)


def is_valid_passport(values: Matrix) -> Mask:
    """Whether each row can be a passport number: six to nine letters and digits, with a digit."""
    has_digit: Mask = np.less(values - np.uint8(ord("0")), 10).any(axis=1)
    return _passport(values) & has_digit


is_valid_travel_permit = ByWidth(
    LinearCheck([dict.fromkeys("HM", 0), *[_digit] * 8]),
    LinearCheck([dict.fromkeys("HM", 0), *[_digit] * 10]),
    LinearCheck([_digit] * 8),
)
"""Permits of residents of Hong Kong and Macao (H, M and eight digits, older ones with two more for
the issue) and of Taiwan (eight digits) for travel to the mainland."""

is_valid_residence_card = ByWidth(
    LinearCheck([*[_letter] * 3, *[_digit] * 12]),
    LinearCheck(
        [{"9": pow(2, 17, _MODULUS) * 9 % _MODULUS}]
        + [weighted(DIGITS, pow(2, 17 - i, _MODULUS), _MODULUS) for i in range(1, 17)]
        + [weighted({**DIGITS, "X": 10}, 1, _MODULUS)],
        _MODULUS,
        remainder=1,
    ),
)
"""Foreigners' permanent residence cards: three letters and twelve digits, or since 2023 eighteen
characters that begin with 9 and end with the check character of GB 11643."""

is_valid_fixed_phone = ByWidth(
    *(
        LinearCheck([_zero, _nonzero, *[_digit] * area, *joint, _nonzero, *[_digit] * local])
        for area in (1, 2)
        for local in (6, 7)
        for joint in ([], [_hyphen])
    )
)
"""Area code of three or four digits with its zero, seven or eight digits, a hyphen or none."""

is_valid_region = LinearCheck([_digit] * 6, pairs={0: PROVINCES})
"""Six digits below a province of GB/T 2260; which of them exist, local zones among them, and when,
is the matter of a code list."""
