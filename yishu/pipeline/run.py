"""The stages as whole acts: do the work, tell ledger and lineage; DAGs, CLI and tests call these.

Each function is safe to call again with the same run id, whatever happened in between: a stage
that finished is not done twice, one that was killed starts over, and the facts told are the same.
What comes back is a small plain record.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from openlineage.client.event_v2 import RunEvent

from catalog.errors import NotCataloged
from catalog.model import CatalogEntry
from yishu.ledger.facts import (
    Layer,
    PullFacts,
    RefusalFacts,
    RunFinished,
    RunKind,
    RunStarted,
    RunState,
    Stage,
)
from yishu.library import build_subject
from yishu.library.links import check_links
from yishu.lineage import publish_event, pull_event, source_dataset, subject_event, validate_event
from yishu.pipeline.aftermath import after_publication, object_to_copies
from yishu.pipeline.care import admitted
from yishu.pipeline.changes import require_bounds
from yishu.pipeline.circumstances import circumstances
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.custody import look_through
from yishu.pipeline.drift import tell_drift, tell_new_columns
from yishu.pipeline.errors import ConnectionUnknown, SchemaDrift
from yishu.pipeline.facts import (
    commit_facts,
    contribution_facts,
    outcomes,
    published,
    pull_facts,
    unlisted_columns,
    verdict_facts,
)
from yishu.pipeline.publish import publish_entry
from yishu.pipeline.pull import PullReceipt, is_pulled, load_receipt, pull
from yishu.pipeline.rows import WHOLE, Batch
from yishu.pipeline.store import RunFolder, run_folder
from yishu.pipeline.telling import StageRun, told
from yishu.pipeline.validate import validate_landed
from yishu.pipeline.volume import require_expected_volume
from yishu.sources.protocol import Connection

Record = dict[str, Any]


def run_pull(entry_id: str, run_id: str, ctx: PipelineContext, *, batch: Batch = WHOLE) -> Record:
    """Land an entry's rows, or those of one batch of its history.

    Raises:
        NotCataloged: the release has no such entry; the refusal is in the ledger.
        ConnectionUnknown: there is no connection to its source; the ledger has the failed run.
        OutsideWindow, EntryBusy, SystemResting: the system is not to be read at this moment.
        BoundsOutOfOrder: the batch has no bounds that the entry could have.
        SchemaDrift: the source no longer has what the catalog promises.
        VolumeSuspect: it shrank or grew beyond its bounds, and nobody accepted this run.
    """
    entry = _entry(entry_id, run_id, ctx)
    connection = _connection(entry, run_id, ctx)
    event = partial(_event, pull_event, entry, source=source_dataset(entry.source, connection.url))
    with told(_stage(entry, run_id, Stage.PULL, event), ctx) as outcome:
        require_bounds(entry, batch)
        receipt = _pulled(entry, connection, run_id, ctx, batch)
        ctx.ledger.record_pull(pull_facts(entry, receipt))
        for refused in unlisted_columns(entry, receipt):
            ctx.ledger.record_refusal(refused)
        tell_new_columns(entry, receipt.new_columns, ctx)
        outcome.facts = {"rows": receipt.rows, "size": receipt.bytes}
        require_expected_volume(entry, receipt, ctx)
    return asdict(receipt)


def _pulled(
    entry: CatalogEntry,
    connection: Connection,
    run_id: str,
    ctx: PipelineContext,
    batch: Batch,
) -> PullReceipt:
    folder = _folder(entry.id, run_id, ctx)
    if is_pulled(folder):
        return load_receipt(folder, needed_by="pull")
    try:
        with admitted(entry, run_id, ctx):
            return pull(
                entry,
                connection,
                folder,
                run_id=run_id,
                now=ctx.clock(),
                library=ctx.settings.library_dir,
                batch=batch,
            )
    except SchemaDrift as drift:
        tell_drift(entry, drift.found, ctx)
        raise _with_evidence(drift, ctx.ledger.last_receipt(entry.id)) from None


def _with_evidence(drift: SchemaDrift, last: PullFacts | None) -> SchemaDrift:
    """The error with the last pull that still matched: since then the department changed it."""
    known = "no pull of it ever matched"
    if last is not None:
        at = f"{last.pulled_at:%Y-%m-%d %H:%M} UTC"
        known = f"the last pull that matched was run {last.run_id} at {at}, {last.rows:,} rows"
    return SchemaDrift(
        drift.obj,
        found=f"{drift.found}; {known}",
        expected=drift.expected,
        remedy=drift.remedy,
    )


def run_validate(entry_id: str, run_id: str, ctx: PipelineContext) -> Record:
    """Check an entry's landed rows and set the failing ones aside."""
    entry = _entry(entry_id, run_id, ctx)
    event = partial(_event, validate_event, entry)
    with told(_stage(entry, run_id, Stage.VALIDATE, event), ctx) as outcome:
        around = circumstances(entry, ctx.ledger, ctx.settings.library_dir)
        verdict = validate_landed(entry, ctx.release, _folder(entry_id, run_id, ctx), around)
        ctx.ledger.record_verdict(verdict_facts(entry, verdict, ctx.clock()))
        look_through(entry, _folder(entry_id, run_id, ctx), run_id, ctx)
        outcome.facts = {
            "rows": verdict.rows,
            "quarantined": verdict.quarantined_rows,
            "outcomes": outcomes(verdict),
        }
    return {
        "run_id": run_id,
        "rows": verdict.rows,
        "quarantined": verdict.quarantined_rows,
        "passed": verdict.passed,
        "blocked_by": list(verdict.blocked_by),
    }


