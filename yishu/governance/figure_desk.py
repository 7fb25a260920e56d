"""Figures of a period as they stand: final ones as they were frozen, others as of the moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from catalog.model import CatalogView
from yishu.governance.clock_rules import ClockRules
from yishu.governance.freezing import freeze, frozen
from yishu.governance.period import Period
from yishu.governance.rates import Case, cases, clock_cases
from yishu.governance.scores import Scores, scores, weights_on
from yishu.ledger.journal import Actor


@dataclass(frozen=True)
class Desk:
    """What figures are computed from.

    Attributes:
        catalog: The release in force.
        rules: By which clocks run.
        now: The present moment.
    """

    connection: Connection
    catalog: CatalogView
    rules: ClockRules
    now: datetime

    def scores(self, period: Period) -> Scores:
        """The scores of a period."""
        kept = frozen(self.connection, period)
        if kept is not None:
            return kept.scores
        return self._as_of_now(period, self.catalog.entries)

    def scores_of(self, period: Period, entry_id: str) -> Scores:
        """The scores of one entry in a period as they stand now, be it frozen or not."""
        return self._as_of_now(period, [entry_id])

    def _as_of_now(self, period: Period, entry_ids: Collection[str]) -> Scores:
        known = self.catalog.entries
        limits = {one: known[one].update_cycle.freshness for one in entry_ids}
        every = len(limits) == len(known)
        return scores(
            self.connection,
            period,
            self.now + datetime.resolution,
            weights=weights_on(period.first),
            limits=limits,
            # Entries that left the catalog count on; None asks for them too.
            entry_ids=None if every else list(limits),
        )

    def cases(self, period: Period) -> list[Case]:
        """The cases of a period's rates."""
        kept = frozen(self.connection, period)
        if kept is not None:
            return list(kept.cases)
        clocks = clock_cases(self.connection, self.rules, period, self.now)
        return cases(self.scores(period), clocks)

    def freeze(self, period: Period, actor: Actor) -> str:
        """Make the figures of a period final; their SHA-256.

        Raises:
            PeriodFaulty: the departments still have days to answer.
            PeriodFrozen: they are final already.
        """
        given = (self.scores(period), self.cases(period), actor)
        return freeze(self.connection, *given, at=self.now, rules=self.rules)
