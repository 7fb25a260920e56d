"""What can go wrong in a stage, beyond what sources, expectations and library say themselves.

PipelineError
├── SchemaDrift        the source no longer has what the catalog promises
├── QualityGateClosed  too much of the batch is wrong to publish it
├── EmptySource        nothing came from a source that is never empty
├── VolumeSuspect      far fewer or far more rows than were published last; a person decides
├── NothingToAccept    a decision about a run that no guard stopped
├── OutsideWindow      the system is closed at this hour
├── SystemResting      the system's breaker is open                            retryable
├── EntryBusy          another pull of the entry is under way                  retryable
├── RunAbandoned       a run whose process was killed for good
├── BackfillMisplaced  history is to be filled in below what was published otherwise
├── DiskFull           no room to land what the source gave                 retryable
├── BoundsOutOfOrder   the batches of a back-fill do not follow each other
├── StageMissing       a stage was asked for before the one it builds on
├── SubjectUnknown     the release has no such subject
├── ConnectionUnknown  this installation has no connection of that name
├── RejectFileRefused  a reject file of a form that is not written
├── ReleaseRefused     a quarantined row that nobody may let through, or that is not there
└── SampleRefused      a sampling check of nothing, or of too much
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


class VolumeSuspect(PipelineError):
    """A source shrank or grew beyond its bounds; what it gave waits for a person's decision."""

    code = "RUN_VOLUME_SUSPECT"


class NothingToAccept(PipelineError):
    """A decision was given about a run that no guard stopped."""

    code = "RUN_NOTHING_TO_ACCEPT"


class OutsideWindow(PipelineError):
    """The department system is closed at this hour; the next scheduled run pulls."""

    code = "RUN_OUTSIDE_WINDOW"


class SystemResting(PipelineError):
    """The department system did not answer too often and is left alone for a while."""

    code = "RUN_SYSTEM_RESTING"
    retryable = True


class EntryBusy(PipelineError):
    """Another process pulls the entry at this moment."""

    code = "RUN_ENTRY_BUSY"
    retryable = True


class RunAbandoned(PipelineError):
    """A run ended without a word: its process was killed and nobody began it again."""

    code = "RUN_ABANDONED"


class BackfillMisplaced(PipelineError):
    """A back-fill would have to replace a table that holds more than it brings."""

    code = "RUN_BACKFILL_MISPLACED"


class DiskFull(PipelineError):
    """The disk on which rows are landed is full; nothing was landed."""

    code = "RUN_DISK_FULL"
    retryable = True


class BoundsOutOfOrder(PipelineError):
    """The bounds of a back-fill are no stamps of the entry, or not in order."""

    code = "RUN_BOUNDS_OUT_OF_ORDER"


class StageMissing(PipelineError):
    """The record of an earlier stage of this run is not there."""

    code = "RUN_STAGE_MISSING"


class SubjectUnknown(PipelineError):
    """The release has no such subject."""

    code = "RUN_SUBJECT_UNKNOWN"


class ConnectionUnknown(PipelineError):
    """The entry names a connection that this installation does not have."""

    code = "RUN_CONNECTION_UNKNOWN"


class RejectFileRefused(PipelineError):
    """Reject files are written as XLSX and CSV alone."""

    code = "RUN_REJECT_FILE_REFUSED"


class ReleaseRefused(PipelineError):
    """The row is not in the quarantine, or fails a check that no decision overrules."""

    code = "RUN_RELEASE_REFUSED"


class SampleRefused(PipelineError):
    """Nothing is published to draw from, or more is asked than a person compares."""

    code = "RUN_SAMPLE_REFUSED"
