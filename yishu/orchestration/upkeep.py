"""Upkeep of the ledger: the journal is sealed by the hour, the release follows the day.

A decision on a source takes effect on its day, and no person publishes anything on it: so the
release is written again every night. What has not changed gives the same file.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yishu.pipeline import PipelineContext


def seal_journal(ctx: "PipelineContext") -> int:
    """Seal what waits and keep the last seal outside the database; how many records."""
    from yishu.ledger.upkeep import seal_all  # noqa: PLC0415  cryptography, once an hour

    return seal_all(ctx.engine, ctx.settings, ctx.clock()).records


def write_release_of_today(ctx: "PipelineContext") -> str | None:
    """Write the release as the register has it today; its id, None while entries are in files."""
    from yishu.governance import publication  # noqa: PLC0415
    from yishu.governance.candidate import day_of, load_rules  # noqa: PLC0415

    with ctx.engine.connect() as connection:
        if not publication.has_published(connection):
            return None
    now = ctx.clock()
    rules = load_rules(ctx.settings.catalog_dir, day_of(now))
    # The DAG processor reads its files again by itself; a task cannot ask it to.
    place = publication.Place(ctx.engine, ctx.settings, lambda _: False)
    return publication.write(place, rules, now).release.id
