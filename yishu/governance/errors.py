"""Errors of governance.

GovernanceError (YishuError)
├── Forbidden          this role may not do that, or not to that object
└── AccountUnknown     nobody acts through that account now
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
