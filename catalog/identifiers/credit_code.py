"""Unified social credit codes (GB 32100-2015) and the organisation codes in them (GB 11714).

Checked here and not by a library because the common ones want digits in the first two positions
and so refuse every valid code of a rural collective (``N…``) or another body (``Y…``).
"""

import numpy as np

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

WIDTH = 18
ORGANISATION_PART = slice(8, 17)

_CREDIT: Alphabet = {char: i for i, char in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}
"""31 characters: no I, O, S, V, Z (GB 32100-2015)."""

_CREDIT_MODULUS = 31
_ORGANISATION_MODULUS = 11
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECK: Alphabet = {**DIGITS, "X": 10}


def credit_columns() -> list[Alphabet]:
    """The 18 positions: registrar and kind, six digits of region, body, check character.

    The check character completes the weighted sum to a multiple of 31, so its weight is 1.
    """
    columns = []
    for position in range(WIDTH - 1):
        weight = pow(3, position, _CREDIT_MODULUS)
        is_region = 2 <= position < 8  # noqa: PLR2004 - GB 32100 positions 3 to 8
        alphabet = {c: v for c, v in _CREDIT.items() if c.isdigit()} if is_region else _CREDIT
        columns.append(weighted(alphabet, weight, _CREDIT_MODULUS))
    return [*columns, weighted(_CREDIT, 1, _CREDIT_MODULUS)]


_credit = LinearCheck(credit_columns(), _CREDIT_MODULUS)
_organisation = LinearCheck(
    [weighted(ALPHANUMERIC, w, _ORGANISATION_MODULUS) for w in _ORGANISATION_WEIGHTS]
    + [weighted(_ORGANISATION_CHECK, 1, _ORGANISATION_MODULUS)],
    _ORGANISATION_MODULUS,
)


def is_valid(values: Matrix) -> Mask:
    """Whether each row is a unified social credit code with the right check character.

    The organisation code inside is not checked: ``has_valid_organisation`` does, and codes that
    were handed out without it are in use.
    """
    return _credit(values)


def is_valid_organisation(values: Matrix) -> Mask:
    """Whether each row of nine characters is an organisation code (GB 11714)."""
    return _organisation(values)


def has_valid_organisation(values: Matrix) -> Mask:
    """Whether characters 9 to 17 of each credit code are a valid organisation code."""
    if values.shape[1] != WIDTH:
        return np.zeros(len(values), dtype=np.bool_)
    return _organisation(values[:, ORGANISATION_PART])


def check_uscc(text: str) -> bool:
    """Whether a text is a unified social credit code."""
    value = row(text)
    return value is not None and bool(is_valid(value)[0])


def check_organisation_code(text: str) -> bool:
    """Whether a text of nine characters, without a hyphen, is an organisation code."""
    value = row(text)
    return value is not None and bool(is_valid_organisation(value)[0])
