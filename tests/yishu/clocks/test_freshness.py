"""Freshness follows the update cycle, delay the department's own stamp."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.vocabulary import UpdateCycle
from yishu.clocks.freshness import Freshness, delay, freshness

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def entry():
    return load_catalog(ROOT / "catalog")[0].entries["taxation.taxpayer"]


def cycled(entry, cycle):
    return entry.model_copy(update={"update_cycle": cycle})


@pytest.mark.requirement("COL-03")
@pytest.mark.parametrize(
    ("cycle", "hours", "state"),
    [
        (UpdateCycle.DAILY, 24, Freshness.FRESH),
        (UpdateCycle.DAILY, 25, Freshness.STALE),
        (UpdateCycle.WEEKLY, 25, Freshness.FRESH),
        (UpdateCycle.REALTIME, 1, Freshness.STALE),
        (UpdateCycle.ON_DEMAND, 9999, Freshness.UNLIMITED),
    ],
)
def test_data_are_stale_after_one_cycle(entry, cycle, hours, state):
    found = freshness(cycled(entry, cycle), NOW - timedelta(hours=hours), NOW)

    assert found.state is state


@pytest.mark.requirement("COL-03")
def test_data_that_never_came_are_due_one_cycle_after_the_entry_was_published(entry):
    daily = cycled(entry, UpdateCycle.DAILY)
    published = datetime.combine(daily.published_on, datetime.min.time(), UTC)

    assert freshness(daily, None, published + timedelta(hours=15)).state is Freshness.FRESH
    assert freshness(daily, None, published + timedelta(hours=17)).state is Freshness.STALE
    began = published + timedelta(days=30)
    assert freshness(daily, None, began + timedelta(hours=23), began).state is Freshness.FRESH
    assert freshness(daily, None, began + timedelta(hours=25), began).state is Freshness.STALE


@pytest.mark.requirement("COL-10")
def test_the_delay_runs_from_the_departments_stamp_to_being_visible(entry):
    realtime = cycled(entry, UpdateCycle.REALTIME)
    found = delay(realtime, "2026-11-25 09:00:00", NOW, NOW + timedelta(minutes=2))

    assert (found.delay, found.is_measured, found.is_breach) == (timedelta(minutes=62), True, True)


@pytest.mark.parametrize("reached", [None, "B-2026-11", "20261125", "2026-11-25"])
def test_without_a_moment_of_the_department_the_delay_is_at_least_that_of_the_pull(entry, reached):
    found = delay(entry, reached, NOW, NOW + timedelta(minutes=2))

    assert (found.delay, found.is_measured, found.is_breach) == (timedelta(minutes=2), False, False)


def test_a_department_whose_clock_runs_ahead_gives_no_negative_delay(entry):
    assert delay(entry, "2026-11-25T11:00:00", NOW, NOW).delay == timedelta()
