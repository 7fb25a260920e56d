"""Free text made safe to keep: no personal identifier, no password.

Ledger and lineage outlive the data and are read by more people, so an error enters them only in
this form. The text of a ``YishuError`` is written by us and names no value of a row; the text of
any other exception may quote one ("Key (name)=(...) already exists"), which no pattern can know
for a name, so of those only the class is kept and the text stays in the task's own log.
"""

import re
from dataclasses import dataclass

from catalog.errors import YishuError

HIDDEN = "***"

# A colon, anything and an @ after a scheme: the password of a URL.
_URL_PASSWORD = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@", re.IGNORECASE)
# Resident identity numbers (15 or 18), unified social credit codes (18), organisation codes.
_IDENTIFIER = re.compile(
    r"(?<![0-9A-Za-z_])(?=(?:[A-Za-z]*\d){8})[0-9A-Za-z]{15,20}(?![0-9A-Za-z_])"
)
# Telephone, card and account numbers; `\d` covers full-width digits too.
_DIGITS = re.compile(r"(?<![\d])\d{11,}(?!\d)")


@dataclass(frozen=True)
class ErrorText:
    """An error as ledger and lineage keep it: a stable code and a text without values."""

    code: str
    message: str


def redact(text: str) -> str:
    """The text with URL passwords, identifiers and long numbers replaced by ``***``."""
    text = _URL_PASSWORD.sub(rf"\g<head>:{HIDDEN}@", text)
    return _DIGITS.sub(HIDDEN, _IDENTIFIER.sub(HIDDEN, text))


def error_text(error: BaseException) -> ErrorText:
    """How an error is kept; see the module's docstring for the two cases."""
    if isinstance(error, YishuError):
        return ErrorText(error.code, redact(str(error)))
    name = type(error).__name__
    return ErrorText(name, f"{name}: its text may quote data and is in the task's log only")
