"""Circuit breaker of a department system: pure, from what the ledger knows and the time.

closed      pulls go through
open        too many did not reach it in a row: it is left alone until ``retry_at``
half-open   the pause is over: one pull is let through, and its outcome decides
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from catalog.model import Breaker
from yishu.ledger import ContactFacts, ContactOutcome


class BreakerState(StrEnum):
    """How a system stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Standing:
    """A system's breaker at a moment.

    Attributes:
        failures: Pulls in a row that did not reach it.
        retry_at: When the next pull may try; None when one may now.
    """

    state: BreakerState
    failures: int
    retry_at: datetime | None = None


def standing(contacts: Sequence[ContactFacts], breaker: Breaker, now: datetime) -> Standing:
    """How a system stands at ``now``.

    A trial that ended without a word, because its process was killed, counts for one pause.

    Args:
        contacts: What happened since it last answered, oldest first.
        breaker: After how many failures it opens, and for how long.
        now: The moment, with its zone.
    """
    failed = [one for one in contacts if one.outcome is ContactOutcome.UNREACHABLE]
    if len(failed) < breaker.opens_after:
        return Standing(BreakerState.CLOSED, len(failed))
    pause = timedelta(minutes=breaker.pause_minutes)
    over_at = failed[-1].happened_at + pause
    if now < over_at:
        return Standing(BreakerState.OPEN, len(failed), over_at)
    trials = [
        one.happened_at
        for one in contacts
        if one.outcome is ContactOutcome.TRIAL and one.happened_at >= over_at
    ]
    taken_until = trials[-1] + pause if trials else None
    is_taken = taken_until is not None and now < taken_until
    return Standing(BreakerState.HALF_OPEN, len(failed), taken_until if is_taken else None)
