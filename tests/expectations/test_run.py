import gc
import json
import logging
import time
import traceback
import weakref
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from expectations.errors import CheckCrashed, RowsDisagree
from expectations.plan import plan
from expectations.profile import Profiling
from expectations.quarantine import reasons_table
from expectations.run import evaluate, validate
from expectations.spans import ColumnView

IDS = {"entry_id": "market_regulation.enterprise", "run_id": "run-1"}

GOOD = "91320200MA99999962"
OTHER = "513202009999999982"
MONEY = pa.decimal128(18, 2)


def columns(**changes):
    """Four right rows of the enterprise entry, with changed columns."""
    right = {
        "uscc": pa.array(
            [GOOD, OTHER, "N2320205MF9999994X", "123202009999999983"], type=pa.string()
        ),
        "name": pa.array(["甲", "乙", "丙", "丁"]),
        "status": pa.array(["1", "2", "1", None]),
        "person_id": pa.array(["11010519491231002X", None, None, "320281200002291236"]),
        "phone": pa.array(["13800000000", None, None, None]),
        "capital": pa.array([Decimal("1.00"), None, Decimal("0.00"), None], type=MONEY),
        "registered_on": pa.array([date(2020, 1, 1)] * 4),
        "expires_on": pa.array([date(9999, 12, 31), None, date(2020, 1, 1), date(2021, 1, 1)]),
    }
    return right | changes


@pytest.fixture
def verdict_on(make_entry, catalog, loader, tolerant):
    """Validates columns of the enterprise entry."""

    def verdict(given, rows=4, **changes):
        checks = plan(make_entry(**changes), catalog)
        return validate(checks, rows, loader(given), gate=tolerant, **IDS)

    return verdict


def found(verdict):
    """Failing row numbers of the checks that failed."""
    return {r.check_id: r.positions.tolist() for r in verdict.results if r.failed}


def test_right_rows_pass_every_check(verdict_on):
    verdict = verdict_on(columns())
    assert found(verdict) == {}
    assert verdict.quarantined.tolist() == []
    assert all(result.success for result in verdict.results)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"uscc": pa.array([GOOD, None, OTHER, GOOD])},
            {"uscc.present": [1], "uscc.unique": [0, 1, 3]},
        ),
        ({"uscc": pa.array([GOOD, "X", OTHER, "Y" * 18])}, {"uscc.format": [1, 3]}),
        (
            {"name": pa.array(["甲" * 7, "甲" * 6, None, ""])},
            {"name.present": [2], "name.length": [0]},
        ),
        ({"status": pa.array(["3", "1", None, "11"])}, {"status.code_list": [0, 3]}),
        (
            {"person_id": pa.array([None, None, None, "110105194912310021"])},
            {"person_id.format": [3]},
        ),
        ({"phone": pa.array(["1380000000", None, None, "139"])}, {"phone.format": [0, 3]}),
        (
            {"capital": pa.array([None, Decimal("-0.01"), None, None], type=MONEY)},
            {"capital.range": [1]},
        ),
        (
            {"expires_on": pa.array([date(2019, 12, 31), None, None, date(2020, 1, 1)])},
            {"registered_on.ordered.expires_on": [0]},
        ),
    ],
)
def test_the_failing_rows_of_each_kind_of_check(verdict_on, changes, expected):
    assert found(verdict_on(columns(**changes))) == expected


def test_an_unreadable_value_was_given_so_it_is_not_missing_too(verdict_on):
    dates = pa.array([date(2020, 1, 1), None, None, date(2020, 1, 1)])
    given = columns(registered_on=(dates, [False, True, False, False]))
    assert found(verdict_on(given)) == {
        "registered_on.present": [2],
        "registered_on.readable": [1],
    }


def test_each_check_counts_the_rows_it_applies_to(verdict_on):
    dates = pa.array([None, date(2020, 1, 1), None, date(2020, 1, 1)])
    given = columns(expires_on=(dates, [True, False, False, False]))
    counted = {result.check_id: result.counted for result in verdict_on(given).results}
    assert counted == {
        "uscc.present": 4,
        "uscc.format": 4,
        "uscc.organisation": 4,
        "name.present": 4,
        "name.length": 4,
        "name.unclassified": 4,
        "status.code_list": 3,
        "person_id.format": 2,
        "phone.format": 1,
        "capital.readable": 2,
        "capital.range": 2,
        "registered_on.present": 4,
        "registered_on.readable": 4,
        "expires_on.readable": 3,
        "uscc.unique": 4,
        "registered_on.ordered.expires_on": 2,
    }


