from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from transforms.parsing import (
    parse_boolean,
    parse_date,
    parse_decimal,
    parse_integer,
    parse_timestamp,
)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-01-02", date(2020, 1, 2)),
        ("2020/1/2", date(2020, 1, 2)),
        ("2020.1.2", date(2020, 1, 2)),
        ("20200102", date(2020, 1, 2)),
        ("2020年1月2日", date(2020, 1, 2)),
        ("2020-01-02 00:00:00", date(2020, 1, 2)),
        ("2020-01-02T00:00:00.000", date(2020, 1, 2)),
        ("2020/1/2 0:00", date(2020, 1, 2)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2023-02-29", None),
        ("2020-13-01", None),
        ("0000-00-00", None),
        ("2020-01-02 10:00:00", None),
        ("20-01-02", None),
        ("2020-1/2", None),
        ("43832", None),
        ("长期", None),
    ],
)
def test_a_day_is_read_in_the_spellings_of_departments_and_in_no_other(text, day):
    assert parse_date(text, open_ended=False) == day


@pytest.mark.parametrize("text", ["9999-12-31", "9999-9-9", "99991231", "9999-12-31 00:00:00"])
def test_no_end_is_a_day_only_where_the_item_is_open_ended(text):
    assert parse_date(text, open_ended=True) == date(9999, 12, 31)
    assert parse_date(text, open_ended=False) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("1,234,567", 1234567),
        ("12.00", 12),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("1,23", None),
        ("12.5", None),
        ("0x1F", None),
        ("1e3", None),
        ("", None),
    ],
)
def test_an_integer_is_read_exactly_or_not_at_all(text, number):
    assert parse_integer(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.1", "0.10"),
        ("-12.34", "-12.34"),
        ("1,234.5", "1234.50"),
        ("12.3400", "12.34"),
        (".5", "0.50"),
        ("1e3", "1000.00"),
        ("-0", "0.00"),
        ("9999999999999999.99", "9999999999999999.99"),
        ("10000000000000000.00", None),
        ("12.345", None),
        ("12.34万元", None),
        ("1,23.4", None),
        (".", None),
        ("1e999", None),
    ],
)
def test_a_decimal_is_read_exactly_without_rounding(text, number):
    found = parse_decimal(text, precision=18, scale=2)

    assert found == (None if number is None else Decimal(number))
    assert found is None or found.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2020-01-02 03:04:05", datetime(2020, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("2020-01-02T03:04:05Z", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02T03:04:05.5+08:00", datetime(2020, 1, 1, 19, 4, 5, 500000, tzinfo=UTC)),
        ("2020/1/2 3:04", datetime(2020, 1, 1, 19, 4, tzinfo=UTC)),
        ("20200102030405", datetime(2020, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("2020年1月2日 03:04:05", datetime(2020, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("2020-01-02", datetime(2020, 1, 1, 16, 0, tzinfo=UTC)),
        ("1988-07-01 12:00:00", datetime(1988, 7, 1, 3, 0, tzinfo=UTC)),
        ("2020-01-02 24:00:00", None),
        ("昨天", None),
    ],
)
def test_a_time_without_zone_is_beijing_time_with_its_summer_times(text, instant):
    assert parse_timestamp(text) == instant


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *((word, True) for word in ("是", "1", "y", "TRUE")),
        *((word, False) for word in ("否", "0", "N", "false")),
        *((word, None) for word in ("2", "有", "是的")),
    ],
)
def test_a_truth_value_is_read_or_left(text, answer):
    assert parse_boolean(text) is answer
