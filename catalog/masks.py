"""How values are shown outside need-to-know; pure, text in, text out.

No national rule fixes the digits: these are the common conventions, and the careful one where they
differ (six digits of an identity number and its end find a person together with a name).
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.vocabulary import Mask

if TYPE_CHECKING:
    from catalog.model import DataItem

_STAR = "*"
_HIDDEN = _STAR * 6
"""The full mask has one length for all values, so that the length tells nothing."""

_MOBILE = re.compile(r"1\d{10}")
_LINE_END = 4
_ID_START = 4

_WORD = "[^省市区县旗盟州街道镇乡村路号]"
_DISTRICT = re.compile(
    rf"(?:{_WORD}{{2,8}}?(?:省|自治区|特别行政区))?"
    rf"(?:{_WORD}{{1,7}}?(?:市|自治州|地区|盟))?"
    rf"(?:{_WORD}{{1,7}}?(?:自治县|自治旗|县|区|市|旗))?"
)
"""Province, city, district at the beginning of an address; unusual names keep less, never more."""


def mask(value: str, rule: Mask) -> str:
    """The value as it may be shown under the rule; an empty value stays empty."""
    return _RULES[rule](value) if value else value


def _name(value: str) -> str:
    """``李明`` -> ``李*``; a single character is hidden."""
    return value[0] + _STAR * (len(value) - 1) if len(value) > 1 else _STAR


def _resident_id(value: str) -> str:
    """``320205…`` -> ``3202**************``: the city, nothing of birth or order."""
    kept = value[:_ID_START] if len(value) > 2 * _ID_START else ""
    return kept + _STAR * (len(value) - len(kept))


def _phone(value: str) -> str:
    """Mobile numbers keep three and four digits (前三后四), other numbers the last four."""
    if _MOBILE.fullmatch(value):
        return value[:3] + _STAR * 4 + value[-4:]
    if len(value) <= _LINE_END + 2:
        return _STAR * len(value)
    return _STAR * (len(value) - _LINE_END) + value[-_LINE_END:]


def _address(value: str) -> str:
    """Down to the district, the rest hidden whole."""
    found = _DISTRICT.match(value)
    return (found.group() if found else "") + _HIDDEN


_RULES: dict[Mask, Callable[[str], str]] = {
    Mask.NONE: lambda value: value,
    Mask.NAME: _name,
    Mask.RESIDENT_ID: _resident_id,
    Mask.PHONE: _phone,
    Mask.ADDRESS: _address,
    Mask.FULL: lambda _: _HIDDEN,
}


_PERSONAL_IN_TEXT = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\d)"
    r"|(?<!\d)1[3-9]\d{9}(?!\d)"
)
"""A resident ID or a mobile number in the middle of other text."""


def shown(value: str, item: "DataItem") -> str:
    """A value of an item as it may be shown: masked as the item says.

    People write personal data where none belong, so other text loses what looks like an identity
    or mobile number.
    """
    if item.mask is not Mask.NONE:
        return mask(value, item.mask)
    return _PERSONAL_IN_TEXT.sub(_HIDDEN, value)
