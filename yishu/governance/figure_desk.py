"""Figures of a period as they stand: final ones as they were frozen, others as of the moment."""

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
        limits = {one.id: one.update_cycle.freshness for one in self.catalog.entries.values()}
        until = self.now + datetime.resolution
        weights = weights_on(period.first)
        return scores(self.connection, period, until, weights=weights, limits=limits)

    def scores_of(self, period: Period, entry_id: str) -> Scores:
        """The scores of one entry as they stand now, without its rules, be it frozen or not."""
        return scores(
            self.connection,
            period,
            self.now + datetime.resolution,
            weights=weights_on(period.first),
            limits={entry_id: self.catalog.entries[entry_id].update_cycle.freshness},
            entry_ids=[entry_id],
            names_rules=False,
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
