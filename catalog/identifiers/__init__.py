"""Check digits and shapes of the field's identifiers, on byte matrices and on single texts.

``is_valid(format, matrix)`` is the fast core: one value a row, all of one width. A text column in
Arrow's layout goes through ``is_valid_column``; a single value through ``check``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from catalog.identifiers import credit_code, documents, item_code, licence, resident_id
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
    "BY_THE_STANDARD",
    "CodeScheme",
    "Leniency",
    "by_width",
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
    ItemFormat.ORGANISATION_CODE: credit_code.is_valid_organisation,
    ItemFormat.HANDLING_ITEM_CODE: item_code.is_valid_handling,
    ItemFormat.PASSPORT: documents.is_valid_passport,
    ItemFormat.TRAVEL_PERMIT: documents.is_valid_travel_permit,
    ItemFormat.RESIDENCE_CARD: documents.is_valid_residence_card,
    ItemFormat.FIXED_PHONE: documents.is_valid_fixed_phone,
    ItemFormat.REGION_CODE: documents.is_valid_region,
    ItemFormat.MOBILE_PHONE: _mobile_phone,
    ItemFormat.POSTCODE: _postcode,
}


@dataclass(frozen=True)
class Leniency:
    """What a check lets pass.

    Attributes:
        not_after: Last possible birth date in resident identity numbers; None: any.
        strict: Segment lengths of licence identifiers as in the standard.
        scheme: Which lengths basic and implementation codes have.
    """

    not_after: date | None = None
    strict: bool = True
    scheme: CodeScheme = CodeScheme.NATIONAL_2018


BY_THE_STANDARD = Leniency()


def is_valid(kind: ItemFormat, values: Matrix, leniency: Leniency = BY_THE_STANDARD) -> Mask:
    """Whether each row of a byte matrix is an identifier of that kind.

    Args:
        kind: The format of the data item.
        values: Shape (rows, width), one ASCII value a row, in canonical spelling (upper case).
        leniency: What is let pass besides.

    Returns:
        A mask of one value a row. A width that the kind does not have passes never.
    """
    match kind:
        case ItemFormat.RESIDENT_ID:
            return resident_id.is_valid(values, leniency.not_after)
        case ItemFormat.LICENCE_IDENTIFIER:
            return licence.is_valid(values, strict=leniency.strict)
        case ItemFormat.BASIC_CODE:
            return item_code.is_valid_basic(values, leniency.scheme)
        case ItemFormat.IMPLEMENTATION_CODE:
            return item_code.is_valid_implementation(values, leniency.scheme)
    return _CHECKS[kind](values)


def is_valid_column(
    kind: ItemFormat,
    data: NDArray[np.uint8],
    offsets: NDArray[np.integer],
    leniency: Leniency = BY_THE_STANDARD,
) -> Mask:
    """The same for a text column as Arrow keeps it: bytes, and offsets one more than values.

    A null has no bytes and does not pass: the caller knows the nulls and sets them aside.
    """
    return by_width(lambda values: is_valid(kind, values, leniency), data, offsets)


def check(kind: ItemFormat, text: str, leniency: Leniency = BY_THE_STANDARD) -> bool:
    """Whether one text is an identifier of that kind."""
    value = row(text)
    return value is not None and bool(is_valid(kind, value, leniency)[0])
