"""Each load is scored for accuracy, completeness and timeliness."""

from dataclasses import replace

import pytest

from catalog.vocabulary import QualityDimension
from yishu.pipeline import run_publish, run_pull, run_validate

ORGANISATION = "civil_affairs.social_organisation"
SCORED = {QualityDimension.ACCURACY, QualityDimension.COMPLETENESS, QualityDimension.TIMELINESS}


def run_all(run_id, ctx):
    for stage in (run_pull, run_validate, run_publish):
        stage(ORGANISATION, run_id, ctx)
    return ctx.ledger.verdict(ORGANISATION, run_id)


def timely(verdict):
    return [check for check in verdict.checks if check.check_id == "delivery.timely"]


@pytest.mark.requirement("COL-02")
@pytest.mark.parametrize(("late", "failed"), [(0.05, 0), (0.5, 1)], ids=["in_time", "late"])
def test_a_load_is_scored_in_three_dimensions_and_a_late_one_is_flagged(make_world, late, failed):
    ctx = make_world()
    limit = ctx.release.entry(ORGANISATION).update_cycle.freshness
    first, at = run_all("first", ctx), ctx.clock() + limit * (1 + late)

    second = run_all("second", replace(ctx, clock=lambda: at))

    assert timely(first) == [], "the first delivery has none before it"
    assert {check.dimension for check in second.checks} >= SCORED
    (check,) = timely(second)
    assert (check.counted, check.failed, check.severity) == (1, failed, "warn")
    assert second.passed, "late data are flagged, never refused"


def test_the_same_run_again_is_measured_against_the_same_delivery(make_world):
    ctx = make_world()
    limit = ctx.release.entry(ORGANISATION).update_cycle.freshness
    run_all("first", ctx)
    at = ctx.clock() + limit * 2
    late = replace(ctx, clock=lambda: at)
    once = run_all("second", late)

    assert run_all("second", late) == once
