"""Errors of the ledger.

LedgerError
├── TimeWithoutZone    a moment whose zone is unknown
├── RunNotStarted      a fact of a run that the ledger has not seen start
├── CountsRefused      counts that do not add up
├── KeyUnreadable      a key of the journal that cannot be read
├── SealUnreadable     a kept seal that cannot be read
└── BackupRefused      a backup that cannot be made, or is not what was made
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


class KeyUnreadable(LedgerError):
    """Without its public key nothing can be said about a seal."""

    code = "LEDGER_KEY_UNREADABLE"


class SealUnreadable(LedgerError):
    """A seal that was kept outside the database cannot be read."""

    code = "LEDGER_SEAL_UNREADABLE"


class BackupRefused(LedgerError):
    """A backup is damaged, or a restore would overwrite what is there."""

    code = "LEDGER_BACKUP_REFUSED"
