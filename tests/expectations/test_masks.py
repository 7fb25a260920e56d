from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.vocabulary import ItemFormat
from expectations import masks


def text(*values, kind=None):
    return pa.chunked_array([pa.array(values, type=kind or pa.string())])


def rights(mask):
    assert mask.dtype == np.bool_
    return mask.tolist()


FORMATS = {
    ItemFormat.USCC: ("91320200MA9999999B", "N2320205MF9999999D", "91320200MA9999999C"),
    ItemFormat.RESIDENT_ID: ("11010519491231002X", "320281200002291236", "320281199902291236"),
    ItemFormat.LICENCE_IDENTIFIER: (
        "1.2.156.3005.2.11100000000013338W011.113202009999999999.20260000001.001.3",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.V",
    ),
    ItemFormat.BASIC_CODE: ("370117002011", "442199806003", "37011700201A"),
    ItemFormat.IMPLEMENTATION_CODE: (
        "11370800MB285591843370117002011",
        "12441500196720244T3442199806003",
        "12441500196720244X3442199806003",
    ),
    ItemFormat.HANDLING_ITEM_CODE: (
        "11370800MB28559184337011700201101",
        "12441500196720244T344219980600302",
        "12441500196720244T34421998060030A",
    ),
    ItemFormat.MOBILE_PHONE: ("13800000000", "19912345678", "12000000000"),
    ItemFormat.POSTCODE: ("214000", "100000", "2140OO"),
    ItemFormat.ORGANISATION_CODE: ("MA9999996", "999999998", "MA9999995"),
    ItemFormat.REGION_CODE: ("320200", "320290", "990000"),
}


@pytest.mark.parametrize("shape", FORMATS)
def test_format(shape):
    """Two right values, a wrong one, a shorter, a longer, an empty one, Chinese, and none."""
    good, other, bad = FORMATS[shape]
    values = text(good, other, bad, good[:-1], good + "0", "", "无锡市江苏省", None)
    assert rights(masks.follows(values, shape)) == [True, True, *[False] * 5, True]


def test_format_of_a_column_of_one_width_without_nulls():
    values = text("91320200MA9999999B", "91320200MA9999999C", "51320200999999997Y")
    assert rights(masks.follows(values, ItemFormat.USCC)) == [True, False, True]


def test_format_sees_every_chunk_and_slice_once():
    good, bad = "214000", "21400X"
    chunk = pa.array([bad, good, good, bad]).slice(1)
    values = pa.chunked_array([chunk, pa.array([], pa.string()), chunk])
    assert rights(masks.follows(values, ItemFormat.POSTCODE)) == [True, True, False] * 2


def test_format_of_no_rows():
    assert rights(masks.follows(text(), ItemFormat.USCC)) == []


def test_format_of_more_rows_than_a_slice():
    values = pa.chunked_array([pa.array(["214000"] * masks.SLICE_ROWS + ["21400"])])
    wrong = np.flatnonzero(~masks.follows(values, ItemFormat.POSTCODE))
    assert wrong.tolist() == [masks.SLICE_ROWS]


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_storage_of_texts_does_not_matter(kind):
    values = pa.chunked_array([pa.array(["1", "3", None]).cast(kind)])
    assert rights(masks.in_codes(values, ["1", "2"])) == [True, False, True]


def test_codes_of_numbers_are_compared_as_text():
    assert rights(masks.in_codes(text(1, 3, kind=pa.int64()), ["1", "2"])) == [True, False]


def test_length_counts_characters_not_bytes():
    values = text("无锡市江苏省", "无锡市江苏省区", "", None)
    assert rights(masks.not_longer(values, 6)) == [True, False, True, True]


def test_pattern_must_match_from_beginning_to_end():
    values = text("A1", "B", "A1\n", "xA1", None)
    assert rights(masks.matches(values, "A1|B")) == [True, True, False, False, True]


@pytest.mark.parametrize(
    ("kind", "values", "low", "high", "expected"),
    [
        (pa.int64(), [-1, 0, 10, 11, None], 0, 10, [False, True, True, False, True]),
        (pa.int64(), [0, 1, 2], 0.5, 1.5, [False, True, False]),
        (pa.int64(), [2**53, 2**53 + 1], None, 2.0**53, [True, False]),
        (pa.decimal128(18, 2), [Decimal("-0.01"), Decimal("0.00")], 0, None, [False, True]),
        (pa.decimal128(18, 2), [Decimal("0.10"), Decimal("0.11")], None, 0.1, [True, False]),
        (pa.float64(), [0.1, 0.2], 0.15, None, [False, True]),
    ],
)
def test_range_is_inclusive_and_exact(kind, values, low, high, expected):
    column = pa.chunked_array([pa.array(values, kind)])
    assert rights(masks.between(column, low, high)) == expected


