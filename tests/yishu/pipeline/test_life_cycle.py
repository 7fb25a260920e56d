"""A data set shows where it is: collected, classed, stored, maintained, used."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.life_cycle import LifeStage, read_life_cycles

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ORGANISATION = "civil_affairs.social_organisation"


def state(ctx, entry_id=ORGANISATION):
    (found,) = read_life_cycles([ctx.release.entry(entry_id)], ctx.ledger)
    return found


@pytest.mark.requirement("COL-06")
def test_a_data_set_goes_from_stage_to_stage_as_lineage_tells(make_world):
    ctx = make_world()
    assert (state(ctx).stage, state(ctx).reached) == (None, {})

    run_pull(ORGANISATION, "first", ctx)
    assert state(ctx).stage is LifeStage.COLLECTED
    run_validate(ORGANISATION, "first", ctx)
    assert state(ctx).stage is LifeStage.CLASSED
    run_publish(ORGANISATION, "first", ctx)
    assert state(ctx).stage is LifeStage.STORED

    run_publish(ORGANISATION, "first", replace(ctx, clock=lambda: NOW + timedelta(hours=1)))
    assert state(ctx).stage is LifeStage.STORED, "the same run, done again, is no maintenance"

    later = replace(ctx, clock=lambda: NOW + timedelta(days=1))
    for stage in (run_pull, run_validate, run_publish):
        stage(ORGANISATION, "second", later)
    found = state(ctx)
    assert found.stage is LifeStage.MAINTAINED
    assert found.reached[LifeStage.STORED] == NOW
    assert found.reached[LifeStage.MAINTAINED] == NOW + timedelta(days=1)
    assert LifeStage.USED not in found.reached


@pytest.mark.requirement("COL-06")
def test_a_data_set_is_used_when_a_subject_reads_it(published_city, subjects):
    ctx, _ = published_city
    elements = ctx.release.elements.values()
    sources = {
        source.entry
        for element in elements
        if element.id.startswith("legal_entity.")
        for source in element.sources
    }

    found = read_life_cycles(ctx.release.entries.values(), ctx.ledger)

    used = {one.entry_id for one in found if one.stage is LifeStage.USED}
    assert ORGANISATION in sources
    assert sources <= used
