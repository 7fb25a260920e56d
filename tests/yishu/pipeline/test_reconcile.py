"""What was written past the scheduler is found by comparing the library with the ledger."""

import pytest
from deltalake import CommitProperties, write_deltalake

from yishu.ledger.facts import RunFinished, RunKind, RunStarted, RunState
from yishu.library import maintain, unified_table
from yishu.library.read import read
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.reconcile import SideChannel, reconcile, record_side_channels

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
def test_what_is_found_is_put_on_record_once(published):
    """Every night finds the same stray version; the audit log has it once."""
    root = published.settings.library_dir
    folder = root / "unified" / "human_resources" / "hr_service_item"
    told = CommitProperties(custom_metadata={"kind": "maintenance"})
    rows = read(root, TABLE).slice(0, 1)
    write_deltalake(str(folder), rows, mode="append", commit_properties=told)

    (found,) = record_side_channels(published)
    assert record_side_channels(published) == [found]

    (refusal,) = (one for one in published.ledger.refusals() if one.code == "LIB_SIDE_CHANNEL")
    assert (refusal.object_id, refusal.item) == (TABLE, f"version {found.version}")


@pytest.mark.requirement("SHR-16")
def test_a_run_that_has_not_ended_yet_is_no_side_channel(published, copied, ledger_template):
    """Killed between library and ledger, it tells the ledger when it is retried."""
    bare = copied(ledger_template)
    ctx = type(published)(published.settings, published.release, bare, {}, published.clock)
    ctx.ledger.record_run_started(
        RunStarted("run-1", ENTRY, RunKind.ENTRY, ctx.release.id, ctx.clock())
    )

    assert record_side_channels(ctx) == []

    ctx.ledger.record_run_finished(RunFinished("run-1", ENTRY, RunState.FAILED, ctx.clock()))
    assert record_side_channels(ctx) == [SideChannel(TABLE, 0, "run-1")]


@pytest.mark.requirement("SHR-16")
def test_a_publication_that_the_ledger_was_not_told_of_is_found(published, copied, ledger_template):
    """A version by a run that is not on record is named with the run that it claims."""
    bare = copied(ledger_template)
    ctx = type(published)(published.settings, published.release, bare, {}, published.clock)

    assert reconcile(ctx) == [SideChannel(TABLE, 0, "run-1")]
