"""Every identifier rule against known right and wrong values, through its expectation class."""

import random
import string
from datetime import date

import pyarrow as pa
import pytest
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_37_36

from catalog.vocabulary import ItemFormat
from expectations import masks
from expectations.kinds import CheckKind

CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LICENCE = "1.2.156.3005.2.11100000000013338W011.{}.{}"

RIGHT = {
    ItemFormat.USCC: [
        "113202009999999999",
        "123202009999999983",
        "91320200MA9999999B",
        "51320200999999997Y",
        "N2320205MF9999999D",
    ],
    ItemFormat.RESIDENT_ID: [
        "11010519491231002X",
        "320205199001010015",
        "32021119851231999X",
        "320281200002291236",
    ],
    ItemFormat.LICENCE_IDENTIFIER: [
        LICENCE.format("11430000006122244L.20230000403.001", "U"),
        LICENCE.format("113202009999999999.20260000001.001", "3"),
    ],
    ItemFormat.BASIC_CODE: ["370117002011", "442199806003", "000118002000"],
    ItemFormat.IMPLEMENTATION_CODE: [
        "11370800MB285591843370117002011",
        "12441500196720244T3442199806003",
    ],
    ItemFormat.HANDLING_ITEM_CODE: ["11370800MB28559184337011700201101"],
    ItemFormat.PASSPORT: ["E12345678", "EA1234567", "G12345678", "AB123456", "123456789"],
    ItemFormat.TRAVEL_PERMIT: ["H12345678", "M1234567801", "12345678"],
    ItemFormat.RESIDENCE_CARD: ["USA110123456789", "911124198108030024"],
    ItemFormat.MOBILE_PHONE: ["13800000000", "19912345678"],
    ItemFormat.FIXED_PHONE: ["0510-81234567", "051081234567", "010-12345678", "0510-8123456"],
    ItemFormat.POSTCODE: ["214000"],
    ItemFormat.REGION_CODE: ["320200", "320205", "320290", "320202", "500151", "441322"],
    ItemFormat.ORGANISATION_CODE: ["MA9999996", "999999998"],
}
WRONG = {
    ItemFormat.USCC: ["113202009999999998", "91320200MA9999999I", "913202O0MA9999999B", "9132020"],
    ItemFormat.RESIDENT_ID: [
        "11010519491231002x",
        "320281199902291236",
        "990101199001010015",
        "32020519900101001",
    ],
    ItemFormat.LICENCE_IDENTIFIER: [
        LICENCE.format("11430000006122244L.20230000403.001", "V"),
        LICENCE.format("11430000006122244L.20230000403.01", "U"),
        "1.2.156.3005.3.11100000000013338W011.113202009999999999.20260000001.001.3",
    ],
    ItemFormat.BASIC_CODE: ["37011700201", "3701170020111", "990117002011"],
    ItemFormat.IMPLEMENTATION_CODE: [
        "11370800MB285591843370117002",
        "11370800MB285591853370117002011",
        "11370800MB285591849370117002011",
    ],
    ItemFormat.HANDLING_ITEM_CODE: ["11370800MB2855918433701170020110", "1" * 33],
    ItemFormat.PASSPORT: ["E1234", "ABCDEFGH", "E123456789012", "E1234567中", "e12345678"],
    ItemFormat.TRAVEL_PERMIT: ["K12345678", "H1234567", "1234567", "H123456789"],
    ItemFormat.RESIDENCE_CARD: ["911124198108030025", "811124198108030024", "US1110123456789"],
    ItemFormat.MOBILE_PHONE: ["12800000000", "1380000000", "+8613800000000"],
    ItemFormat.FIXED_PHONE: ["81234567", "0510-01234567", "10-12345678", "0510 81234567"],
    ItemFormat.POSTCODE: ["21400", "2140OO", "２１４０００"],
    ItemFormat.REGION_CODE: ["3202", "990200", "32020A"],
    ItemFormat.ORGANISATION_CODE: ["MA9999995", "MA999999", "999999999"],
}


def test_every_format_has_right_and_wrong_values():
    assert set(RIGHT) == set(WRONG) == set(ItemFormat)


