"""Identifiers: published and computed vectors, every position guarded, agreement with stdnum."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_37_36

from catalog import identifiers
from catalog.identifiers import (
    CodeScheme,
    check_basic_code,
    check_handling_item_code,
    check_implementation_code,
    check_licence_identifier,
    check_organisation_code,
    check_resident_id,
    check_uscc,
    licence,
)
from catalog.vocabulary import ItemFormat

CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ROOT = "1.2.156.3005.2."

CREDIT_CODES = [
    "113202009999999999",
    "123202009999999983",
    "91320200MA9999999B",
    "51320200999999997Y",
    "N2320205MF9999999D",
    "11370800MB28559184",
    "12441500196720244T",
]
RESIDENT_IDS = [
    "11010519491231002X",
    "320205199001010015",
    "32021119851231999X",
    "320281200002291236",
]
LICENCES = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W011.113202009999999999.20260000001.001.3",
]
IMPLEMENTATION_CODES = ["11370800MB285591843370117002011", "12441500196720244T3442199806003"]

VECTORS = {
    ItemFormat.USCC: CREDIT_CODES,
    ItemFormat.RESIDENT_ID: RESIDENT_IDS,
    ItemFormat.LICENCE_IDENTIFIER: LICENCES,
    ItemFormat.IMPLEMENTATION_CODE: IMPLEMENTATION_CODES,
    ItemFormat.HANDLING_ITEM_CODE: [f"{code}01" for code in IMPLEMENTATION_CODES],
    ItemFormat.BASIC_CODE: ["370117002011", "442199806003", "000118002000"],
    ItemFormat.MOBILE_PHONE: ["13800000000", "19900001234"],
    ItemFormat.POSTCODE: ["214000"],
}
PAIRS = [(kind, text) for kind, texts in VECTORS.items() for text in texts]
CHECKED = [
    (kind, text)
    for kind, text in PAIRS
    if kind
    not in (
        ItemFormat.BASIC_CODE,
        ItemFormat.MOBILE_PHONE,
        ItemFormat.POSTCODE,
        ItemFormat.IMPLEMENTATION_CODE,
        ItemFormat.HANDLING_ITEM_CODE,
    )
]


def matrix(texts):
    return np.array([list(text.encode("ascii")) for text in texts], dtype=np.uint8)


def arrow(texts):
    data = "".join(texts).encode("ascii")
    offsets = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int32)
    return np.frombuffer(data, dtype=np.uint8), offsets


@pytest.mark.requirement("SUB-13", "SUB-14")
@pytest.mark.parametrize(("kind", "text"), PAIRS)
def test_vectors_are_valid(kind, text):
    assert identifiers.check(kind, text)


@pytest.mark.parametrize(("kind", "text"), PAIRS)
def test_one_character_more_or_less_is_invalid(kind, text):
    assert not identifiers.check(kind, text[:-1])
    assert not identifiers.check(kind, text + "0")
    assert not identifiers.check(kind, "")


@pytest.mark.requirement("SUB-13", "SUB-14")
@pytest.mark.parametrize(("kind", "text"), CHECKED)
def test_every_changed_character_is_noticed(kind, text):
    """A check digit's whole purpose: no single wrong digit passes, at any position."""
    start = len(ROOT) if kind is ItemFormat.LICENCE_IDENTIFIER else 0
    changed = [
        text[:position] + other + text[position + 1 :]
        for position in range(start, len(text))
        for other in CREDIT
        if text[position] != "." and other != text[position]
    ]
    passed = identifiers.is_valid(kind, matrix(changed))
    assert [one for one, is_valid in zip(changed, passed, strict=True) if is_valid] == []


@pytest.mark.parametrize(
    "text", ["91320200ma9999999b", "９1320200MA9999999B", "9132020OMA9999999B"]
)
def test_spelling_that_is_not_canonical_is_invalid(text):
    assert not check_uscc(text)


def test_a_credit_code_with_letters_in_front_is_valid():
    """Rural collectives have ``N…`` codes; the common library refuses them all."""
    assert check_uscc("N2320205MF9999999D")
    assert not uscc.is_valid("N2320205MF9999999D")


