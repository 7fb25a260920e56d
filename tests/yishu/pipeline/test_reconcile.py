"""What was written past the scheduler is found by comparing the library with the ledger."""

import pytest
from deltalake import write_deltalake

from yishu.ledger import migrate
from yishu.library import maintain, unified_table
from yishu.library.read import read
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.reconcile import SideChannel, reconcile

ENTRY = "human_resources.hr_service_item"
TABLE = unified_table(ENTRY)


@pytest.fixture
def published(make_world):
    """One entry published by a recorded run, and its table maintained."""
    ctx = make_world()
    for stage in (run_pull, run_validate, run_publish):
        stage(ENTRY, "run-1", ctx)
    maintain(ctx.settings.library_dir, TABLE, history_days=30)
    return ctx


@pytest.mark.requirement("SHR-16")
def test_a_write_past_the_scheduler_is_found(published):
    """Publications and maintenance are on record; a foreign commit is named with its version."""
    assert reconcile(published) == []
    root = published.settings.library_dir
    rows = read(root, TABLE)
    folder = root / "unified" / "human_resources" / "hr_service_item"
    write_deltalake(str(folder), rows.slice(0, 1), mode="append")

    (found,) = reconcile(published)

    assert found.table == TABLE
    assert found.run_id == ""


@pytest.mark.requirement("SHR-16")
def test_a_publication_that_the_ledger_was_not_told_of_is_found(published, make_world, city):
    """A version by a run that is not on record is named with the run that it claims."""
    bare = city.postgres.ensure_database("ledger_without_runs")

    migrate.upgrade(bare)
    ctx = make_world()
    other = type(ctx)(ctx.settings, ctx.release, bare, ctx.connections, ctx.clock)

    assert reconcile(other) == [SideChannel(TABLE, 0, "run-1")]
