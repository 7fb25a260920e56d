"""From what a stage made to what ledger and lineage are told: pure translations, field by field."""

from datetime import datetime

from catalog.model import CatalogEntry
from expectations.verdict import Verdict
from yishu.ledger.facts import (
    CheckFacts,
    CommitFacts,
    ContributionFacts,
    Layer,
    ProfileFacts,
    PullFacts,
    RefusalFacts,
    Stage,
    VerdictFacts,
)
from yishu.library import Commit, SubjectCommit
from yishu.lineage import CheckOutcome, Published
from yishu.pipeline.pull import PullReceipt


def pull_facts(entry: CatalogEntry, receipt: PullReceipt) -> PullFacts:
    """What a pull brought."""
    spec = entry.source
    return PullFacts(
        run_id=receipt.run_id,
        entry_id=entry.id,
        department_id=entry.provider_org,
        connection_id=spec.connection,
        system_kind=spec.kind,
        place=spec.table or spec.path or spec.endpoint or "",
        rows=receipt.rows,
        bytes=receipt.bytes,
        digest=receipt.digest,
        pulled_at=datetime.fromisoformat(receipt.pulled_at),
        new_columns=receipt.new_columns,
        mode=receipt.mode,
        since=receipt.since,
        reached=receipt.reached,
        source_digest=receipt.source_digest,
    )


def unlisted_columns(entry: CatalogEntry, receipt: PullReceipt) -> list[RefusalFacts]:
    """The columns that a pull left unread because the catalog does not list them."""
    return [
        RefusalFacts(
            run_id=receipt.run_id,
            object_id=entry.id,
            item=name,
            code="COL_NOT_LISTED",
            found=f"column of type {kind} in the source",
            expected="only catalogued columns are collected (S004 Art.15)",
            remedy="leave it, or add it to the entry as a data item",
            refused_at=datetime.fromisoformat(receipt.pulled_at),
            stage=Stage.PULL,
        )
        for name, kind in receipt.new_columns.items()
    ]


def verdict_facts(entry: CatalogEntry, verdict: Verdict, decided_at: datetime) -> VerdictFacts:
    """What validation decided, check by check."""
    return VerdictFacts(
        run_id=verdict.run_id,
        entry_id=entry.id,
        rows=verdict.rows,
        quarantined=verdict.quarantined_rows,
        passed=verdict.passed,
        max_quarantined_share=entry.quality.max_quarantined_share,
        decided_at=decided_at,
        checks=tuple(
            CheckFacts(
                check_id=result.check_id,
                kind=result.kind,
                dimension=result.dimension,
                severity=result.severity,
                columns=result.columns,
                counted=result.counted,
                failed=result.failed,
                text_zh=result.text_zh,
                text_en=result.text_en,
                threshold=result.threshold,
                waived=result.waived,
                waivers=result.waivers,
            )
            for result in verdict.results
        ),
        blocked_by=verdict.blocked_by,
        profiles=tuple(ProfileFacts(**one.record()) for one in verdict.profiles),
    )


def commit_facts(commit: Commit, object_id: str, layer: Layer) -> CommitFacts:
    """What a publication changed."""
    return CommitFacts(
        run_id=commit.run_id,
        object_id=object_id,
        layer=layer,
        table=commit.table,
        version=commit.version,
        read=commit.read,
        inserted=commit.inserted,
        updated=commit.updated,
        unchanged=commit.unchanged,
        deleted=commit.deleted,
        quarantined=commit.quarantined,
        superseded=commit.superseded,
        rows=commit.rows,
        committed_at=datetime.fromisoformat(commit.committed_at),
        entry_version=commit.entry_version,
        removals=commit.removals,
    )


def contribution_facts(built: SubjectCommit) -> list[ContributionFacts]:
    """What each entry gave to a subject."""
    return [
        ContributionFacts(
            entry_id=given.entry_id,
            rows_in=given.rows_in,
            contributed=given.contributed,
            not_linked=given.not_linked,
            reasons=dict(given.reasons),
            entry_table_version=given.version,
        )
        for given in built.contributions
    ]


def published(commit: Commit) -> Published:
    """A publication as lineage tells it."""
    counts = ("read", "inserted", "updated", "unchanged", "deleted", "quarantined", "superseded")
    return Published(commit.version, commit.rows, {name: getattr(commit, name) for name in counts})


def outcomes(verdict: Verdict) -> list[CheckOutcome]:
    """The checks of a verdict as lineage tells them."""
    return [
        CheckOutcome(
            check_id=result.check_id,
            kind=result.kind,
            columns=result.columns,
            severity=result.severity,
            counted=result.counted,
            failed=result.failed,
            success=result.success,
            text=result.text_en,
            threshold=result.threshold,
        )
        for result in verdict.results
    ]
