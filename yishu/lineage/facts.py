"""What event builders are told beyond the catalog: moments, checks, flows of columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from yishu.lineage.naming import DatasetName


class Stage(StrEnum):
    """The jobs of a run; an entry has the first three, a subject the last."""

    PULL = "pull"
    VALIDATE = "validate"
    PUBLISH = "publish"
    BUILD = "build"


@dataclass(frozen=True)
class ParentRun:
    """A run of an outer system that ours belongs to; ``run_uuid`` is OpenLineage's id of it."""

    namespace: str
    job: str
    run_uuid: str


@dataclass(frozen=True)
class Moment:
    """When an event of a run happened.

    Attributes:
        run_id: Our run id; OpenLineage's ids are made from it.
        at: The moment of the event.
        nominal_at: The moment that the schedule meant; None when started by hand.
        release_id: The catalog release that the run follows; None when unknown.
        parent: The outer run; None means our own run of the entry or subject as a whole.
    """

    run_id: str
    at: datetime
    nominal_at: datetime | None = None
    release_id: str | None = None
    parent: ParentRun | None = None


@dataclass(frozen=True)
class CheckOutcome:
    """One check as lineage tells it: counts, never values.

    Attributes:
        severity: ``fail`` or ``warn``, as in the catalog.
        threshold: Largest failing share that is tolerated, 0 to 1; None tolerates no row.
    """

    check_id: str
    kind: str
    columns: tuple[str, ...]
    severity: str
    counted: int
    failed: int
    success: bool
    text: str
    threshold: float | None = None


@dataclass(frozen=True)
class ColumnRef:
    """A column of a data set."""

    dataset: DatasetName
    field: str


@dataclass(frozen=True)
class ColumnFlow:
    """Where an output column's values come from.

    Attributes:
        subtype: OpenLineage's word for what is done: ``IDENTITY`` or ``TRANSFORMATION``.
        masking: Whether the original value cannot be told from the output.
    """

    output: str
    inputs: tuple[ColumnRef, ...]
    subtype: str = "IDENTITY"
    description: str = ""
    masking: bool = False


@dataclass(frozen=True)
class Published:
    """What a commit to the library did.

    Attributes:
        version: Version of the table that holds the result.
        rows: Rows in the table at that version.
        counts: Rows by what became of them: read, inserted, updated, ...
    """

    version: int
    rows: int
    counts: Mapping[str, int] = field(default_factory=dict)
