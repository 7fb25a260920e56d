"""One call tells the state of an entry's data."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.errors import NotCataloged
from yishu.ledger import RunState
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.errors import EmptySource
from yishu.pipeline.status import entry_status

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ENTERPRISE = "market_regulation.enterprise_registration"
ORGANISATION = "civil_affairs.social_organisation"


def at(ctx, after):
    return replace(ctx, clock=lambda: NOW + after)


@pytest.mark.requirement("QUA-03")
def test_one_call_tells_load_rows_changes_rules_and_freshness(published_city, city):
    ctx, done = published_city
    status = entry_status(ENTERPRISE, at(ctx, timedelta(hours=5)))

    known = city.manifest.entries[ENTERPRISE]
    publish = done[ENTERPRISE]["publish"]
    assert (status.loaded_run, status.loaded_at) == ("first", NOW)
    assert (status.rows, status.inserted) == (publish["rows"], publish["inserted"])
    assert status.rows == known.published
    assert (status.updated, status.deleted) == (0, 0)
    assert status.quarantined == known.quarantined
    assert sum(rule.failed for rule in status.failed_rules) >= known.quarantined > 0
    assert status.failed_rules[0].failed == max(rule.failed for rule in status.failed_rules)
    assert status.age == timedelta(hours=5)


@pytest.mark.requirement("QUA-03")
@pytest.mark.parametrize(("late", "is_fresh"), [(timedelta(0), True), (timedelta(1), False)])
def test_freshness_ends_with_the_update_cycle(published_city, late, is_fresh):
    ctx, _ = published_city
    limit = ctx.release.entry(ENTERPRISE).update_cycle.freshness

    status = entry_status(ENTERPRISE, at(ctx, limit + late))

    assert (status.fresh_for, status.is_fresh) == (limit, is_fresh)


@pytest.mark.requirement("QUA-03")
def test_a_failed_run_shows_beside_what_readers_still_see(city, make_world, tmp_path):
    ctx = make_world()
    for stage in (run_pull, run_validate, run_publish):
        published = stage(ORGANISATION, "good", ctx)
    copy = tmp_path / "emptied.db"
    whole = city.urls["civil_affairs_db"].removeprefix("sqlite:///")
    with sqlite3.connect(whole) as original, sqlite3.connect(copy) as emptied:
        original.backup(emptied)
        emptied.execute("delete from shzz_djxx")
        emptied.commit()
    later = at(make_world(urls={"civil_affairs_db": f"sqlite:///{copy}"}), timedelta(days=1))
    with pytest.raises(EmptySource):
        run_pull(ORGANISATION, "bad", later)

    status = entry_status(ORGANISATION, later)

    assert (status.last_run, status.last_state) == ("bad", RunState.FAILED)
    assert status.last_error == "RUN_EMPTY_SOURCE"
    assert (status.loaded_run, status.rows) == ("good", published["rows"])


def test_an_entry_that_never_ran_is_known_by_its_promise_alone(make_world):
    status = entry_status(ORGANISATION, make_world())

    assert (status.last_run, status.loaded_at, status.is_fresh) == (None, None, None)
    assert status.failed_rules == ()


def test_what_is_not_in_the_catalog_has_no_state(make_world):
    with pytest.raises(NotCataloged):
        entry_status("civil_affairs.marriages", make_world())
