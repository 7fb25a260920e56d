"""The state of an entry's data in one reading: load, rows, changes, failed rules, freshness."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.model import CatalogEntry
from yishu.clocks.freshness import Freshness, freshness
from yishu.governance.objections import ObjectionState, counted
from yishu.governance.objections.states import DONE
from yishu.ledger import CheckFacts, Ledger, RunState
from yishu.pipeline.context import PipelineContext


@dataclass(frozen=True)
class EntryStatus:
    """What is known of an entry's data; what never happened is None.

    Attributes:
        last_run: The latest run, whatever became of it; ``last_state`` and ``last_error`` say.
        loaded_run: The run whose data readers see.
        loaded_at: When the department system was read for it, UTC.
        rows: Rows that readers see.
        inserted, updated, deleted: What that run changed against the version before.
        quarantined: Rows that it set aside.
        failed_rules: Checks of that run's verdict that some row failed, the worst first.
        age: Since ``loaded_at``, to the second.
        fresh_for: How long data count as fresh by their update cycle; None: for ever.
        open_objections: Objections to its data that are not closed.
        is_fresh: Whether they are; None when nothing is loaded or the cycle sets no limit.
    """

    entry_id: str
    update_cycle: str
    last_run: str | None
    last_state: RunState | None
    last_error: str | None
    loaded_run: str | None
    loaded_at: datetime | None
    rows: int | None
    inserted: int | None
    updated: int | None
    deleted: int | None
    quarantined: int | None
    failed_rules: tuple[CheckFacts, ...]
    age: timedelta | None
    fresh_for: timedelta | None
    open_objections: int
    is_fresh: bool | None


def entry_status(entry_id: str, ctx: PipelineContext) -> EntryStatus:
    """The state of an entry's data now.

    Raises:
        NotCataloged: the release has no such entry.
    """
    return status_of(ctx.release.entry(entry_id), ctx.ledger, ctx.clock())


def status_of(entry: CatalogEntry, ledger: Ledger, now: datetime) -> EntryStatus:
    """The state of a released entry's data at a moment."""
    entry_id = entry.id
    run = next(iter(ledger.last_runs(1, entry_id)), None)
    commit = ledger.last_commit(entry_id)
    receipt = ledger.receipt(commit.run_id, entry_id) if commit else None
    verdict = ledger.verdict(entry_id, commit.run_id) if commit else None
    loaded_at = receipt.pulled_at if receipt else None
    age = timedelta(seconds=int((now - loaded_at).total_seconds())) if loaded_at else None
    limit = entry.update_cycle.freshness
    return EntryStatus(
        entry_id=entry_id,
        update_cycle=entry.update_cycle.value,
        last_run=run.run_id if run else None,
        last_state=run.state if run else None,
        last_error=run.error_code if run else None,
        loaded_run=commit.run_id if commit else None,
        loaded_at=loaded_at,
        rows=commit.rows if commit else None,
        inserted=commit.inserted if commit else None,
        updated=commit.updated if commit else None,
        deleted=commit.deleted if commit else None,
        quarantined=commit.quarantined if commit else None,
        failed_rules=tuple(check for check in verdict.checks if check.failed) if verdict else (),
        age=age,
        fresh_for=limit,
        open_objections=_open_objections(entry_id, ledger),
        is_fresh=_is_fresh(entry, loaded_at, now),
    )


def _is_fresh(entry: CatalogEntry, loaded_at: datetime | None, now: datetime) -> bool | None:
    state = freshness(entry, loaded_at, now).state
    if loaded_at is None or state is Freshness.UNLIMITED:
        return None
    return state is Freshness.FRESH


def _open_objections(entry_id: str, ledger: Ledger) -> int:
    with ledger.transaction() as connection:
        return counted(connection, source_entry_id=entry_id, states=set(ObjectionState) - DONE)
