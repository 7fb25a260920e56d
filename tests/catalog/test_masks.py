"""Masks: what stays visible of a value, and nothing more."""

import pytest

from catalog.masks import mask
from catalog.vocabulary import Mask

CASES = [
    (Mask.NONE, "无锡市", "无锡市"),
    (Mask.NAME, "李明", "李*"),
    (Mask.NAME, "李明明", "李**"),
    (Mask.NAME, "李", "*"),
    (Mask.RESIDENT_ID, "320205199001010015", "3202**************"),
    (Mask.RESIDENT_ID, "11010519491231002X", "1101**************"),
    (Mask.RESIDENT_ID, "E1234", "*****"),
    (Mask.PHONE, "18012341999", "180****1999"),
    (Mask.PHONE, "0510-82700000", "*********0000"),
    (Mask.PHONE, "12345", "*****"),
    (Mask.ADDRESS, "江苏省无锡市滨湖区某某路1号201室", "江苏省无锡市滨湖区******"),
    (Mask.ADDRESS, "无锡市江阴市澄江街道小区3号", "无锡市江阴市******"),
    (Mask.ADDRESS, "江阴市澄江街道花园小区3号", "江阴市******"),
    (Mask.ADDRESS, "梁溪区人民路1号", "梁溪区******"),
    (Mask.ADDRESS, "内蒙古自治区某某市某某县一村", "内蒙古自治区某某市某某县******"),
    (Mask.ADDRESS, "人民路1号甲小区", "******"),
    (Mask.FULL, "任何内容", "******"),
    (Mask.FULL, "x", "******"),
]


@pytest.mark.parametrize(("rule", "value", "shown"), CASES)
def test_what_is_shown(rule, value, shown):
    assert mask(value, rule) == shown


@pytest.mark.parametrize("rule", Mask)
def test_an_empty_value_stays_empty(rule):
    assert mask("", rule) == ""
