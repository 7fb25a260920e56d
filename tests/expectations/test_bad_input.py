"""What departments deliver besides data: odd columns, odd texts, odd rules, and too much of all."""

import time
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from catalog.model import CodeList
from expectations.errors import PlanImpossible
from expectations.kinds import CheckKind
from expectations.plan import plan
from expectations.run import carried_out, validate
from expectations.spans import ColumnView
from expectations.suite import suite
from expectations.verdict import Gate

IDS = {"entry_id": "e", "run_id": "r"}
NO_KEY = {"key": ["a"], "quality": {}}


def entry_of(make_entry, *items, **changes):
    base = {"type": "string", "sensitivity": "none"}
    named = [{**base, "name": item["field"], **item} for item in items]
    return make_entry(items=named, **{**NO_KEY, "key": [items[0]["field"]], **changes})


@pytest.fixture
def verdict_of(make_entry, catalog, tolerant):
    """Validates columns as items of one definition each, and returns failing rows by check."""

    def verdict(items, columns, gate=tolerant, **changes):
        entry = entry_of(make_entry, *items, **changes)
        rows = len(next(iter(columns.values())))
        return validate(
            plan(entry, catalog),
            rows,
            lambda field, _: ColumnView(pa.chunked_array([columns[field]])),
            gate=gate,
            profiled=entry.items,
            **IDS,
        )

    return verdict


def failed(verdict):
    return {r.check_id: r.positions.tolist() for r in verdict.results if r.failed}


def test_a_column_of_one_value_repeats_its_key_in_every_row(verdict_of):
    verdict = verdict_of([{"field": "a"}], {"a": pa.array(["x"] * 5)})
    assert failed(verdict) == {"a.unique": [0, 1, 2, 3, 4]}
    assert verdict.profiles[0].distinct == 1


@pytest.mark.parametrize("kind", [pa.string(), pa.null(), pa.int64(), pa.date32(), pa.float64()])
def test_a_column_without_any_value_is_missing_and_nothing_else(verdict_of, kind):
    items = [{"field": "a"}, {"field": "b", "nullable": False, "length": 3, "format": "uscc"}]
    verdict = verdict_of(items, {"a": pa.array(["x", "y"]), "b": pa.nulls(2, kind)})
    assert failed(verdict) == {"b.present": [0, 1]}
    assert (verdict.profiles[1].nulls, verdict.profiles[1].distinct) == (2, 0)


def test_mixed_types_are_judged_as_the_texts_they_are(failing):
    mixed = pa.array([str(part) for part in (1, 2.5, True, "320200", b"x")])
    assert failing(CheckKind.FORMAT, {"a": mixed}, format="region_code") == [0, 1, 2, 4]


def test_nested_json_is_a_text_like_any_other(verdict_of):
    deep = '{"a": ' * 500 + "1" + "}" * 500
    verdict = verdict_of([{"field": "a", "length": 4_000}], {"a": pa.array([deep, "[1, [2]]"])})
    assert failed(verdict) == {}


def test_nan_and_infinity_are_outside_every_range(failing):
    values = pa.array([float("nan"), float("inf"), float("-inf"), 1.0, None])
    assert failing(CheckKind.RANGE, {"a": values}, minimum=0.0, maximum=9.0) == [0, 1, 2]


def test_a_range_without_upper_bound_refuses_nan_too(failing):
    values = pa.array([float("nan"), float("inf"), 1.0])
    assert failing(CheckKind.RANGE, {"a": values}, minimum=0.0) == [0]


def test_bounds_of_nan_and_infinity_are_told_in_words(verdict_of):
    numbers = pa.array([float("nan"), float("inf"), 1.0])
    items = [{"field": "a"}, {"field": "b", "type": "decimal"}]
    verdict = verdict_of(items, {"a": pa.array(["1", "2", "3"]), "b": numbers})
    assert verdict.profiles[1].maximum == "inf"
    assert verdict.to_json()


UNPAIRED = pa.Array.from_buffers(
    pa.string(),
    2,
    [None, pa.py_buffer(b"\0\0\0\0\x03\0\0\0\x04\0\0\0"), pa.py_buffer(b"\xed\xa0\x80x")],
)
"""A half of a surrogate pair in UTF-8, as broken converters write it, and a right letter."""


def test_an_unpaired_surrogate_fails_where_a_rule_looks_and_crashes_nothing(failing):
    assert failing(CheckKind.FORMAT, {"a": UNPAIRED}, format="postcode") == [0, 1]
    assert failing(CheckKind.UNIQUE, {"a": UNPAIRED}, is_key=True) == []


