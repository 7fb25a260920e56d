"""Errors of the ledger.

LedgerError
├── TimeWithoutZone    a moment whose zone is unknown
├── RunNotStarted      a fact of a run that the ledger has not seen start
└── CountsRefused      counts that do not add up
"""

from catalog.errors import YishuError


class LedgerError(YishuError):
    """The ledger cannot keep or give a fact."""

    code = "LEDGER_ERROR"


class TimeWithoutZone(LedgerError):
    """A moment without its time zone could mean eight hours more or less."""

    code = "LEDGER_TIME_WITHOUT_ZONE"


class RunNotStarted(LedgerError):
    """A fact belongs to a run; the run is recorded first."""

    code = "LEDGER_RUN_NOT_STARTED"


class CountsRefused(LedgerError):
    """Rows read are not all accounted for; such a fact is never kept."""

    code = "LEDGER_COUNTS_REFUSED"
