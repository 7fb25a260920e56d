"""Errors of the portal, and how every error of Yishu is answered.

PortalError (YishuError)
├── NotFound           no such page or object
├── SignInNeeded       nobody is signed in, or the session ended
├── SignInRefused      wrong name or password, or locked out
├── PasswordPoor       a new password that is too short or known
├── PasswordDue        the first password has to be changed now
├── FormForged         a form that this session did not give out
├── TooLarge           more bytes than an upload may have
└── KeyIncomplete      a row without its whole key
"""

from catalog.errors import NotCataloged, YishuError
from yishu.governance.errors import ChangedMeanwhile, Forbidden, NotSeparate, StateRefused


class PortalError(YishuError):
    """The portal cannot answer what was asked."""

    code = "PORTAL_ERROR"


class NotFound(PortalError):
    """No such page or object."""

    code = "PORTAL_NOT_FOUND"


class SignInNeeded(PortalError):
    """Nobody is signed in, or the session ended."""

    code = "PORTAL_SIGN_IN_NEEDED"


class SignInRefused(PortalError):
    """Wrong name or password, or locked out; which of them is not said."""

    code = "PORTAL_SIGN_IN_REFUSED"


class PasswordPoor(PortalError):
    """A new password is too short, or the name, or the old one."""

    code = "PORTAL_PASSWORD_POOR"


class PasswordDue(PortalError):
    """The first password has to be changed before anything else."""

    code = "PORTAL_PASSWORD_DUE"


class FormForged(PortalError):
    """A change was asked for without the token of the session."""

    code = "PORTAL_FORM_FORGED"


class TooLarge(PortalError):
    """A request has more bytes than an upload may have."""

    code = "PORTAL_TOO_LARGE"


class KeyIncomplete(PortalError):
    """A row is asked for without a value for each column of its key."""

    code = "PORTAL_KEY_INCOMPLETE"


_STATUS: dict[type[YishuError], int] = {
    Forbidden: 403,
    NotSeparate: 403,
    ChangedMeanwhile: 409,
    StateRefused: 409,
    FormForged: 403,
    PasswordDue: 403,
    SignInNeeded: 401,
    SignInRefused: 401,
    TooLarge: 413,
    NotFound: 404,
    NotCataloged: 404,
}
_SUFFIXES = {"_UNKNOWN": 404, "_NOT_FOUND": 404, "_FORBIDDEN": 403, "_CONFLICT": 409, "_STALE": 409}
"""What the end of a code means, so that an area's errors need no table here."""


def status_of(error: YishuError) -> int:
    """The HTTP status of an error: by its class, else by the end of its code, else 422."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return next((status for end, status in _SUFFIXES.items() if error.code.endswith(end)), 422)
