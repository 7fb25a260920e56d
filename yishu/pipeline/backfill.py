"""Historic back-fill: an entry's past in batches, each a whole run with its own counts.

A batch goes on where the one before it ended and stops before its bound. So a long history never
comes in one piece: what was published stays, a batch that was killed is done again, and a batch
that finished is not. The batches together hold what one full pull would.

Of history that is in the library already, a batch is read again and what changed meanwhile is
corrected. What the library has not come to yet is never passed over: then a batch begins earlier.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]

from catalog.model import CatalogEntry
from catalog.vocabulary import DataType
from transforms.parsing import LOCAL_ZONE
from yishu.pipeline.changes import bounds_refused, is_ordered
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.position import Stamp, order_type, stamp_of, text_of
from yishu.pipeline.rows import Batch
from yishu.pipeline.run import run_publish, run_pull, run_validate

COUNTS = (
    *("read", "inserted", "updated", "unchanged", "quarantined", "superseded"),
    *("deleted", "removals", "rows"),
)

MOST_BATCHES = 10_000
"""More are a slip of the pen: each batch is a run with its records."""


class Every(StrEnum):
    """How much of the past a batch holds, where stamps are days or moments."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


def run_backfill(
    entry_id: str,
    run_id: str,
    bounds: Sequence[str],
    ctx: PipelineContext,
    *,
    since: str | None = None,
    told: Callable[[dict[str, Any]], object] = lambda _: None,
) -> list[dict[str, Any]]:
    """Fill in history, batch by batch.

    Args:
        entry_id: An entry of mode ``incremental`` or ``change_log``.
        run_id: The back-fill; its batches are the runs ``<run_id>.0001``, ``<run_id>.0002``, ...
        bounds: For each batch the first stamp or batch number that is left for the next one.
        ctx: The world.
        since: Where the first batch begins, if the library has come that far; None: where it
            stands.
        told: Told of each batch once it is published.

    Returns:
        For each batch its run, its bound and its counts.

    Raises:
        BoundsOutOfOrder: the bounds are not stamps of the entry, each later than the one before.
    """
    entry = ctx.release.entry(entry_id)
    if not bounds or not is_ordered(entry, [*([since] if since else []), *bounds]):
        raise bounds_refused(entry, bounds)
    done: list[dict[str, Any]] = []
    for number, (begin, until) in enumerate(zip([since, *bounds], bounds, strict=False), 1):
        batch = f"{run_id}.{number:04d}"
        run_pull(entry_id, batch, ctx, batch=Batch(begin if since else None, until))
        run_validate(entry_id, batch, ctx)
        commit = run_publish(entry_id, batch, ctx)
        done.append({"run_id": batch, "until": until, **{name: commit[name] for name in COUNTS}})
        told(done[-1])
    return done


def bounds_between(entry: CatalogEntry, first: str, last: str, every: str) -> list[str]:
    """Where batches of equal length end, the last at ``last``.

    Args:
        entry: Says what its stamps are.
        first: A stamp or batch number, e.g. ``2024-01-01``; a day without a zone is Beijing's.
        last: A later one.
        every: ``day``, ``week``, ``month`` or ``year``; for numbers, how many.

    Raises:
        BoundsOutOfOrder: these are not stamps of the entry, or there is nothing between them.
    """
    if not is_ordered(entry, [first, last]):
        raise bounds_refused(entry, [first, last])
    begin, end = (stamp_of(entry.source, text) for text in (first, last))
    found: list[Stamp] = []
    try:
        for number in range(1, MOST_BATCHES + 1):
            bound = _later(begin, every, number)
            if bound >= end:  # type: ignore[operator]  # both are of the entry's type
                return [*map(text_of, found), text_of(end)]
            found.append(bound)
    except (ValueError, OverflowError):
        raise bounds_refused(entry, [first, last], f"a step of {every}") from None
    raise bounds_refused(entry, [first, last], f"more than {MOST_BATCHES:,} batches")


def batch_of(entry: CatalogEntry, until: datetime, length: timedelta | None) -> Batch:
    """The batch of an entry's history that ends at a moment and is that long.

    Raises:
        BoundsOutOfOrder: the entry's stamps are numbers, which no date bounds.
    """
    if entry.source.change_log or order_type(entry.source) is DataType.INTEGER:
        raise bounds_refused(entry, [until.isoformat()], "dates where stamps are numbers")
    local = until.astimezone(LOCAL_ZONE)
    is_day = order_type(entry.source) is DataType.DATE
    end: Stamp = local.date() if is_day else local
    begin = None if length is None else text_of(end - length)  # type: ignore[operator]
    return Batch(begin, text_of(end))


def _later(stamp: Stamp, every: str, times: int) -> Stamp:
    if isinstance(stamp, int):
        step = int(every)
        if step < 1:
            raise ValueError(every)
        return stamp + step * times
    later: date = stamp + relativedelta(**{f"{Every(every)}s": times})
    return later
