"""Volume guard: a source that suddenly shrank or grew is a question for a person.

A department that lost half a table, or loaded it twice, delivers rows that pass every other check.
So a pull is held against the last published one: by the rows that it brought in full, or, when it
brought changes, by the rows that would be left and those that would be there afterwards. What is
out of bounds waits landed, until a person accepts exactly that run, or a later run brings what was
expected.
"""

from dataclasses import dataclass
from datetime import datetime

from catalog.model import CatalogEntry, Quality
from yishu.ledger import DecisionFacts, DecisionKind, RunRow
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.errors import NothingToAccept, VolumeSuspect
from yishu.pipeline.landing import landed
from yishu.pipeline.pull import PullReceipt
from yishu.pipeline.resolve import resolve
from yishu.pipeline.rows import is_by_changes
from yishu.pipeline.store import run_folder


@dataclass(frozen=True)
class Bounds:
    """The fewest and the most rows that raise no question."""

    least: float
    most: float

    def hold(self, rows: int) -> bool:
        """Whether so many rows raise no question."""
        return self.least <= rows <= self.most


def bounds(before: int, quality: Quality) -> Bounds:
    """What a pull may bring when the last published one had ``before`` rows."""
    return Bounds(
        min(before * (1 - quality.max_shrunk_share), before - quality.volume_slack_rows),
        max(before * (1 + quality.max_grown_share), before + quality.volume_slack_rows),
    )


def require_expected_volume(
    entry: CatalogEntry, receipt: PullReceipt, ctx: PipelineContext
) -> None:
    """Let pass a pull within its bounds, a first one, or one that a person accepted.

    Raises:
        VolumeSuspect: it is out of bounds and nobody accepted it yet.
    """
    before = _published_rows(entry, receipt.run_id, ctx)
    if before is None or receipt.until is not None:
        # A batch of a back-fill may be as large as history is.
        return
    allowed = bounds(before, entry.quality)
    suspect = _suspect(entry, receipt, before, allowed, ctx)
    if suspect is None:
        return
    decided = ctx.ledger.decision(receipt.run_id, entry.id, DecisionKind.VOLUME)
    if decided is not None and decided.facts.get("rows") == receipt.rows:
        return
    raise VolumeSuspect(
        entry.id,
        found=f"{suspect} where the last published pull had {before:,}",
        expected=f"{max(allowed.least, 0):,.0f} to {allowed.most:,.0f} rows",
        remedy="ask the department; if it is right: yishu pull "
        f"{entry.id} --run-id '{receipt.run_id}' --accept-volume 'why'; the library is unchanged",
    )


def _suspect(
    entry: CatalogEntry, receipt: PullReceipt, before: int, allowed: Bounds, ctx: PipelineContext
) -> str | None:
    """What is out of bounds, in words; None: nothing is."""
    if receipt.keys is not None and not allowed.hold(receipt.keys):
        return f"{receipt.keys:,} keys in the source"
    after = [receipt.rows]
    if receipt.after is not None:
        # The most that these changes could remove or add; if that is little, nobody looks closer.
        after = [before - receipt.rows, before + receipt.rows]
    if all(map(allowed.hold, after)):
        return None
    if not is_by_changes(entry):
        return f"{receipt.rows:,} rows"
    return _suspect_changes(entry, receipt, before, allowed, ctx)


def _suspect_changes(
    entry: CatalogEntry, receipt: PullReceipt, before: int, allowed: Bounds, ctx: PipelineContext
) -> str | None:
    folder = run_folder(ctx.settings.var_dir, entry.id, receipt.run_id)
    last = resolve(entry, folder, landed(folder), datetime.fromisoformat(receipt.pulled_at))
    written, removed = len(last.writes), len(last.removals)
    if receipt.after is None:
        return None if allowed.hold(written) else f"{written:,} rows"
    if before - removed < allowed.least:
        return f"changes that remove {removed:,} rows"
    return f"changes of {written:,} rows" if written > allowed.most else None


def accept_volume(
    entry: CatalogEntry, run_id: str | None, reason: str, by: str, ctx: PipelineContext
) -> str:
    """Put on record that a person lets a stopped run through, and that run alone.

    Args:
        entry: The entry whose run was stopped.
        run_id: The run; None for the entry's latest.
        reason: Why, in the person's words.
        by: Who decides.
        ctx: Ledger and clock.

    Returns:
        The run's id.

    Raises:
        NothingToAccept: the guard did not stop that run.
    """
    run = _stopped(entry.id, run_id, ctx)
    receipt = ctx.ledger.receipt(run.run_id, entry.id)
    before = _published_rows(entry, run.run_id, ctx)
    if receipt is None:
        raise _nothing(entry.id, f"run {run.run_id}, which landed nothing")
    at: datetime = ctx.clock()
    counts = {"rows": receipt.rows, "before": before or 0}
    ctx.ledger.record_decision(
        DecisionFacts(run.run_id, entry.id, DecisionKind.VOLUME, reason, by, at, counts)
    )
    return run.run_id


def _stopped(entry_id: str, run_id: str | None, ctx: PipelineContext) -> RunRow:
    latest = ctx.ledger.last_runs(1, entry_id)
    run = ctx.ledger.run(run_id, entry_id) if run_id else next(iter(latest), None)
    if run is None:
        raise _nothing(entry_id, f"no run {run_id or ''}".rstrip())
    if run.error_code != VolumeSuspect.code:
        raise _nothing(entry_id, f"run {run.run_id}, {run.state}: {run.error_code or 'no error'}")
    return run


def _nothing(entry_id: str, found: str) -> NothingToAccept:
    return NothingToAccept(
        entry_id,
        found=found,
        expected=f"a run that was stopped with {VolumeSuspect.code}",
        remedy="name the stopped run with --run-id, or pull without --accept-volume",
    )


def _published_rows(entry: CatalogEntry, run_id: str, ctx: PipelineContext) -> int | None:
    """Rows of the last published pull; of one that brought changes alone, those of the table."""
    commit = ctx.ledger.last_commit(entry.id)
    if commit is None or commit.run_id == run_id:
        return None
    return max(commit.read, commit.rows)
