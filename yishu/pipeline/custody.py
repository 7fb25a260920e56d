"""The quarantine as an act of a run: decisions applied, ages carried on, the ledger told."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from catalog.model import CatalogEntry
from catalog.roles import Action
from yishu.governance.permission import require
from yishu.ledger import AgeingFacts
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import QuarantineRelease
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.errors import ReleaseRefused
from yishu.pipeline.quarantine import age, apply_decisions, row_to_release
from yishu.pipeline.store import RunFolder, run_folder
from yishu.pipeline.validate import load_verdict
from yishu.redact import redact
from yishu.secrets import row_key


def look_through(
    entry: CatalogEntry, folder: RunFolder, run_id: str, ctx: PipelineContext
) -> AgeingFacts:
    """Look through the quarantine of a validated run; safe to do again."""
    decisions = ctx.ledger.row_decisions(entry.id)
    secret = row_key(ctx.settings.secrets_dir) if decisions else ""
    apply_decisions(folder, decisions, secret)
    last = ctx.ledger.aged_before(entry.id, run_id)
    before = run_folder(ctx.settings.var_dir, entry.id, last) if last else None
    at = ctx.clock()
    found = age(entry, folder, before, run_id=run_id, at=at)
    facts = AgeingFacts(run_id=run_id, entry_id=entry.id, at=at, **asdict(found))
    ctx.ledger.record_ageing(facts)
    return facts


def release_row(
    entry_id: str,
    run_id: str,
    row: int,
    ctx: PipelineContext,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
) -> list[str]:
    """Let a quarantined row through from the next run on; the checks that are overruled for it.

    Args:
        entry_id: The entry.
        run_id: The run in whose quarantine the row is.
        row: Its number in the delivery, from 1, as the reject file shows it.
        ctx: The world of the stage.
        actor: A quality monitor.
        reason: Why the row is right as it is.
        at: When it was decided.

    Raises:
        Forbidden: the role may not release.
        ReleaseRefused: no reason, no such row, or a check that no decision overrules.
        StageMissing: that run was not validated.
    """
    entry = ctx.release.entry(entry_id)
    object_id = f"{entry.id}:{run_id}:{row}"
    require(actor, Action.RELEASE_QUARANTINE, object_id)
    said = _word(object_id, reason)
    folder = run_folder(ctx.settings.var_dir, entry.id, run_id)
    verdict = load_verdict(folder, needed_by="the release")
    kinds = {result.check_id: str(result.kind) for result in verdict.results}
    secret = row_key(ctx.settings.secrets_dir)
    digest, checks = row_to_release(entry, folder, row, secret, kinds)
    values = {
        "entry_id": entry.id,
        "run_id": run_id,
        "row_number": row,
        "row_digest": digest,
        "check_ids": checks,
        "reason": said,
        "at": at,
        "account": actor.account,
    }
    act = Act(
        actor, Action.RELEASE_QUARANTINE, "quarantine_row", object_id, at, said,
        after={"checks": checks},
    )  # fmt: skip
    with ctx.ledger.transaction() as connection:
        connection.execute(insert(QuarantineRelease).values(values).on_conflict_do_nothing())
        append(connection, act)
    return checks


def _word(object_id: str, reason: str) -> str:
    """The reason as it is kept.

    Raises:
        ReleaseRefused: there is none.
    """
    said = redact(reason.strip())
    if not said:
        raise ReleaseRefused(
            object_id,
            found="a decision without a word",
            expected="why the row is right though checks fail on it",
            remedy="say what the department showed, and where it is on file",
        )
    return said
