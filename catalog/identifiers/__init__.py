"""Check digits and shapes of the field's identifiers, on byte matrices and on single texts.

``is_valid(format, matrix)`` is the fast core: one value a row, all of one width. A text column in
Arrow's layout goes through ``is_valid_column``; a single value through ``check``.
"""

from collections.abc import Callable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from catalog.identifiers import credit_code, item_code, licence, resident_id
from catalog.identifiers.credit_code import check_organisation_code, check_uscc
from catalog.identifiers.item_code import (
    CodeScheme,
    check_basic_code,
    check_handling_item_code,
    check_implementation_code,
)
from catalog.identifiers.licence import check_licence_identifier
from catalog.identifiers.matrix import DIGITS, LinearCheck, Mask, Matrix, by_width, row, weighted
from catalog.identifiers.resident_id import check_resident_id
from catalog.vocabulary import ItemFormat

__all__ = [
    "CodeScheme",
    "check",
    "check_basic_code",
    "check_handling_item_code",
    "check_implementation_code",
    "check_licence_identifier",
    "check_organisation_code",
    "check_resident_id",
    "check_uscc",
    "is_valid",
    "is_valid_column",
]

_digit = weighted(DIGITS)
_mobile_phone = LinearCheck([{"1": 0}, dict.fromkeys("3456789", 0), *[_digit] * 9])
_postcode = LinearCheck([_digit] * 6)

_CHECKS: dict[ItemFormat, Callable[[Matrix], Mask]] = {
    ItemFormat.USCC: credit_code.is_valid,
    ItemFormat.LICENCE_IDENTIFIER: licence.is_valid,
    ItemFormat.BASIC_CODE: item_code.is_valid_basic,
    ItemFormat.IMPLEMENTATION_CODE: item_code.is_valid_implementation,
    ItemFormat.HANDLING_ITEM_CODE: item_code.is_valid_handling,
    ItemFormat.MOBILE_PHONE: _mobile_phone,
    ItemFormat.POSTCODE: _postcode,
}


def is_valid(kind: ItemFormat, values: Matrix, *, not_after: date | None = None) -> Mask:
    """Whether each row of a byte matrix is an identifier of that kind.

    Args:
        kind: The format of the data item.
        values: Shape (rows, width), one ASCII value a row, in canonical spelling (upper case).
        not_after: Last possible birth date in resident identity numbers; None: any.

    Returns:
        A mask of one value a row. A width that the kind does not have passes never.
    """
    if kind is ItemFormat.RESIDENT_ID:
        return resident_id.is_valid(values, not_after)
    return _CHECKS[kind](values)


def is_valid_column(
    kind: ItemFormat,
    data: NDArray[np.uint8],
    offsets: NDArray[np.integer],
    *,
    not_after: date | None = None,
) -> Mask:
    """The same for a text column as Arrow keeps it: bytes, and offsets one more than values.

    A null has no bytes and does not pass: the caller knows the nulls and sets them aside.
    """
    return by_width(lambda values: is_valid(kind, values, not_after=not_after), data, offsets)


def check(kind: ItemFormat, text: str, *, not_after: date | None = None) -> bool:
    """Whether one text is an identifier of that kind."""
    value = row(text)
    return value is not None and bool(is_valid(kind, value, not_after=not_after)[0])
