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
from yishu.ledger.models.portal import ApiToken, Credential, OutsideIdentity, PortalSession
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
    "OBJECTION_NUMBER",
    "REQUEST_NUMBER",
    "SCHEMA",
    "Account",
    "ApiToken",
    "Base",
    "CheckResult",
    "Contact",
    "Credential",
    "Decision",
    "FigureAnswer",
    "FrozenPeriod",
    "IndicatorValue",
    "JournalLink",
    "JournalRecord",
    "JournalSeal",
    "JournalWaiting",
    "LibraryCommit",
    "Objection",
    "ObjectionEvidence",
    "ObjectionStep",
    "OutsideIdentity",
    "PortalSession",
    "PullReceipt",
    "QuarantineAgeing",
    "QuarantineRelease",
    "Refusal",
    "Run",
    "RunDimension",
    "SamplingCheck",
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
