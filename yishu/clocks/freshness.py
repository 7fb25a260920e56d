"""Freshness: how old data may be by their update cycle, and how long they took to be visible.

Unlike promises these run in plain time: a daily delivery is due every day, and a realtime one
every half hour.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from catalog.model import CatalogEntry
from catalog.vocabulary import Labelled
from yishu.clocks.working_days import BEIJING


class Freshness(Labelled):
    """Whether data are as recent as their update cycle promises."""

    FRESH = "fresh", "在更新周期内"
    STALE = "stale", "超过更新周期"
    UNLIMITED = "unlimited", "按需更新"


@dataclass(frozen=True)
class FreshnessStatus:
    """How fresh an entry's data are.

    Attributes:
        pulled_at: When the department's system was last read for what is published; None: never.
        limit_at: Until when they are fresh; None: no limit. Data that never came are due one cycle
            after the entry was published, or the installation began where that is later.
    """

    entry_id: str
    provider_org: str
    state: Freshness
    pulled_at: datetime | None
    limit_at: datetime | None


def freshness(
    entry: CatalogEntry,
    pulled_at: datetime | None,
    now: datetime,
    began: datetime | None = None,
) -> FreshnessStatus:
    """How fresh an entry's data are at a moment (S004 Art.16).

    Args:
        entry: The entry.
        pulled_at: When its source was last read for what is published; None: never.
        now: The moment.
        began: When this installation first pulled anything; nobody could deliver to it before.
    """
    cycle = entry.update_cycle.freshness
    if cycle is None:
        return FreshnessStatus(entry.id, entry.provider_org, Freshness.UNLIMITED, pulled_at, None)
    published = datetime.combine(entry.published_on, time(), BEIJING)
    start = pulled_at or max(published, began or published)
    limit = start + cycle
    state = Freshness.STALE if now > limit else Freshness.FRESH
    return FreshnessStatus(entry.id, entry.provider_org, state, pulled_at, limit)


@dataclass(frozen=True)
class Delay:
    """How long the newest record of an entry took from the department's commit to being visible.

    Attributes:
        committed_at: The department's own stamp of its newest record; where it gives none, when
            the pull read it, and then ``is_measured`` is False: the true delay is longer.
        limit: By the update cycle; None: no limit.
    """

    entry_id: str
    provider_org: str
    committed_at: datetime
    visible_at: datetime
    is_measured: bool
    limit: timedelta | None

    @property
    def delay(self) -> timedelta:
        """From commit to visible, never negative: clocks of departments run ahead, too."""
        return max(timedelta(), self.visible_at - self.committed_at)

    @property
    def is_breach(self) -> bool:
        """Whether it took longer than one update cycle."""
        return self.limit is not None and self.delay > self.limit


def delay(
    entry: CatalogEntry, reached: str | None, pulled_at: datetime, visible_at: datetime
) -> Delay:
    """The delay of a publication; ``reached`` is the last stamp of its pull, if it is a moment."""
    stamp = _moment(reached)
    return Delay(
        entry.id,
        entry.provider_org,
        stamp or pulled_at,
        visible_at,
        stamp is not None,
        entry.update_cycle.freshness,
    )


def _moment(reached: str | None) -> datetime | None:
    """Stamps without a zone are the department's local time; batch numbers are no moments."""
    if reached is None or len(reached) <= len("2026-11-25"):
        return None
    try:
        stamp = datetime.fromisoformat(reached)
    except ValueError:
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=BEIJING)
