"""The ledger's tables, all in the PostgreSQL schema ``ledger``; one module an area.

`sql/migrations` builds the same tables; a test compares the two.
"""

from yishu.ledger.models.accounts import Account
from yishu.ledger.models.base import SCHEMA, Base
from yishu.ledger.models.journal import JournalLink, JournalRecord, JournalSeal, JournalWaiting
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
from yishu.ledger.models.sharing import (
    REQUEST_NUMBER,
    ShareAttachment,
    ShareDecision,
    ShareDelivery,
    ShareDemand,
    ShareGrant,
    ShareRegister,
    ShareRequest,
    ShareResponsibility,
    ShareStep,
    ShareToken,
    UseRecord,
    UseSeal,
)

__all__ = [
    "REQUEST_NUMBER",
    "SCHEMA",
    "Account",
    "Base",
    "CheckResult",
    "Contact",
    "Decision",
    "JournalLink",
    "JournalRecord",
    "JournalSeal",
    "JournalWaiting",
    "LibraryCommit",
    "PullReceipt",
    "Refusal",
    "Run",
    "ShareAttachment",
    "ShareDecision",
    "ShareDelivery",
    "ShareDemand",
    "ShareGrant",
    "ShareRegister",
    "ShareRequest",
    "ShareResponsibility",
    "ShareStep",
    "ShareToken",
    "SubjectContribution",
    "UseRecord",
    "UseSeal",
    "Verdict",
]