@pytest.mark.requirement("SUB-13", "SUB-14")
@pytest.mark.parametrize("shape", ItemFormat)
def test_right_values_pass_wrong_ones_fail_and_none_is_right(failing, shape):
    values = [*RIGHT[shape], *WRONG[shape], None]
    first = len(RIGHT[shape])
    expected = list(range(first, first + len(WRONG[shape])))
    assert failing(CheckKind.FORMAT, {"value": values}, format=shape) == expected


@pytest.mark.requirement("SUB-14")
def test_nobody_is_born_after_the_delivery(failing):
    values = {"id_number": ["320281200002291236", "11010519491231002X"]}
    args = {"format": ItemFormat.RESIDENT_ID, "not_after": date(2000, 2, 28)}
    assert failing(CheckKind.FORMAT, values, **args) == [0]


@pytest.mark.requirement("SUB-13")
def test_a_lenient_licence_identifier_keeps_its_check_character(failing):
    body = "11100000000013338W011" + "320200" + "A1-B2".replace("-", "") + "001"
    good = (
        f"1.2.156.3005.2.11100000000013338W011.320200.A1-B2.001.{mod_37_36.calc_check_digit(body)}"
    )
    bad = good[:-1] + ("0" if good[-1] != "0" else "1")
    args = {"format": ItemFormat.LICENCE_IDENTIFIER}
    assert failing(CheckKind.FORMAT, {"v": [good, bad]}, **args) == [0, 1]
    assert failing(CheckKind.FORMAT, {"v": [good, bad]}, **args, strict=False) == [1]


def test_legacy_item_codes_are_right_under_their_scheme_alone(failing):
    args = {"scheme": "legacy"}
    codes = {"c": ["GZ12345678", "370117002011"]}
    assert failing(CheckKind.FORMAT, codes, format=ItemFormat.BASIC_CODE, **args) == [1]
    cut = "11370800MB285591843370117002011"[:24]
    codes = {"c": ["GZ1234567890123456789012", cut]}
    assert failing(CheckKind.FORMAT, codes, format=ItemFormat.IMPLEMENTATION_CODE, **args) == [1]


def test_the_organisation_code_inside_is_judged_apart_from_the_code(failing):
    values = ["91320200MA9999999B", "91320200MA99999962", "not a code at all", None]
    assert failing(CheckKind.ORGANISATION, {"uscc": values}) == [0]


def _random_codes(number):
    dice = random.Random(20261125)  # noqa: S311  repeatable on purpose
    for _ in range(number):
        body = "".join(dice.choices(string.digits, k=8)) + "".join(dice.choices(CREDIT, k=9))
        yield body + dice.choice(CREDIT)
        yield body + uscc.calc_check_digit(body)


def _ours(shape, texts):
    return masks.follows(pa.chunked_array([pa.array(texts)]), shape).tolist()


def test_credit_codes_agree_with_python_stdnum_where_it_knows_them():
    texts = list(_random_codes(2_000))
    assert _ours(ItemFormat.USCC, texts) == [uscc.is_valid(text) for text in texts]


def test_resident_numbers_agree_with_python_stdnum():
    dice = random.Random(7)  # noqa: S311  repeatable on purpose
    bodies = [
        f"110105{dice.randint(1900, 2020)}{dice.randint(0, 1400):04d}{dice.randint(0, 999):03d}"
        for _ in range(2_000)
    ]
    texts = [body + (ric.calc_check_digit(body) if dice.random() < 0.7 else "5") for body in bodies]
    assert _ours(ItemFormat.RESIDENT_ID, texts) == [ric.is_valid(text) for text in texts]


def test_licence_check_characters_agree_with_python_stdnum():
    dice = random.Random(11)  # noqa: S311  repeatable on purpose
    for _ in range(200):
        serial = "".join(dice.choices(string.digits, k=11))
        body = f"11100000000013338W011113202009999999999{serial}001"
        good = mod_37_36.calc_check_digit(body)
        dotted = f"1.2.156.3005.2.11100000000013338W011.113202009999999999.{serial}.001."
        assert _ours(ItemFormat.LICENCE_IDENTIFIER, [dotted + good]) == [True]
