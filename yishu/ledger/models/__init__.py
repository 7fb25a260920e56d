"""The ledger's tables, all in the PostgreSQL schema ``ledger``; one module an area.

`sql/migrations` builds the same tables; a test compares the two.
"""

from yishu.ledger.models.accounts import Account
from yishu.ledger.models.base import SCHEMA, Base
from yishu.ledger.models.journal import JournalRecord
from yishu.ledger.models.profiles import ColumnProfile
from yishu.ledger.models.runs import (
    CheckResult,
    Contact,
    Decision,
    LibraryCommit,
    PullReceipt,
    Refusal,
    Run,
    SubjectContribution,
    Verdict,
)

__all__ = [
    "SCHEMA",
    "Account",
    "Base",
    "CheckResult",
    "ColumnProfile",
    "Contact",
    "Decision",
    "JournalRecord",
    "LibraryCommit",
    "PullReceipt",
    "Refusal",
    "Run",
    "SubjectContribution",
    "Verdict",
]
