"""Compare the library with the ledger: what was published past the one scheduler (S002 二(六)).

Every table version must be a publication that the ledger knows, or maintenance. Anything else was
written through a side channel, or the ledger was told nothing: either needs a person.
"""

from dataclasses import dataclass

from yishu.library import commits, strays
from yishu.library.read import tables
from yishu.pipeline.context import PipelineContext


@dataclass(frozen=True)
class SideChannel:
    """A table version that is not on record; ``run_id`` is what it claims, empty if nothing."""

    table: str
    version: int
    run_id: str


def reconcile(ctx: PipelineContext) -> list[SideChannel]:
    """Table versions that no recorded run published, by table and version."""
    known = ctx.ledger.published_versions()
    root = ctx.settings.library_dir
    found = []
    for table in tables(root):
        found += [SideChannel(table, version, "") for version in strays(root, table)]
        found += [
            SideChannel(table, commit.version, commit.run_id)
            for commit in commits(root, table)
            if (table, commit.version) not in known
        ]
    return sorted(found, key=lambda one: (one.table, one.version))