def run_publish(entry_id: str, run_id: str, ctx: PipelineContext) -> Record:
    """Publish an entry's validated rows as one version of its unified table."""
    entry = _entry(entry_id, run_id, ctx)
    event = partial(_event, publish_event, entry)
    with told(_stage(entry, run_id, Stage.PUBLISH, event), ctx) as outcome:
        folder = _folder(entry_id, run_id, ctx)
        now = ctx.clock()
        commit = publish_entry(entry, folder, ctx.settings.library_dir, committed_at=now)
        ctx.ledger.record_commit(commit_facts(commit, entry_id, Layer.UNIFIED))
        receipt = load_receipt(folder, needed_by="publish")
        after_publication(entry, commit, datetime.fromisoformat(receipt.pulled_at), ctx)
        ctx.ledger.record_run_finished(RunFinished(run_id, entry_id, RunState.SUCCEEDED, now))
        outcome.facts = {"published": published(commit)}
    return asdict(commit)


def run_subject(
    subject_id: str, run_id: str, ctx: PipelineContext, *, is_due: bool = False
) -> Record:
    """Build a subject table from the newest published versions of its entries.

    Args:
        subject_id: The subject.
        run_id: The run.
        ctx: The world of the stage.
        is_due: The schedule asks for it, so nobody is waited for any longer.

    Raises:
        SubjectUnknown: the release has no such subject.
    """
    subject, library = ctx.subject(subject_id), ctx.settings.library_dir
    versions: dict[str, int | None] = {}

    def event(state: Any, moment: Any, **facts: Any) -> RunEvent:
        return subject_event(state, moment, subject, ctx.release, versions, **facts)

    run = StageRun(subject_id, run_id, RunKind.SUBJECT, Stage.SUBJECT, event)
    with told(run, ctx) as outcome:
        now = ctx.clock()
        built = build_subject(
            library,
            subject,
            ctx.release,
            run_id=run_id,
            committed_at=now,
            is_due=is_due,
        )
        versions.update({given.entry_id: given.version for given in built.contributions})
        facts = commit_facts(built.commit, subject_id, Layer.SUBJECT)
        ctx.ledger.record_subject(facts, contribution_facts(built))
        object_to_copies(built.copies, ctx)
        ctx.ledger.record_run_finished(RunFinished(run_id, subject_id, RunState.SUCCEEDED, now))
        outcome.facts = {"published": published(built.commit)}
    return {
        **asdict(built.commit),
        "contributions": [asdict(given) for given in built.contributions],
        "missing": list(built.missing),
        "copies": [asdict(finding) for finding in built.copies],
        "links": [asdict(found) for found in check_links(library, subject, ctx.release)],
    }


def _connection(entry: CatalogEntry, run_id: str, ctx: PipelineContext) -> Connection:
    try:
        return ctx.connection(entry.source.connection)
    except ConnectionUnknown as error:
        # Lineage cannot name a source without its address, so the ledger alone is told.
        now, kind = ctx.clock(), RunKind.ENTRY
        ctx.ledger.record_run_started(
            RunStarted(run_id, entry.id, kind, ctx.release.id, now, entry.version)
        )
        ctx.ledger.record_run_finished(
            RunFinished.by_error(error, run_id=run_id, object_id=entry.id, stage=Stage.PULL, at=now)
        )
        raise


def _event(
    build: Callable[..., RunEvent], entry: CatalogEntry, state: Any, moment: Any, **facts: Any
) -> RunEvent:
    return build(state, moment, entry, **facts)


def _stage(
    entry: CatalogEntry, run_id: str, stage: Stage, event: Callable[..., RunEvent]
) -> StageRun:
    return StageRun(entry.id, run_id, RunKind.ENTRY, stage, event, entry.version)


def _folder(entry_id: str, run_id: str, ctx: PipelineContext) -> RunFolder:
    return run_folder(ctx.settings.var_dir, entry_id, run_id)


def _entry(entry_id: str, run_id: str, ctx: PipelineContext) -> CatalogEntry:
    try:
        return ctx.release.entry(entry_id)
    except NotCataloged as error:
        ctx.ledger.record_refusal(RefusalFacts.by_error(error, run_id=run_id, at=ctx.clock()))
        raise
