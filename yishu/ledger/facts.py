"""What the ledger is told: small frozen records of what was done and decided.

Plain values only, counts and digests, never a value of a row: the ledger outlives the data and is
read by more people. All moments carry their zone and are kept in UTC. A fact is identified by its
run, its object (a catalog entry or a subject) and its kind, so telling one twice keeps one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from catalog.errors import YishuError
from yishu.redact import error_text


class RunKind(StrEnum):
    """What a run works on."""

    ENTRY = "entry"
    SUBJECT = "subject"


class RunState(StrEnum):
    """How far a run came; ``blocked``: the quality gate kept it from publishing."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    BLOCKED = "blocked"
    FAILED = "failed"


class Stage(StrEnum):
    """Where in a run something happened."""

    PULL = "pull"
    VALIDATE = "validate"
    PUBLISH = "publish"
    SUBJECT = "subject"


class Layer(StrEnum):
    """Which part of the library a table belongs to."""

    UNIFIED = "unified"
    SUBJECT = "subject"


@dataclass(frozen=True)
class RunStarted:
    """A run began, or began again after it was killed.

    Attributes:
        object_id: Entry id or subject id.
        release_id: The catalog release that it follows.
        object_version: Version of the catalog entry; None for subjects.
        nominal_at: The moment that the schedule meant; None when started by hand.
    """

    run_id: str
    object_id: str
    kind: RunKind
    release_id: str
    started_at: datetime
    object_version: int | None = None
    nominal_at: datetime | None = None


@dataclass(frozen=True)
class RunFinished:
    """A run ended.

    Attributes:
        stage: Where it failed or was blocked; None when it succeeded.
        error_code: Stable code of the error; None when it succeeded.
        error_message: Its text; kept without personal identifiers and passwords.
    """

    run_id: str
    object_id: str
    state: RunState
    finished_at: datetime
    stage: Stage | None = None
    error_code: str | None = None
    error_message: str | None = None

    @classmethod
    def by_error(
        cls,
        error: BaseException,
        *,
        run_id: str,
        object_id: str,
        stage: Stage,
        at: datetime,
        state: RunState = RunState.FAILED,
    ) -> Self:
        """The end of a run by an error; of a foreign error only the class is kept."""
        kept = error_text(error)
        return cls(run_id, object_id, state, at, stage, kept.code, kept.message)


@dataclass(frozen=True)
class PullFacts:
    """What a pull brought from a department system.

    Attributes:
        place: Table, file pattern or endpoint inside the system.
        bytes: Size of what was landed.
        digest: SHA-256 of what was landed.
        source_digest: SHA-256 of the dropped file itself; None for databases and services.
        new_columns: Columns outside the catalog, name -> type; seen, neither read nor stored.
        mode: ``full``, ``incremental`` or ``change_log``.
        since: First stamp or batch that was asked for; None: everything was.
        reached: Last stamp or batch that came so far; it counts once the run is published.
    """

    run_id: str
    entry_id: str
    department_id: str
    connection_id: str
    system_kind: str
    place: str
    rows: int
    bytes: int
    digest: str
    pulled_at: datetime
    source_digest: str | None = None
    new_columns: Mapping[str, str] = field(default_factory=dict)
    mode: str = "full"
    since: str | None = None
    reached: str | None = None


@dataclass(frozen=True)
class CheckFacts:
    """The result of one check: how many rows it looked at and how many failed it.

    Attributes:
        failed: Rows that failed, the waived ones included.
        threshold: Largest failing share that the gate let pass; None: the check has no gate.
        waived: Failing rows that a waiver let past.
        waivers: Ids of those waivers.
    """

    check_id: str
    kind: str
    dimension: str
    severity: str
    columns: tuple[str, ...]
    counted: int
    failed: int
    text_zh: str
    text_en: str = ""
    threshold: float | None = None
    waived: int = 0
    waivers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProfileFacts:
    """Statistics of one column; see `expectations.profile.ColumnProfile`."""

    field: str
    rows: int
    nulls: int
    unreadable: int
    distinct: int
    minimum: str | None
    maximum: str | None
    shortest: int | None
    longest: int | None
    top: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class VerdictFacts:
    """What validation decided about a run.

    Attributes:
        quarantined: Rows set aside, each counted once however many checks it failed.
        passed: Whether the gate lets the run publish.
        max_quarantined_share: The share of rows that the gate tolerated, 0 to 1.
        blocked_by: What the gate did not let pass: check ids, ``empty``, ``quarantined_share``.
        profiles: Statistics of the columns; ``Ledger.profiles`` reads them.
    """

    run_id: str
    entry_id: str
    rows: int
    quarantined: int
    passed: bool
    max_quarantined_share: float
    decided_at: datetime
    checks: tuple[CheckFacts, ...] = ()
    blocked_by: tuple[str, ...] = ()
    profiles: tuple[ProfileFacts, ...] = ()


@dataclass(frozen=True)
class CommitFacts:
    """One atomic commit to a table of the library.

    For a unified table ``read = inserted + updated + unchanged + quarantined + superseded``;
    deletions are counted apart. For a subject the same holds for each contributing entry, in
    `ContributionFacts`.

    Attributes:
        table: Place in the library, e.g. ``unified/taxation.taxpayer``.
        version: Version of the table that holds the result; unchanged data make no new one.
        rows: Rows in the table at that version.
        removals: Rows that said that their key is gone; they are no part of ``read``.
        content_digest: Order-independent SHA-256 of the content; None when not computed.
    """

    run_id: str
    object_id: str
    layer: Layer
    table: str
    version: int
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    quarantined: int
    superseded: int
    rows: int
    committed_at: datetime
    entry_version: int | None = None
    content_digest: str | None = None
    removals: int = 0


@dataclass(frozen=True)
class ContributionFacts:
    """What one entry gave to a subject: ``rows_in = contributed + not_linked``.

    Attributes:
        reasons: Why rows were not linked, reason -> rows; adds up to ``not_linked``.
        entry_table_version: Version of the entry's unified table that was read; None: unknown.
    """

    entry_id: str
    rows_in: int
    contributed: int
    not_linked: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    entry_table_version: int | None = None


@dataclass(frozen=True)
class RefusalFacts:
    """Something was asked and refused: an entry outside the catalog, a column not listed.

    Refusals are only ever added, never changed or removed; the database itself sees to it.

    Attributes:
        run_id: The run that asked; empty when it was not a run.
        object_id: Entry, table or subject that was asked for.
        item: The part of it that was refused, e.g. a column; empty for the whole.
        code: Stable code of the refusal.
    """

    run_id: str
    object_id: str
    code: str
    found: str
    expected: str
    remedy: str
    refused_at: datetime
    item: str = ""
    stage: Stage | None = None

    @classmethod
    def by_error(
        cls, error: YishuError, *, run_id: str, at: datetime, stage: Stage | None = None
    ) -> Self:
        """The refusal that an error of ours expresses."""
        return cls(
            run_id=run_id,
            object_id=error.obj,
            code=error.code,
            found=error.found,
            expected=error.expected,
            remedy=error.remedy,
            refused_at=at,
            stage=stage,
        )