def test_a_compound_key_fails_in_all_its_rows_and_without_a_part(verdict_on):
    given = columns(name=pa.array(["甲", "甲", "甲", None]), phone=pa.array(["1", "2", "1", "1"]))
    verdict = verdict_on(given, key=["name", "phone"])
    assert found(verdict)["name.unique.phone"] == [0, 2, 3]


def test_a_unique_group_that_is_no_key_leaves_out_rows_without_a_value(verdict_on):
    given = columns(name=pa.array(["甲", "甲", "甲", "甲"]), phone=pa.array(["1", None, "1", None]))
    quality = {"unique": [["name", "phone"], ["phone"]]}
    results = {r.check_id: r for r in verdict_on(given, quality=quality).results}
    assert results["name.unique.phone"].positions.tolist() == [0, 2]
    assert results["name.unique.phone"].counted == 2
    assert results["phone.unique"].positions.tolist() == [0, 2]
    assert results["phone.unique"].counted == 2


def test_warnings_count_but_do_not_quarantine(verdict_on):
    given = columns(phone=pa.array(["1", None, None, None]), status=pa.array(["1", "3", "1", "1"]))
    rules = {"phone.format": {"severity": "warn"}}
    verdict = verdict_on(given, extensions={"checks": rules})
    assert found(verdict) == {"phone.format": [0], "status.code_list": [1]}
    assert verdict.quarantined.tolist() == [1]


def test_a_threshold_is_held_to_the_share_of_counted_rows(verdict_on):
    given = columns(phone=pa.array(["13800000000", "13900000000", "x", None]))
    for threshold, success in ((0.3, False), (0.34, True)):
        rules = {"phone.format": {"threshold": threshold}}
        verdict = verdict_on(given, extensions={"checks": rules})
        (result,) = [r for r in verdict.results if r.check_id == "phone.format"]
        assert result.success is success
        assert verdict.passed is success
        assert verdict.quarantined.tolist() == [2]


def test_an_empty_source_has_results_without_counts(verdict_on):
    empty = {field: array.slice(0, 0) for field, array in columns().items()}
    verdict = verdict_on(empty, rows=0)
    assert {result.counted for result in verdict.results} == {0}
    assert all(result.success for result in verdict.results)
    assert all(score.score is None for score in verdict.scores)


def test_columns_without_any_chunk_are_empty_columns(make_entry, catalog, loader, tolerant):
    kinds = {field: array.type for field, array in columns().items()}
    checks = plan(make_entry(), catalog)
    verdict = validate(
        checks, 0, lambda f, _: ColumnView(pa.chunked_array([], kinds[f])), gate=tolerant, **IDS
    )
    assert verdict.quarantined_rows == 0


def test_a_single_bad_row_fails_whole(verdict_on):
    bad = {field: pa.nulls(1, array.type) for field, array in columns().items()}
    verdict = verdict_on(bad, rows=1)
    assert found(verdict) == {
        "uscc.present": [0],
        "name.present": [0],
        "registered_on.present": [0],
        "uscc.unique": [0],
    }
    assert verdict.quarantined_share == 1.0


def test_a_column_of_another_run_is_refused(verdict_on):
    with pytest.raises(RowsDisagree, match=r"name: found 1 rows; expected 4 rows"):
        verdict_on(columns(name=pa.array(["甲"])))


def test_whatever_comes_after_the_checks_has_the_allocator_from_before(verdict_on):
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        verdict_on(columns())
        with pytest.raises(RowsDisagree):
            verdict_on(columns(capital=pa.array([None] * 3, type=MONEY)))

        assert pa.default_memory_pool().backend_name == "system"
    finally:
        pa.set_memory_pool(before)