CATASTROPHE = "(a+)+b"


def test_a_catastrophic_pattern_takes_no_longer_than_another(failing):
    values = pa.array(["a" * 5_000] * 20)
    started = time.process_time()
    assert failing(CheckKind.PATTERN, {"a": values}, pattern=CATASTROPHE) == list(range(20))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)a", "(", "a{2000}"])
def test_a_pattern_whose_time_is_not_bounded_is_refused(make_entry, catalog, pattern):
    entry = entry_of(make_entry, {"field": "a", "pattern": pattern})
    with pytest.raises(PlanImpossible, match="RE2"):
        plan(entry, catalog)


def test_ten_thousand_columns_are_planned_and_checked_one_by_one(make_entry, catalog):
    items = [{"field": f"c{number}", "length": 9} for number in range(10_000)]
    checks = plan(entry_of(make_entry, *items), catalog)
    assert len(checks) == 20_002
    some = [check for check in checks if check.columns[0] in {"c0", "c9999"}]
    column = ColumnView(pa.chunked_array([pa.array(["x", "1234567890"])]))
    results, _ = carried_out(some, 2, lambda *_: column)
    assert [results[f"c{n}.length"].positions.tolist() for n in (0, 9999)] == [[1], [1]]


def test_a_suite_of_five_thousand_checks_is_bounded_and_each_is_counted(make_check):
    """Each check costs the same, so a fifth of them is evaluated and all of them are written."""
    checks = [
        replace(make_check(CheckKind.RANGE, ("a",), minimum=float(number)), id=f"a.range.{number}")
        for number in range(5_000)
    ]
    assert len(suite(checks).expectations) == 5_000
    column = ColumnView(pa.chunked_array([pa.array([2_499.5])]))
    started = time.process_time()
    results, _ = carried_out(checks[::5], 1, lambda *_: column)
    assert (len(results), sum(result.failed for result in results.values())) == (1_000, 500)
    assert time.process_time() - started < 20


def test_a_code_list_of_half_a_million_codes(make_entry, catalog, tolerant):
    codes = {f"{number:06d}": "甲" for number in range(500_000)}
    catalog.code_lists["status"] = CodeList(id="status", name="大表", standard="x", codes=codes)
    entry = entry_of(make_entry, {"field": "a", "code_list": "status"})
    column = pa.chunked_array([pa.array(["000000", "499999", "500000"])])
    checks = [check for check in plan(entry, catalog) if check.kind is CheckKind.CODE_LIST]
    verdict = validate(checks, 3, lambda *_: ColumnView(column), gate=tolerant, **IDS)
    assert failed(verdict) == {"a.code_list": [2]}
    assert len(verdict.to_json()) < 10_000


@pytest.mark.requirement("COL-02", "QUA-05")
@pytest.mark.parametrize(
    ("threshold", "bad", "passed"),
    [(0.0, 0, True), (0.0, 1, False), (1.0, 4, True), (0.25, 1, True), (0.25, 2, False)],
    ids=["0 % and none", "0 % and one", "100 % and all", "exactly at it", "one row beyond"],
)
def test_thresholds_from_nothing_to_everything(verdict_of, threshold, bad, passed):
    values = pa.array(["x"] * bad + ["214000"] * (4 - bad))
    rules = {"b.format": {"threshold": threshold}}
    verdict = verdict_of(
        [{"field": "a"}, {"field": "b", "format": "postcode"}],
        {"a": pa.array(list("1234")), "b": values},
        extensions={"checks": rules},
    )
    assert verdict.passed is passed
    assert verdict.quarantined_rows == bad


@pytest.mark.requirement("QUA-05")
def test_a_warning_never_blocks_whatever_its_threshold(verdict_of):
    verdict = verdict_of(
        [{"field": "a"}, {"field": "b", "format": "postcode"}],
        {"a": pa.array(["1"]), "b": pa.array(["x"])},
        gate=Gate(0.0, allow_empty=False),
        extensions={"checks": {"b.format": {"severity": "warn", "threshold": 0}}},
    )
    assert (verdict.passed, verdict.results[-2].failed) == (True, 1)


def test_decimals_of_any_scale_keep_their_last_digit(failing):
    values = pa.array([Decimal("0.00000001"), Decimal("-0.00000001")], pa.decimal128(38, 8))
    assert failing(CheckKind.RANGE, {"a": values}, minimum=0.0) == [1]
