"""Errors of governance.

GovernanceError (YishuError)
├── Forbidden          this role may not do that, or not to that object
├── AccountUnknown     nobody acts through that account now
├── ClockUnknown       no clock of that id
├── ClockEnded         the clock has ended and takes no such event
├── ExtensionRefused   too late, too long, or for no listed cause
├── PauseRefused       no listed cause, or nobody who consents
├── OrderUnknown       no supervision order of that number that waits for an answer
├── TaskUnknown        no such task in the plan
└── NoticeUnsent       a mail server or an address did not take a notice           retryable
"""

from catalog.errors import YishuError


class GovernanceError(YishuError):
    """A rule about people and their decisions does not allow what was asked."""

    code = "GOV_ERROR"


class Forbidden(GovernanceError):
    """The role may not do that, or not to an object of another body."""

    code = "GOV_FORBIDDEN"


class AccountUnknown(GovernanceError):
    """No such account, or it is not valid on that day."""

    code = "GOV_ACCOUNT_UNKNOWN"


class ClockUnknown(GovernanceError):
    """No clock of that id."""

    code = "GOV_CLOCK_UNKNOWN"


class ClockEnded(GovernanceError):
    """The clock has ended; only reopening it is possible."""

    code = "GOV_CLOCK_ENDED"


class ExtensionRefused(GovernanceError):
    """The promise allows no such extension, or not any more."""

    code = "GOV_EXTENSION_REFUSED"


class PauseRefused(GovernanceError):
    """A clock stands still for a listed cause and with a consent, or not at all."""

    code = "GOV_PAUSE_REFUSED"


class OrderUnknown(GovernanceError):
    """No supervision order of that number waits for an answer of that body."""

    code = "GOV_ORDER_UNKNOWN"


class TaskUnknown(GovernanceError):
    """The plan has no such task."""

    code = "GOV_TASK_UNKNOWN"


class NoticeUnsent(GovernanceError):
    """A notice could not be handed over; it stays in the outbox and is tried again."""

    code = "GOV_NOTICE_UNSENT"
    retryable = True