def test_columns_do_not_queue_up_in_memory_behind_their_profiles(
    make_entry, catalog, tolerant, monkeypatch
):
    item = {"type": "string", "sensitivity": "none", "name": "甲"}
    entry = make_entry(items=[{**item, "field": name} for name in "abcd"], key=["a"], quality={})
    loaded, told = [], []

    class Slow(Profiling):
        def profile(self):
            time.sleep(0.02)
            found = super().profile()
            told.append(found.field)
            return found

    def column(field, _):
        assert told == loaded
        loaded.append(field)
        return ColumnView(pa.chunked_array([pa.array(["x"])]))

    monkeypatch.setattr("expectations.run.Profiling", Slow)
    checks = plan(entry, catalog)
    verdict = validate(checks, 1, column, gate=tolerant, profiled=entry.items, **IDS)

    assert [one.field for one in verdict.profiles] == list("abcd")


@pytest.mark.parametrize("threads", [1, 2])
def test_each_column_is_loaded_once_and_let_go_before_another(
    make_entry, catalog, tolerant, monkeypatch, threads
):
    item = {"type": "string", "sensitivity": "none", "name": "甲", "length": 5}
    items = [{**item, "field": name, "nullable": name != "a"} for name in "abcdef"]
    checks = plan(make_entry(items=items, key=["a"], quality={}), catalog)
    loaded, alive = [], []

    def column(field, _):
        assert sum(data() is not None for data in alive) < threads
        data = np.frombuffer(b"abcd", dtype=np.uint8).copy()
        offsets = pa.py_buffer(np.arange(5, dtype=np.int32))
        array = pa.Array.from_buffers(pa.string(), 4, [None, offsets, pa.py_buffer(data)])
        loaded.append(field)
        alive.append(weakref.ref(data))
        return ColumnView(pa.chunked_array([array]))

    monkeypatch.setattr("expectations.run.ROWS_FOR_THREADS", 1)
    monkeypatch.setattr("expectations.run.THREADS", threads)
    gc.disable()
    try:
        validate(checks, 4, column, gate=tolerant, **IDS)
    finally:
        gc.enable()
    assert sorted(loaded) == list("abcdef")


def test_columns_that_checks_connect_are_loaded_together_and_once(
    make_entry, catalog, loader, tolerant
):
    quality = {
        "ordered": [{"earlier": "registered_on", "later": "expires_on"}],
        "unique": [["name", "phone"], ["phone", "status"]],
    }
    checks = plan(make_entry(quality=quality), catalog)
    loaded = []

    def column(field, _):
        loaded.append(field)
        return loader(columns())(field)

    verdict = validate(checks, 4, column, gate=tolerant, **IDS)
    assert sorted(loaded) == sorted(columns())
    assert [result.check_id for result in verdict.results] == [check.id for check in checks]


MARK = "标记张三320281199902291236"


class Unspeakable:
    """A value whose reading fails with a message that quotes it."""

    def __str__(self):
        raise ValueError(MARK)


@pytest.mark.requirement("SUB-14", "SEC-11")
def test_no_value_reaches_verdict_reasons_or_logs(verdict_on, caplog):
    caplog.set_level(logging.DEBUG)
    texts = ("uscc", "name", "status", "person_id", "phone")
    verdict = verdict_on(columns(**{field: pa.array([MARK] * 4) for field in texts}))

    assert {"uscc.format", "name.length", "status.code_list", "person_id.format"} <= set(
        found(verdict)
    )
    reasons = json.dumps(reasons_table(verdict).to_pylist(), ensure_ascii=False)
    for shown in (verdict.to_json(), repr(verdict), reasons, caplog.text):
        assert MARK not in shown
        assert "320281199902291236" not in shown


@pytest.mark.requirement("SEC-11")
def test_a_crash_names_the_place_and_quotes_no_value(make_entry, catalog, caplog):
    caplog.set_level(logging.DEBUG)
    checks = [check for check in plan(make_entry(), catalog) if check.id == "name.length"]
    rows = pd.DataFrame({"name": pd.Series([1, Unspeakable()], dtype=object)})

    with pytest.raises(CheckCrashed, match=r"name\.length: found ValueError at ") as caught:
        list(evaluate(checks, rows))

    assert MARK not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert MARK not in caplog.text


def test_checks_leave_the_given_frame_as_it_was(make_entry, catalog):
    checks = [check for check in plan(make_entry(), catalog) if check.id == "name.length"]
    rows = pd.DataFrame({"name": ["甲"]})
    list(evaluate(checks, rows))
    assert list(rows.columns) == ["name"]
