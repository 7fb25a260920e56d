"""What can go wrong in a stage, beyond what sources, expectations and library say themselves.

PipelineError
├── SchemaDrift        the source no longer has what the catalog promises
├── QualityGateClosed  too much of the batch is wrong to publish it
├── EmptySource        nothing came from a source that is never empty
├── StageMissing       a stage was asked for before the one it builds on
├── SubjectUnknown     the release has no such subject
└── ConnectionUnknown  this installation has no connection of that name
"""

from catalog.errors import YishuError


class PipelineError(YishuError):
    """A stage of a run could not do its work; the library is untouched."""

    code = "RUN_ERROR"


class SchemaDrift(PipelineError):
    """A catalogued column is missing in the source or has another type (S004 Art.14)."""

    code = "RUN_SCHEMA_DRIFT"


class QualityGateClosed(PipelineError):
    """The batch fails the entry's quality rules beyond what they tolerate."""

    code = "RUN_QUALITY_GATE_CLOSED"


class EmptySource(PipelineError):
    """A source that the catalog says is never empty brought no row."""

    code = "RUN_EMPTY_SOURCE"


class EntryChanged(PipelineError):
    """A release changed the entry between two stages of one run."""

    code = "RUN_ENTRY_CHANGED"


class StageMissing(PipelineError):
    """The record of an earlier stage of this run is not there."""

    code = "RUN_STAGE_MISSING"


class SubjectUnknown(PipelineError):
    """The release has no such subject."""

    code = "RUN_SUBJECT_UNKNOWN"


class ConnectionUnknown(PipelineError):
    """The entry names a connection that this installation does not have."""

    code = "RUN_CONNECTION_UNKNOWN"
