"""The ledger's tables, all in the PostgreSQL schema ``ledger``; one module an area.

`sql/migrations` builds the same tables; a test compares the two.
"""

from yishu.ledger.models.accounts import Account
from yishu.ledger.models.base import SCHEMA, Base
from yishu.ledger.models.journal import JournalRecord
from yishu.ledger.models.quality import (
    OBJECTION_NUMBER,
    FigureAnswer,
    FrozenPeriod,
    IndicatorValue,
    Objection,
    ObjectionEvidence,
    ObjectionStep,
    QuarantineAgeing,
    QuarantineRelease,
    RunDimension,
    SamplingCheck,
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
    "OBJECTION_NUMBER",
    "SCHEMA",
    "Account",
    "Base",
    "CheckResult",
    "Contact",
    "Decision",
    "FigureAnswer",
    "FrozenPeriod",
    "IndicatorValue",
    "JournalRecord",
    "LibraryCommit",
    "Objection",
    "ObjectionEvidence",
    "ObjectionStep",
    "PullReceipt",
    "QuarantineAgeing",
    "QuarantineRelease",
    "Refusal",
    "Run",
    "RunDimension",
    "SamplingCheck",
    "SubjectContribution",
    "Verdict",
]
