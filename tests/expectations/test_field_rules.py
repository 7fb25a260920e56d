"""Dates, money, sums, sex, documents, codes in force, other tables, wording: right and wrong."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.errors import TableNotGiven
from expectations.kinds import CheckKind
from expectations.run import require_tables
from expectations.tables import with_tables

DATES = [
    "2026-1-5",
    "2026/01/05",
    "2026年1月5日",
    "20260105",
    "9999-9-9",
    "9999-12-31",
    "2026-02-30",
    "2026-04-31",
    "2025-02-29",
    "2026-13-01",
    "26-1-5",
    "2026.1.5",
    "明天",
    "",
    None,
]


def test_dates_in_the_spellings_of_departments(failing):
    assert failing(CheckKind.DATE_TEXT, {"d": DATES}, open_ended=True) == list(range(6, 14))


def test_no_end_is_wrong_where_the_item_has_an_end(failing):
    assert failing(CheckKind.DATE_TEXT, {"d": DATES[:6]}) == [4, 5]


def test_no_end_is_not_held_to_the_latest_day(failing):
    args = {"open_ended": True, "not_after": date(2026, 1, 4)}
    assert failing(CheckKind.DATE_TEXT, {"d": ["2026-1-4", "2026-1-5", "9999-9-9"]}, **args) == [1]


def test_a_moment_in_the_future_is_wrong(failing):
    values = pa.array([date(2026, 1, 1), date(2026, 1, 2), date(9999, 12, 31), None])
    args = {"not_after": date(2026, 1, 1)}
    assert failing(CheckKind.NOT_FUTURE, {"d": values}, **args) == [1, 2]
    assert failing(CheckKind.NOT_FUTURE, {"d": values}, open_ended=True, **args) == [1]
    moments = pa.array([datetime(2026, 1, 1, 23, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)])
    assert failing(CheckKind.NOT_FUTURE, {"d": moments}, **args) == [1]


def test_an_amount_in_another_unit_is_wrong_by_its_factor(failing):
    values = ["100", "1,000.50", "-3", "100万元", "100 万元", "100元", "1,00", "约100", "", None]
    assert failing(CheckKind.MONEY_TEXT, {"m": values}, unit="万元") == [5, 6, 7, 8]


def test_the_days_of_steps_are_within_the_promise_and_the_promise_within_the_statute(failing):
    days = {"a": [1, 2, None, 9], "b": [2, 4, 3, 9], "promised": [3, 5, 3, None]}
    assert failing(CheckKind.SUM, days) == [1]
    money = {"a": [Decimal("0.1")], "b": [Decimal("0.2")], "total": [Decimal("0.3")]}
    assert failing(CheckKind.SUM, money) == []


@pytest.mark.requirement("SUB-14")
def test_sex_and_resident_number_agree(failing):
    man, woman = "320205199001010015", "32020519900101002X"
    sex = ["1", "2", "1", "2", "0", "9", "1", None]
    number = [man, woman, woman, man, man, woman, "short", man]
    assert failing(CheckKind.SEX, {"sex": sex, "number": number}) == [2, 3]


def test_a_document_number_follows_the_rule_of_its_type(failing):
    types = ["111", "111", "414", "414", "516", "001", "990", "111", None]
    numbers = [
        "11010519491231002X",
        "E12345678",
        "E12345678",
        "中文",
        "H12345678",
        "91320200MA9999999B",
        "whatever",
        None,
        "whatever",
    ]
    assert failing(CheckKind.ID_BY_TYPE, {"type": types, "number": numbers}) == [1, 3]


def test_a_code_was_in_force_on_the_day_beside_it(failing):
    periods = {"320202": [None, "2016-02-19"], "320213": ["2016-02-20", None]}
    codes = ["320202", "320202", "320213", "320213", "320205", "999999", None]
    days = [
        date(2016, 2, 19),
        date(2016, 2, 20),
        date(2016, 2, 20),
        date(2016, 2, 19),
        None,
        *[date(2020, 1, 1)] * 2,
    ]
    assert failing(CheckKind.VALID_ON, {"code": codes, "on": pa.array(days)}, periods=periods) == [
        1,
        3,
    ], "a code without a period is always in force; whether it is a code is another check"


@pytest.fixture
def cases(tmp_path):
    """Two files of a published table of cases."""
    files = []
    for number, values in enumerate((["C1", "C2"], ["C3", None])):
        files.append(str(tmp_path / f"{number}.parquet"))
        pq.write_table(pa.table({"case_no": pa.array(values)}), files[-1])
    return files


def test_a_rating_names_a_case_that_exists(failing, cases):
    values = {"case_no": ["C1", "C3", "C4", None]}
    assert failing(CheckKind.EXISTS, values, files=cases, other_column="case_no") == [2]


def _of_rating(make_check, **args):
    return make_check(CheckKind.EXISTS, ("case_no",), tables=["hall.case"], **args)


def test_a_check_over_two_tables_waits_visibly_for_the_other_one(make_check, cases):
    check = _of_rating(make_check, other_column="case_no")
    ready, unjudged = with_tables([check], lambda _: None)
    assert ready == ()
    assert [(one.counted, one.failed, one.success) for one in unjudged] == [(0, 0, True)]

    ready, unjudged = with_tables([check], {"hall.case": cases}.get)
    assert ready[0].args["files"] == tuple(cases)
    assert unjudged == ()


def test_a_check_over_two_tables_without_a_path_is_refused_by_name(make_check):
    with pytest.raises(TableNotGiven, match=r"no files of hall\.case"):
        require_tables([_of_rating(make_check)])


@pytest.mark.requirement("QUA-10")
@pytest.mark.parametrize(
    "text",
    [
        "其他材料",
        "法律、法规规定的其他条件",
        "身份证、户口本等",
        "营业执照等材料",
        "提供相关证明",
        "视情况而定",
        "需要提供的",
        "尽快办结",
        "原则上不超过",
        "一定数量的资金",
    ],
)
def test_vague_wording_is_found(failing, text):
    assert failing(CheckKind.CLEAR_WORDING, {"conditions": ["年满18周岁", text, None]}) == [1]


@pytest.mark.requirement("QUA-10")
@pytest.mark.parametrize(
    "text", ["平等自愿", "三等奖证书", "中等职业学校毕业证书", "居民身份证原件1份"]
)
def test_plain_wording_is_let_be(failing, text):
    assert failing(CheckKind.CLEAR_WORDING, {"conditions": [text]}) == []
