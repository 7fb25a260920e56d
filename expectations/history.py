"""A delivery against those before it: in time, of the usual size, distributed as usual.

Pure arithmetic; what is compared comes in. The judgements warn and never block: that a department
delivers less on a holiday is a question to a person, not a fault of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

LEAST_HISTORY = 5
"""Deliveries before which a volume is not judged."""

LEAST_ROWS = 100
"""Rows below which a distribution is not judged: in a small table every row is a jump."""

MAXIMUM_PSI = 0.25
"""Population stability index above which a distribution counts as changed, the common limit."""

_SPREADS = 4.0
_MAD_TO_SIGMA = 1.4826
_COUNTING_NOISE = 3.0
_SMALLEST_SHARE = 1e-4


@dataclass(frozen=True)
class History:
    """What is known of earlier deliveries of an entry; empty at the first run.

    Attributes:
        last_delivery: When the one before arrived.
        volumes: Rows of the earlier full deliveries, oldest first.
        shares: For each field, what share of the last delivery's rows had each value.
    """

    last_delivery: datetime | None = None
    volumes: tuple[int, ...] = ()
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


FIRST_RUN = History()


@dataclass(frozen=True)
class Band:
    """The fewest and the most rows that fit a history."""

    least: float
    most: float

    def holds(self, rows: int) -> bool:
        """Whether so many rows fit."""
        return self.least <= rows <= self.most


def band(history: Sequence[int], season: int) -> Band | None:
    """What the next delivery may have, from how much earlier ones differed from a season before.

    The expected size is the last one of the same season (weekday) plus the usual growth over a
    season; the width is four robust standard deviations of that growth, and never less than the
    noise of counting. So a register that grows and a counter that rests on Sundays both fit, and
    a table that never changed may not lose a tenth of its rows.

    Args:
        history: Rows of earlier deliveries, oldest first.
        season: Deliveries in a season, e.g. 7 for daily ones; with less than two whole seasons
            each delivery is compared with the one before it.

    Returns:
        The band; None with fewer than ``LEAST_HISTORY`` deliveries.
    """
    if len(history) < LEAST_HISTORY:
        return None
    rows = np.array(history, dtype=np.float64)
    lag = season if len(rows) >= 2 * season + 1 else 1
    growth = rows[lag:] - rows[:-lag]
    usual = float(np.median(growth))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(growth - usual)))
    expected = float(rows[-lag]) + usual
    width = max(_SPREADS * spread, _COUNTING_NOISE * max(expected, 1.0) ** 0.5)
    return Band(expected - width, expected + width)


def instability(counts: Mapping[str, int], reference: Mapping[str, float]) -> float:
    """Population stability index of counts against reference shares; 0 is equal, no unit."""
    total = sum(counts.values()) or 1
    values = sorted({*counts, *reference})
    now = np.array([counts.get(one, 0) / total for one in values]).clip(_SMALLEST_SHARE)
    then = np.array([reference.get(one, 0.0) for one in values]).clip(_SMALLEST_SHARE)
    return float(np.sum((now - then) * np.log(now / then)))


def hours(span: timedelta) -> float:
    """A span of time in hours."""
    return span / timedelta(hours=1)
