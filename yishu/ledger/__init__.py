"""The ledger: the append-only memory of what was done and decided, in PostgreSQL.

migrate.upgrade(url)                               # once, at installation and upgrade
ledger = Ledger(create_engine(url))
ledger.record_run_started(RunStarted(...))         # before anything else of a run
ledger.summary()
"""

from yishu.ledger.care import (
    ContactFacts,
    ContactOutcome,
    DecisionFacts,
    DecisionKind,
    LastContact,
)
from yishu.ledger.errors import CountsRefused, LedgerError, RunNotStarted, TimeWithoutZone
from yishu.ledger.facts import (
    CheckFacts,
    CommitFacts,
    ContributionFacts,
    Layer,
    PullFacts,
    RefusalFacts,
    RunFinished,
    RunKind,
    RunStarted,
    RunState,
    Stage,
    VerdictFacts,
)
from yishu.ledger.ledger import Ledger
from yishu.ledger.quarantine import AgeingFacts
from yishu.ledger.rows import DeliveryRow, DimensionRow, EntryRow, RunRow, SubjectRow, Summary

__all__ = [
    "AgeingFacts",
    "CheckFacts",
    "CommitFacts",
    "ContactFacts",
    "ContactOutcome",
    "ContributionFacts",
    "CountsRefused",
    "DecisionFacts",
    "DecisionKind",
    "DeliveryRow",
    "DimensionRow",
    "EntryRow",
    "LastContact",
    "Layer",
    "Ledger",
    "LedgerError",
    "PullFacts",
    "RefusalFacts",
    "RunFinished",
    "RunKind",
    "RunNotStarted",
    "RunRow",
    "RunStarted",
    "RunState",
    "Stage",
    "SubjectRow",
    "Summary",
    "TimeWithoutZone",
    "VerdictFacts",
]
