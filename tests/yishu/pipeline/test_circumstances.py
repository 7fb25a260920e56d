"""What a validation knows besides its rows: earlier deliveries, other tables, decisions on file."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.circumstances import circumstances

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
CASE = "administrative_approval.approval_case"
ITEM = "administrative_approval.service_item"
EXISTS = "implementation_code.exists.service_item"


def run(ctx, entry_id, run_id, after=timedelta(0)):
    """Run all stages; what the ledger then says of each check."""
    later = replace(ctx, clock=lambda: NOW + after)
    for stage in (run_pull, run_validate, run_publish):
        stage(entry_id, run_id, later)
    return {check.check_id: check for check in ctx.ledger.verdict(entry_id, run_id).checks}


@pytest.mark.requirement("QUA-02", "COL-02")
def test_a_second_delivery_is_held_against_the_first_and_against_other_tables(make_world):
    ctx = make_world()

    first = run(ctx, CASE, "first")
    assert (first[EXISTS].counted, first[EXISTS].failed) == (0, 0)
    assert not any(name.startswith("delivery.") for name in first)

    run(ctx, ITEM, "items")
    second = run(ctx, CASE, "second", timedelta(days=2))
    assert second[EXISTS].counted > 0
    assert second[EXISTS].severity == "warn"
    assert second["delivery.timely"].failed == 1
    assert (second["delivery.volume"].counted, second["delivery.volume"].failed) == (1, 0)
    assert {c.failed for name, c in second.items() if name.endswith(".drift")} == {0}


@pytest.mark.requirement("QUA-02", "SEC-11")
def test_profiles_are_on_record_without_values_of_sensitive_items(make_world):
    ctx = make_world()
    run(ctx, CASE, "first")
    profiles = {one.field: one for one in ctx.ledger.profiles(CASE, "first")}
    entry = ctx.release.entry(CASE)
    assert set(profiles) == set(entry.fields)
    rows = ctx.ledger.verdict(CASE, "first").rows
    assert {one.rows for one in profiles.values()} == {rows}
    for item in entry.items:
        found = profiles[item.field]
        if item.sensitivity != "none":
            assert (found.minimum, found.maximum, found.top) == (None, None, ())
    assert any(one.top for one in profiles.values())


def test_history_is_that_of_the_moment_of_the_pull(make_world):
    """A validation that was killed and starts over a week later finds what it found before."""
    ctx = make_world()
    for number, day in enumerate((0, 1, 2)):
        run(ctx, ITEM, f"run-{number}", timedelta(days=day))
    known = circumstances(ctx.release.entry(ITEM), ctx.ledger, ctx.settings.library_dir)
    history = known.history(NOW + timedelta(days=1))
    assert history.last_delivery == NOW
    assert len(history.volumes) == 1
    assert len(known.history(NOW + timedelta(days=9)).volumes) == 3
    assert known.history(NOW).volumes == ()
