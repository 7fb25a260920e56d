"""Whether keys are unique in a table that is loaded a span of rows at a time; exact.

The hashes of all keys are kept, eight bytes a row. The few rows whose hash is repeated, and those
without a whole key, are then judged by value, as a small table would be; all others are right.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from expectations import masks
from expectations.plan import Check
from expectations.spans import ColumnView
from expectations.verdict import CheckResult, Positions, within


class KeySuspects:
    """Finds the rows that a check of uniqueness has to look at.

    Args:
        check: The check.
        rows: Rows of the run.
    """

    def __init__(self, check: Check, rows: int) -> None:
        self.check = check
        self._hashes = np.zeros(rows, dtype=np.uint64)
        self._given = masks.every_value(rows, right=True)

    def add(self, start: int, views: Mapping[str, ColumnView]) -> None:
        """Take the rows from ``start`` on."""
        columns = [views[field].values for field in self.check.columns]
        hashes, given = masks.key_hashes(columns)
        self._given[start : start + len(given)] = given
        self._hashes[start : start + len(given)][given] = hashes

    def places(self) -> Positions:
        """Rows without a whole key, and those whose key another may have; ascending."""
        places: Positions = np.union1d(self._repeats, np.flatnonzero(~self._given))
        return places

    def distinct(self) -> int:
        """Different keys that were given, by their hash."""
        again = self._repeats[self._given[self._repeats]]
        once = np.count_nonzero(self._given) - len(again)
        return int(once) + len(np.unique(self._hashes[again]))

    @cached_property
    def _repeats(self) -> Positions:
        return masks.repeats(self._hashes)

    def widened(self, result: CheckResult, places: Positions) -> CheckResult:
        """The result over the rows at ``places`` as one over all rows."""
        counted = result.counted + len(self._hashes) - len(places)
        success = within(result.failed - result.waived, counted, result.threshold)
        return replace(result.moved(places), counted=counted, success=success)
