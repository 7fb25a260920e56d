"""The ledger's tables, all in the PostgreSQL schema ``ledger``; one module an area.

`sql/migrations` builds the same tables; a test compares the two.
"""

from yishu.ledger.models.accounts import Account
from yishu.ledger.models.base import SCHEMA, Base
from yishu.ledger.models.catalog import CatalogAssessment, CatalogCheck, CatalogVersion
from yishu.ledger.models.journal import JournalLink, JournalRecord, JournalSeal, JournalWaiting
from yishu.ledger.models.organisations import (
    Deputy,
    Duty,
    DutyParty,
    ItemClaim,
    Organisation,
    OrgContact,
    OrgSuccession,
)
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
    "CatalogAssessment",
    "CatalogCheck",
    "CatalogVersion",
    "CheckResult",
    "Contact",
    "Decision",
    "Deputy",
    "Duty",
    "DutyParty",
    "ItemClaim",
    "JournalLink",
    "JournalRecord",
    "JournalSeal",
    "JournalWaiting",
    "LibraryCommit",
    "OrgContact",
    "OrgSuccession",
    "Organisation",
    "PullReceipt",
    "Refusal",
    "Run",
    "SubjectContribution",
    "Verdict",
]