def test_order_holds_on_the_same_day_and_where_a_date_is_unknown():
    first = [date(2020, 1, 1), date(2020, 1, 2), None, date(2020, 1, 1)]
    second = [date(2020, 1, 1), date(2020, 1, 1), date(2020, 1, 1), date(9999, 12, 31)]
    earlier, later = (pa.chunked_array([pa.array(column)]) for column in (first, second))
    assert rights(masks.not_after(earlier, later)) == [True, False, True, True]


def test_all_rows_of_a_doubled_key_and_rows_without_key_are_wrong():
    assert rights(masks.unique_key([text("a", "b", "a", None, "c", None)])) == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.string(), ["a", "ab", "a"]),
        (pa.string(), ["", "a", ""]),
        (pa.string(), ["甲" * 100, "乙" * 100, "甲" * 100]),
        (pa.int64(), [-1, 1, -1]),
        (pa.date32(), [date(1960, 1, 1), date(9999, 12, 31), date(1960, 1, 1)]),
        (pa.timestamp("us", "UTC"), [0, 1, 0]),
        (pa.decimal128(18, 2), [Decimal("1.10"), Decimal("1.01"), Decimal("1.10")]),
        (pa.bool_(), [True, False, True]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"]),
        (pa.string_view(), ["a", "b", "a"]),
    ],
)
def test_keys_of_every_type(kind, values):
    column = pa.chunked_array([pa.array(values, kind)])
    assert rights(masks.unique_key([column])) == [False, True, False]


def test_keys_that_are_all_empty_texts_are_doubles():
    assert rights(masks.unique_key([text("", "")])) == [False, False]
    assert rights(masks.unique_key([text("")])) == [True]


def test_compound_keys_are_compared_part_by_part():
    first = text("a", "ab", "a", "a", None)
    second = text("bc", "c", "bc", "c", "x")
    assert rights(masks.unique_key([first, second])) == [False, True, False, True, False]


def test_equal_hashes_of_different_keys_are_not_doubles(monkeypatch):
    def same_for_all(hashes, column):
        hashes[:] = 7

    monkeypatch.setattr(masks, "_stir", same_for_all)
    assert rights(masks.unique_key([text("a", "b", "c", "b")])) == [True, False, True, False]


def test_few_doubles_among_many_keys_are_found():
    keys = [str(number) for number in range(100)] + ["7", "42", "7"]
    wrong = np.flatnonzero(~masks.unique_key([text(*keys)]))
    assert wrong.tolist() == [7, 42, 100, 101, 102]


def test_keys_in_slices_of_different_widths_are_found():
    """A value is a double however wide its neighbours are."""
    rows = ["short"] * (masks.SLICE_ROWS - 1) + ["short2", "a much wider neighbour", "short2"]
    mask = masks.unique_key([pa.chunked_array([pa.array(rows)])])
    assert mask.tolist()[-3:] == [False, True, False]


def test_texts_of_all_widths_are_told_apart_by_every_byte():
    texts = [begin + "x" * width for width in range(20) for begin in ("", "甲", "乙")]
    hashes = masks.value_hashes(text(*texts, None))
    assert len(set(hashes.tolist())) == len(set(texts)) == len(texts)
    alone = [masks.value_hashes(text(one))[0] for one in texts]
    assert hashes.tolist() == alone


def test_a_pandas_column_of_any_storage_becomes_the_same_arrow_values():
    as_objects = pd.Series(["甲", None, "乙"], dtype=object)
    as_arrow = pd.Series(["甲", None, "乙"], dtype="string[pyarrow]")
    assert masks.to_arrow(as_objects).to_pylist() == ["甲", None, "乙"]
    assert masks.to_arrow(as_arrow).to_pylist() == ["甲", None, "乙"]


def test_objects_of_mixed_kinds_are_judged_as_text():
    assert masks.to_arrow(pd.Series(["1", 2, None], dtype=object)).to_pylist() == ["1", "2", None]


def test_a_column_without_any_value_is_right_whatever_its_type():
    nothing = pa.chunked_array([pa.nulls(2)])
    for mask in (
        masks.follows(nothing, ItemFormat.USCC),
        masks.in_codes(nothing, ["1"]),
        masks.not_longer(nothing, 1),
        masks.matches(nothing, "1"),
        masks.between(nothing, 0, 1),
        masks.is_true(nothing),
        masks.not_after(nothing, nothing),
    ):
        assert rights(mask) == [True, True]
    assert rights(masks.unique_key([nothing])) == [False, False]


def test_a_secrecy_mark_is_found_in_whatever_piece_it_is():
    plain = ["“机密”", None, "", "☆", "a"]
    pieces = pa.chunked_array([plain, [], ["机密★", "x"]], pa.string())

    assert masks.unclassified(pieces).tolist() == [True] * 5 + [False, True]
    assert masks.unclassified(pieces.slice(6)).tolist() == [True]
    assert masks.unclassified(pa.chunked_array([["★"]])).tolist() == [True], "no degree"
    assert masks.unclassified(pa.chunked_array([plain])).all()
