"""Closed sets carry what they mean."""

from datetime import timedelta

import pytest

from catalog.vocabulary import UpdateCycle


@pytest.mark.requirement("COL-04")
@pytest.mark.parametrize(
    ("cycle", "cron", "freshness"),
    [
        ("realtime", "*/10 * * * *", timedelta(minutes=30)),
        ("daily", "30 1 * * *", timedelta(days=1)),
        ("weekly", "30 1 * * 1", timedelta(days=7)),
        ("monthly", "30 1 1 * *", timedelta(days=31)),
        ("quarterly", "30 1 1 1,4,7,10 *", timedelta(days=92)),
        ("half_yearly", "30 1 1 1,7 *", timedelta(days=184)),
        ("yearly", "30 1 1 1 *", timedelta(days=366)),
        ("on_demand", None, None),
    ],
)
def test_the_update_cycle_carries_schedule_and_freshness_limit(cycle, cron, freshness):
    assert (UpdateCycle(cycle).cron, UpdateCycle(cycle).freshness) == (cron, freshness)
