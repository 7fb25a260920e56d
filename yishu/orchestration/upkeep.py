"""Nightly upkeep of the ledger: seal the journal, bring the release to the new day.

A decision on a source takes effect on its day, and no person publishes anything on it: so the
release is written again every night. What has not changed gives the same file.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yishu.pipeline import PipelineContext


def keep_ledger(ctx: "PipelineContext") -> dict[str, Any]:
    """Seal what waits and keep the last seal outside; write the release that is due today.

    Returns:
        ``sealed``: records that were sealed; ``release``: id of the release in force, None where
        entries still come from files.
    """
    from yishu.ledger.upkeep import seal_all  # noqa: PLC0415  cryptography, once a night

    sealed = seal_all(ctx.engine, ctx.settings, ctx.clock())
    return {"sealed": sealed.records, "release": _write_release(ctx)}


def _write_release(ctx: "PipelineContext") -> str | None:
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
