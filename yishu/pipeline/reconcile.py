"""Compare the library with the ledger: what was published past the one scheduler (S002 二(六)).

Every table version must be a publication that the ledger knows, or maintenance. Anything else was
written through a side channel, or the ledger was told nothing: either needs a person.
"""

from dataclasses import dataclass

from yishu.ledger.facts import RefusalFacts, RunState
from yishu.library import commits, strays
from yishu.library.read import tables
from yishu.pipeline.context import PipelineContext

SIDE_CHANNEL = "LIB_SIDE_CHANNEL"
"""Code of the refusals that put a finding on record."""


@dataclass(frozen=True)
class SideChannel:
    """A table version that is not on record; ``run_id`` is what it claims, empty if nothing."""

    table: str
    version: int
    run_id: str


def reconcile(ctx: PipelineContext) -> list[SideChannel]:
    """Table versions that no recorded run published, by table and version."""
    root = ctx.settings.library_dir
    named = tables(root)
    found = [SideChannel(table, version, "") for table in named for version in strays(root, table)]
    claimed = [
        SideChannel(table, commit.version, commit.run_id)
        for table in named
        for commit in commits(root, table)
    ]
    # Asked after the library, so that a publication in between is not taken for a stranger.
    known = ctx.ledger.published_versions()
    found += [one for one in claimed if (one.table, one.version) not in known]
    return sorted(found, key=lambda one: (one.table, one.version))


def record_side_channels(ctx: PipelineContext) -> list[SideChannel]:
    """What ``reconcile`` finds, each put on record once as a refusal; nothing is undone.

    A version whose run is still under way is left out: the ledger is told after the library, and
    a run that was killed in between tells it when it is retried.
    """
    found = [one for one in reconcile(ctx) if not _is_under_way(one, ctx)]
    for one in found:
        ctx.ledger.record_refusal(
            RefusalFacts(
                run_id=one.run_id,
                object_id=one.table,
                item=f"version {one.version}",
                code=SIDE_CHANNEL,
                found=f"version {one.version}, which no recorded run published",
                expected="every version published by a run on record (S002 二(六))",
                remedy="find out who wrote it; a new run of the entry or subject publishes anew",
                refused_at=ctx.clock(),
            )
        )
    return found


def _is_under_way(one: SideChannel, ctx: PipelineContext) -> bool:
    run = ctx.ledger.run(one.run_id, one.table.partition("/")[2])
    return run is not None and run.state is RunState.RUNNING
