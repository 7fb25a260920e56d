"""Figures of a period, kept in each process until something that they rest on moves.

A month of a city's runs is summed up in seconds, which is longer than a page may take. The sum is
made again when a run began, was judged, published or ended, and after a few minutes, since a
delivery falls due by itself. Each page says up to which moment its figures count.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock

from sqlalchemy import Connection

from yishu.governance.figure_desk import Desk
from yishu.governance.freezing import frozen
from yishu.governance.period import Period
from yishu.governance.rates import Rate, clock_rates, rates, rates_of
from yishu.governance.scores import DayOfRows, EntryFigures, Figure, Scores, days_of_rows
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger.statements import query
from yishu.portal.world import World

KEPT = timedelta(minutes=5)
"""How long figures of a running period stand although no run moved them."""

_MOST = 4
_SUMMING = Lock()
_KEPT: OrderedDict[tuple[object, ...], "Figures"] = OrderedDict()


@dataclass(frozen=True)
class Figures:
    """The scores of a period with the days that they were counted on; final ones with the rates."""

    scores: Scores
    days: tuple[DayOfRows, ...]
    final_rates: Mapping[str, Mapping[Rate, Figure]] | None
    summed_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Whether they may still be shown: final ones for ever."""
        return self.final_rates is not None or abs(now - self.summed_at) < KEPT

    @cached_property
    def entries_of(self) -> dict[str, list[EntryFigures]]:
        """The entries of each department."""
        found: dict[str, list[EntryFigures]] = {}
        for one in self.scores.entries:
            found.setdefault(one.department_id, []).append(one)
        return found


@dataclass(frozen=True)
class KeptDesk(Desk):
    """A desk whose scores are those that the process keeps."""

    world: World

    def scores(self, period: Period) -> Scores:
        """The scores of a period."""
        return self.figures(period).scores

    def figures(self, period: Period) -> Figures:
        """The same with what goes with them.

        Whoever finds them old sums up again; meanwhile the others get what there is.
        """
        key = (self.world.engine, period.name, *self._mark(period))
        found = _KEPT.get(key)
        if found is not None and (found.is_fresh(self.now) or not _SUMMING.acquire(blocking=False)):
            return found
        if found is None:
            _SUMMING.acquire()
        try:
            again = _KEPT.get(key)
            return self._summed(period, key) if again is None or again is found else again
        finally:
            _SUMMING.release()

    def rates(self, period: Period) -> Mapping[str, Mapping[Rate, Figure]]:
        """The five rates of each department in a period."""
        found = self.figures(period)
        if found.final_rates is not None:
            return found.final_rates
        clocks = clock_rates(self.connection, self.rules, period, self.now)
        return rates_of(found.scores, clocks)

    def _mark(self, period: Period) -> tuple[object, ...]:
        """What moves when the figures do: of final ones their digest alone."""
        row = self.connection.execute(query("figures_mark"), {"period": period.name}).one()
        if row.frozen is not None:
            return (row.frozen,)
        return *row, self.world.release().id

    def _summed(self, period: Period, key: tuple[object, ...]) -> Figures:
        kept = frozen(self.connection, period)
        scores = kept.scores if kept else super().scores(period)
        days = days_of_rows(self.connection, period, scores.until)
        final = rates(kept.cases) if kept else None
        while len(_KEPT) >= _MOST:
            _KEPT.popitem(last=False)
        found = _KEPT[key] = Figures(scores, tuple(days), final, self.now)
        return found


def desk_of(world: World, connection: Connection, now: datetime) -> KeptDesk:
    """What the figures of the installation are computed from."""
    release = world.release()
    rules = rules_in_force(connection, release, world.settings)
    return KeptDesk(connection, release, rules, now, world)