@pytest.mark.parametrize(
    ("code", "is_valid"),
    [("MB2855918", True), ("196720244", True), ("MA9999999", False), ("999999999", False)],
)
def test_organisation_codes(code, is_valid):
    assert check_organisation_code(code) is is_valid


IMPOSSIBLE = {
    "30 February": "32020519900230001",
    "29 February 1900": "32020519000229001",
    "29 February 2023": "32020520230229001",
    "31 April": "32020519900431001",
    "31 June": "32020519900631001",
    "31 September": "32020519900931001",
    "31 November": "32020519901131001",
    "month 13": "32020519901301001",
    "month 0": "32020519900001001",
    "day 0": "32020519900100001",
    "day 32": "32020519900132001",
    "year 1790": "32020517900101001",
    "year 2190": "32020521900101001",
    "no such province": "99020519900101001",
}


@pytest.mark.requirement("SUB-14")
@pytest.mark.parametrize("body", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_right_check_digit_does_not_save_an_impossible_resident_number(body):
    assert not check_resident_id(body + ric.calc_check_digit(f"{body}0"))


@pytest.mark.requirement("SUB-14")
@pytest.mark.parametrize("body", ["32020520000229001", "32020520240229001", "32020519901231001"])
def test_leap_days_and_last_days_are_real(body):
    assert check_resident_id(body + ric.calc_check_digit(f"{body}0"))


def test_a_lower_case_check_character_is_not_canonical():
    assert not check_resident_id("32021119851231999x")


@settings(deadline=None)
@given(
    st.sampled_from(["320205", "320281", "110105"]),
    st.integers(1900, 2026),
    st.integers(1, 12),
    st.integers(1, 31),
    st.integers(0, 999),
)
@pytest.mark.requirement("SUB-14")
def test_resident_numbers_are_valid_exactly_on_real_dates(region, year, month, day, order):
    body = f"{region}{year:04d}{month:02d}{day:02d}{order:03d}"
    number = body + ric.calc_check_digit(f"{body}0")
    try:
        date(year, month, day)
        is_date = True
    except ValueError:
        is_date = False
    assert check_resident_id(number) is is_date


@pytest.mark.requirement("SUB-14")
def test_a_birth_after_the_given_day_is_invalid():
    assert check_resident_id("320281200002291236", not_after=date(2000, 2, 29))
    assert not check_resident_id("320281200002291236", not_after=date(2000, 2, 28))


@settings(deadline=None)
@given(
    st.text("0123456789", min_size=8, max_size=8),
    st.text(CREDIT, min_size=9, max_size=9),
    st.sampled_from(CREDIT),
)
def test_credit_codes_agree_with_stdnum_where_it_can_judge(digits, body, check):
    code = digits + body + check
    assert check_uscc(code) is uscc.is_valid(code)
    right = digits + body + uscc.calc_check_digit(digits + body)
    assert check_uscc(right)


@settings(deadline=None)
@given(st.text(ALPHANUMERIC, min_size=1, max_size=20))
@pytest.mark.requirement("SUB-13")
def test_licence_check_characters_agree_with_stdnum(serial):
    type_, issuer, version = "11100000000013338W011", "113202009999999999", "001"
    check = mod_37_36.calc_check_digit(type_ + issuer + serial + version)
    body = f"{ROOT}{type_}.{issuer}.{serial}.{version}."
    rows = matrix([body + other for other in ALPHANUMERIC])
    expected = [other == check for other in ALPHANUMERIC]
    assert licence.is_valid(rows).tolist() == expected
    assert licence.is_valid(rows, strict=False).tolist() == expected


@pytest.mark.requirement("SUB-13")
@pytest.mark.parametrize(
    "issuer", ["320200", "0B2C4A6E-1F2D-4C3B-9A8B-7C6D5E4F3A2B"], ids=["region", "GUID"]
)
def test_issuers_of_another_shape_pass_only_when_not_strict(issuer):
    body = f"11100000000013338W011.{issuer}.20260000001.001"
    check = mod_37_36.calc_check_digit(body.replace(".", "").replace("-", ""))
    text = f"{ROOT}{body}.{check}"
    assert check_licence_identifier(text, strict=False)
    assert not check_licence_identifier(text)


@pytest.mark.parametrize(
    "text",
    [
        LICENCES[0].replace("1.2.156", "1.2.157"),
        LICENCES[0].replace(".001.", "..001."),
        LICENCES[0].replace(".001.", "001."),
        LICENCES[0][:-2] + LICENCES[0][-1],
    ],
    ids=["another root", "empty segment", "segment missing", "no last dot"],
)
def test_licences_without_five_segments_never_pass(text):
    assert not check_licence_identifier(text)
    assert not check_licence_identifier(text, strict=False)


@pytest.mark.parametrize(
    ("code", "is_valid"),
    [
        ("990117002011", False),
        ("37011700201A", False),
        ("3701170020", False),
    ],
    ids=["no such province", "a letter", "cut to the legacy length"],
)
def test_basic_codes(code, is_valid):
    assert check_basic_code(code) is is_valid


def test_item_codes_of_the_legacy_scheme_have_their_own_lengths():
    assert check_basic_code("GZ00012001", CodeScheme.LEGACY)
    assert check_implementation_code("GZ0001200112345678901234", CodeScheme.LEGACY)
    assert not check_basic_code("370117002011", CodeScheme.LEGACY)
    assert not check_basic_code("GZ00012001")


@pytest.mark.parametrize("code", IMPLEMENTATION_CODES)
def test_a_national_code_cut_to_the_legacy_length_is_refused(code):
    assert not check_implementation_code(code[:24], CodeScheme.LEGACY)
    assert not check_implementation_code(code[:24])


@pytest.mark.parametrize(
    "code",
    [
        "11370800MB285591853370117002011",
        "11370800MB285591848370117002011",
        "11370800MB285591843990117002011",
    ],
    ids=["body's check character", "level 8", "no such province"],
)
def test_implementation_codes_are_checked_segment_by_segment(code):
    assert not check_implementation_code(code)
    assert not check_handling_item_code(f"{code}01")


@pytest.mark.parametrize("text", ["12000000000", "1380000000a", "23800000000"])
def test_mobile_numbers_begin_with_one_and_three_to_nine(text):
    assert not identifiers.check(ItemFormat.MOBILE_PHONE, text)


@pytest.mark.parametrize(("kind", "texts"), VECTORS.items())
def test_a_matrix_gives_one_answer_a_row(kind, texts):
    """More rows than a block, right and wrong ones mixed."""
    right = next(text for text in texts)
    wrong = "Z" + right[1:]
    rows = matrix([right, wrong, right] * 6000)
    assert identifiers.is_valid(kind, rows).tolist() == [True, False, True] * 6000


def test_rows_that_are_not_contiguous_are_read_right():
    rows = matrix([f"{code}??" for code in CREDIT_CODES])[:, :18]
    assert identifiers.is_valid(ItemFormat.USCC, rows).all()
    assert identifiers.is_valid(ItemFormat.USCC, rows[::2]).all()


def test_no_row_gives_no_answer():
    assert identifiers.is_valid(ItemFormat.USCC, np.empty((0, 18), np.uint8)).tolist() == []


def test_a_column_of_mixed_widths_is_judged_value_by_value():
    texts = [CREDIT_CODES[0], "", "1132", CREDIT_CODES[2], CREDIT_CODES[1], "x" * 19]
    answer = identifiers.is_valid_column(ItemFormat.USCC, *arrow(texts))
    assert answer.tolist() == [True, False, False, True, True, False]


def test_a_slice_of_a_column_is_judged_in_its_place():
    data, offsets = arrow([CREDIT_CODES[0], "bad", *CREDIT_CODES[1:3]])
    answer = identifiers.is_valid_column(ItemFormat.USCC, data, offsets[2:])
    assert answer.tolist() == [True, True]


def test_a_column_passes_the_last_birth_date_on():
    data, offsets = arrow(RESIDENT_IDS)
    answer = identifiers.is_valid_column(
        ItemFormat.RESIDENT_ID, data, offsets, identifiers.Leniency(not_after=date(1990, 1, 1))
    )
    assert answer.tolist() == [True, True, True, False]
