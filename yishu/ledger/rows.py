"""What the ledger answers: one small record for each row of a reading."""

from dataclasses import dataclass
from datetime import datetime

from yishu.ledger.facts import RunKind, RunState, Stage


@dataclass(frozen=True)
class RunRow:
    """One run; ``finished_at`` is None while it runs, the error fields unless it went wrong."""

    run_id: str
    object_id: str
    kind: RunKind
    state: RunState
    release_id: str
    object_version: int | None
    nominal_at: datetime | None
    started_at: datetime
    finished_at: datetime | None
    stage: Stage | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True)
class EntryRow:
    """An entry's latest run, and the version of its table that readers see.

    Attributes:
        department_id: Whose data; None when no run of it ever pulled.
        read: Rows that the latest run read; None when its pull did not finish.
        published: Rows of the latest run that reached the library; 0 when it did not publish.
        quarantined: Rows that it set aside; None when its validation did not finish.
        version: Version of the table in force, from whichever run; None: never published.
        rows: Rows of that version.
    """

    entry_id: str
    department_id: str | None
    run_id: str
    state: RunState
    read: int | None
    published: int
    quarantined: int | None
    superseded: int
    version: int | None
    rows: int | None
    error_code: str | None


@dataclass(frozen=True)
class DeliveryRow:
    """An entry's last publication: ``pulled_at`` its source was read, at ``committed_at`` shown."""

    entry_id: str
    run_id: str
    pulled_at: datetime
    committed_at: datetime
    rows: int


@dataclass(frozen=True)
class SubjectRow:
    """A subject's table in force, and what its entries gave to it."""

    subject_id: str
    run_id: str
    version: int
    rows: int
    entries: int
    rows_in: int
    contributed: int
    not_linked: int


@dataclass(frozen=True)
class DimensionRow:
    """A quality dimension: how much was checked and how much of it failed."""

    dimension: str
    checks: int
    counted: int
    failed: int

    @property
    def score(self) -> float | None:
        """The share that is right, 0 to 1; None when nothing was counted."""
        return 1 - self.failed / self.counted if self.counted else None


@dataclass(frozen=True)
class RunQuality:
    """A validated run of an entry: its volume, and how much of what was checked was wrong."""

    run_id: str
    decided_at: datetime
    rows: int
    quarantined: int
    passed: bool
    counted: int
    failed: int

    @property
    def score(self) -> float | None:
        """The share that is right, 0 to 1; None when nothing was counted."""
        return 1 - self.failed / self.counted if self.counted else None


@dataclass(frozen=True)
class CheckDifference:
    """A check that came out otherwise in a later run; None: that run did not have it."""

    entry_id: str
    check_id: str
    text_zh: str
    counted_before: int | None
    failed_before: int | None
    counted_after: int | None
    failed_after: int | None

    @property
    def change(self) -> str:
        """``new``, ``gone``, ``worse`` or ``better``."""
        if self.failed_before is None:
            return "new"
        if self.failed_after is None:
            return "gone"
        return "worse" if self.failed_after > self.failed_before else "better"


@dataclass(frozen=True)
class Summary:
    """The state of the whole: entry by entry, subject by subject, quality by dimension."""

    entries: tuple[EntryRow, ...]
    subjects: tuple[SubjectRow, ...]
    quality: tuple[DimensionRow, ...]
