"""Historic back-fill: an entry's past in batches, each a whole run with its own counts.

A batch goes on where the one before it ended and stops before its bound. So a long history never
comes in one piece: what was published stays, a batch that was killed is done again, and a batch
that finished is not. The batches together hold what one full pull would.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from yishu.pipeline.context import PipelineContext
from yishu.pipeline.errors import BoundsOutOfOrder
from yishu.pipeline.position import stamp_of
from yishu.pipeline.run import run_publish, run_pull, run_validate

COUNTS = (
    *("read", "inserted", "updated", "unchanged", "quarantined", "superseded"),
    *("deleted", "removals", "rows"),
)


def run_backfill(
    entry_id: str, run_id: str, bounds: Sequence[str], ctx: PipelineContext
) -> list[dict[str, Any]]:
    """Fill in history, batch by batch.

    Args:
        entry_id: An entry of mode ``incremental`` or ``change_log``.
        run_id: The back-fill; its batches are the runs ``<run_id>.0001``, ``<run_id>.0002``, ...
        bounds: For each batch the first stamp or batch number that is left for the next one.
        ctx: The world.

    Returns:
        For each batch its run, its bound and its counts.

    Raises:
        BoundsOutOfOrder: the bounds are not stamps of the entry, each later than the one before.
    """
    _require_order(entry_id, bounds, ctx)
    done = []
    for number, until in enumerate(bounds, 1):
        batch = f"{run_id}.{number:04d}"
        run_pull(entry_id, batch, ctx, until=until)
        run_validate(entry_id, batch, ctx)
        commit = run_publish(entry_id, batch, ctx)
        done.append({"run_id": batch, "until": until, **{name: commit[name] for name in COUNTS}})
    return done


def _require_order(entry_id: str, bounds: Sequence[str], ctx: PipelineContext) -> None:
    spec = ctx.release.entry(entry_id).source
    is_by_changes = spec.watermark is not None or spec.change_log is not None
    try:
        stamps: list[Any] = [stamp_of(spec, text) for text in bounds] if is_by_changes else []
    except ValueError:
        stamps = []
    if not stamps or any(a >= b for a, b in pairwise(stamps)):
        raise BoundsOutOfOrder(
            entry_id,
            found=f"the bounds {', '.join(bounds) or 'none'} in mode {spec.mode}",
            expected="bounds in the type of the entry's watermark or batch, each later than the "
            "one before, of an entry that is pulled by changes",
            remedy="correct the bounds; an entry of mode full is pulled as a whole",
        )
