"""A delivery against those before it: seasons, growth, first runs, small tables, drift."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from catalog.vocabulary import Severity
from expectations.history import FIRST_RUN, History, band, instability
from expectations.kinds import OF_BATCH, CheckKind
from expectations.plan import plan
from expectations.run import carried_out, validate

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
WEEK = [1000, 1010, 990, 1005, 1002, 200, 190]


@pytest.mark.parametrize(
    ("history", "season", "fits", "does_not"),
    [
        (WEEK * 3, 7, 1010, 200),
        ([*WEEK * 3, *WEEK[:5]], 7, 195, 1000),
        ([1000 + 50 * day for day in range(20)], 1, 2000, 1000),
        ([1000] * 10, 1, 1050, 890),
    ],
    ids=["a Monday", "a Saturday", "a register that grows", "one that never changed"],
)
def test_a_volume_fits_its_season_and_growth(history, season, fits, does_not):
    allowed = band(history, season)
    assert allowed.holds(fits)
    assert not allowed.holds(does_not)


def test_four_deliveries_are_no_history():
    assert band([10, 10, 10, 10], 1) is None


def test_a_distribution_that_stays_is_stable_and_one_that_moves_is_not():
    assert instability({"1": 90, "2": 10}, {"1": 0.9, "2": 0.1}) == pytest.approx(0)
    assert instability({"1": 50, "2": 50}, {"1": 0.9, "2": 0.1}) > 0.25
    assert instability({"3": 100}, {"1": 1.0}) > 0.25


def planned(make_entry, catalog, history, **changes):
    checks = plan(make_entry(**changes), catalog, at=NOW, history=history)
    return {check.id: check for check in checks if check.kind in OF_BATCH}


def test_a_first_run_is_judged_by_its_rows_alone(make_entry, catalog):
    assert planned(make_entry, catalog, FIRST_RUN) == {}


@pytest.mark.requirement("COL-02")
@pytest.mark.parametrize(
    ("cycle", "age", "failed"),
    [
        ("daily", timedelta(hours=26, minutes=24), 0),
        ("daily", timedelta(hours=26, minutes=24, seconds=1), 1),
        ("weekly", timedelta(days=6), 0),
    ],
)
def test_a_delivery_is_late_beyond_the_freshness_limit_of_its_cycle_and_a_tenth(
    make_entry, catalog, cycle, age, failed
):
    known = History(last_delivery=NOW - age)
    check = planned(make_entry, catalog, known, update_cycle=cycle)["delivery.timely"]
    result = carried_out([check], 4, {}.__getitem__)[0]["delivery.timely"]
    assert (result.counted, result.failed, result.severity) == (1, failed, Severity.WARN)
    assert result.text_zh.startswith("企业登记信息应按更新周期（")


def test_what_comes_on_demand_cannot_be_late(make_entry, catalog):
    known = History(last_delivery=NOW - timedelta(days=999))
    assert planned(make_entry, catalog, known, update_cycle="on_demand") == {}


@pytest.mark.parametrize(("rows", "failed"), [(1000, 0), (400, 1), (0, 1)])
def test_an_unusual_volume_warns_and_passes_the_gate(make_entry, catalog, tolerant, rows, failed):
    check = planned(make_entry, catalog, History(volumes=(1000,) * 8))["delivery.volume"]
    names = {"entry_id": "e", "run_id": "r"}
    verdict = validate([check], rows, {}.__getitem__, gate=tolerant, **names)
    assert (verdict.results[0].failed, verdict.passed) == (failed, True)


def test_a_volume_may_be_made_to_block(make_entry, catalog, tolerant):
    check = planned(make_entry, catalog, History(volumes=(1000,) * 8))["delivery.volume"]
    strict = replace(check, severity=Severity.FAIL, threshold=0.0)
    verdict = validate([strict], 4, {}.__getitem__, gate=tolerant, entry_id="e", run_id="r")
    assert verdict.blocked_by == ("delivery.volume",)
    assert verdict.quarantined_rows == 0


@pytest.mark.parametrize(
    ("values", "failed"),
    [(["1"] * 90 + ["2"] * 10, 0), (["1"] * 50 + ["2"] * 50, 1), (["2"] * 50, 0)],
    ids=["as before", "moved", "too few rows to say"],
)
def test_a_distribution_that_moved_warns(make_entry, catalog, loader, values, failed):
    known = History(shares={"status": {"1": 0.9, "2": 0.1}})
    check = planned(make_entry, catalog, known)["status.drift"]
    column = loader({"status": pa.array(values)})
    result = carried_out([check], len(values), column)[0]["status.drift"]
    assert (result.kind, result.failed, result.severity) == (
        CheckKind.DRIFT,
        failed,
        Severity.WARN,
    )


def test_the_distribution_of_a_sensitive_item_is_not_compared(make_entry, catalog):
    item = {"type": "string", "name": "甲", "field": "a", "sensitivity": "personal"}
    known = History(shares={"a": {"x": 1.0}})
    changes = {"items": [item], "key": ["a"], "quality": {}}
    assert planned(make_entry, catalog, known, **changes) == {}
