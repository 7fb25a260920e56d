"""The same verdict by ranges of rows in parallel, as the ranges of a large pull are landed.

A check of a row sees one range; what compares rows with each other (uniqueness, the distribution of
a column, the size of the delivery) sees its columns through all ranges, since a part of them would
give another answer. So the verdict is the one that the whole gives.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.model import DataItem
from expectations.kinds import OF_BATCH, CheckKind
from expectations.plan import Check
from expectations.run import ColumnView, carried_out
from expectations.verdict import CheckResult, Gate, Verdict, judge, within

OVER_ROWS = frozenset({CheckKind.UNIQUE, *OF_BATCH})
"""Kinds that compare rows with each other."""


@dataclass(frozen=True)
class Range:
    """Rows that follow each other.

    Attributes:
        start: Row number of the first, through all ranges.
        rows: How many.
        column: Loads one column of these rows by its field name; called from several threads.
    """

    start: int
    rows: int
    column: Callable[[str], ColumnView]


def validate_ranges(
    checks: Sequence[Check],
    ranges: Sequence[Range],
    *,
    gate: Gate,
    profiled: Sequence[DataItem] = (),
    workers: int = 2,
    **ids: str,
) -> Verdict:
    """Carry out all checks over ranges, ``workers`` at a time, and judge the run.

    Args:
        checks: The plan of the entry.
        ranges: All rows of the run, in order.
        gate: What the entry tolerates.
        profiled: Items whose columns get a profile.
        workers: Ranges checked at the same time.
        ids: ``entry_id`` and ``run_id``, for the verdict.
    """
    apart = [check for check in checks if check.kind not in OVER_ROWS]
    over = [check for check in checks if check.kind in OVER_ROWS]
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda one: carried_out(apart, one.rows, one.column)[0], ranges))
    rows = sum(one.rows for one in ranges)
    results, profiles = carried_out(over, rows, lambda field: _whole(ranges, field), profiled)
    results |= {check.id: _merged(check, parts, ranges) for check in apart}
    ordered = [results[check.id] for check in checks]
    return judge(ordered, rows, gate, profiles=profiles, **ids)


def _whole(ranges: Sequence[Range], field: str) -> ColumnView:
    views = [one.column(field) for one in ranges]
    flags = None
    if any(view.unreadable is not None for view in views):
        flags = pa.chunked_array(list(chain(*(_flags(view).chunks for view in views))), pa.bool_())
    kind = views[0].values.type
    return ColumnView(pa.chunked_array(list(chain(*(v.values.chunks for v in views))), kind), flags)


def _flags(view: ColumnView) -> pa.ChunkedArray:
    if view.unreadable is not None:
        return view.unreadable
    return pa.chunked_array([pa.repeat(pa.scalar(False), len(view.values))])


def _merged(
    check: Check, parts: Sequence[dict[str, CheckResult]], ranges: Sequence[Range]
) -> CheckResult:
    found = [part[check.id] for part in parts]
    counts: dict[str, Any] = {
        name: sum(getattr(one, name) for one in found) for name in ("counted", "failed", "waived")
    }
    shifted = [one.positions + part.start for one, part in zip(found, ranges, strict=True)]
    return replace(
        found[0],
        **counts,
        waivers=tuple(dict.fromkeys(chain(*(one.waivers for one in found)))),
        positions=np.concatenate(shifted),
        success=within(counts["failed"] - counts["waived"], counts["counted"], check.threshold),
    )
