"""Errors of the library.

    LibraryError (YishuError)
    ├── TableMissing           nothing of that name was published
    ├── VersionMissing         the table has no such version, or nothing so early
    ├── ReleaseMissing         no library release, or none with that table
    ├── ColumnMissing          the table has no such column
    ├── CaseMissing            no published case has that number
    ├── RowsDoNotFit           rows to publish lack a column or have a wrong type
    ├── StatementRefused       SQL that is no SELECT over tables of the library
    ├── KeyBroken              rows to publish have an empty or a repeated key
    ├── ChangesOutOfDate       another run was published since they were pulled
    ├── CountsDoNotAddUp       rows read are not all accounted for
    ├── LibrarySuperseded      newer data are published already
    ├── EngineFailed           DuckDB could not do a step
    ├── LibraryConflict        somebody else publishes the same table   (retryable)
    ├── LibraryUnwritable      the storage refused to write             (retryable)
    ├── SubjectNotReady        departments that a subject waits for     (retryable)
    ├── SubjectGateClosed      too many rows are not linked, or links lead nowhere
    └── SubjectUnbuildable     catalog and tables do not fit the subject

None of them leaves a trace in a table: a reader sees the last good version.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from catalog.errors import YishuError


class LibraryError(YishuError):
    """Something about the unified database or the subject library."""

    code = "LIB_ERROR"


class TableMissing(LibraryError):
    """Nothing was published under that name."""

    code = "LIB_TABLE_MISSING"


class VersionMissing(LibraryError):
    """The table has no such version, or had none at that time."""

    code = "LIB_VERSION_MISSING"


class ReleaseMissing(LibraryError):
    """Nothing was released, or the release does not have that table."""

    code = "LIB_RELEASE_MISSING"


class ColumnMissing(LibraryError):
    """The table has no column of that name."""

    code = "LIB_COLUMN_MISSING"


class CaseMissing(LibraryError):
    """No published case has that number."""

    code = "LIB_CASE_MISSING"


class StatementRefused(LibraryError):
    """A statement is no single SELECT over tables of the library."""

    code = "LIB_STATEMENT_REFUSED"


class RowsDoNotFit(LibraryError):
    """The rows to publish do not have the columns and types that were announced."""

    code = "LIB_ROWS_DO_NOT_FIT"


class KeyBroken(LibraryError):
    """The rows to publish are not told apart by their key."""

    code = "LIB_KEY_BROKEN"


class ChangesOutOfDate(LibraryError):
    """Changes were pulled for a version that is no longer the newest."""

    code = "LIB_CHANGES_OUT_OF_DATE"


class CountsDoNotAddUp(LibraryError):
    """Rows were lost or doubled between reading and publishing."""

    code = "LIB_COUNTS_DO_NOT_ADD_UP"


class LibrarySuperseded(LibraryError):
    """The rows to publish were pulled before those that are published already."""

    code = "LIB_SUPERSEDED"


class EngineFailed(LibraryError):
    """DuckDB could not do a step; its own text is kept out, since it may quote a value."""

    code = "LIB_ENGINE_FAILED"


class LibraryConflict(LibraryError):
    """Another publication of the same table is under way or came first."""

    code = "LIB_CONFLICT"
    retryable = True


class LibraryUnwritable(LibraryError):
    """The storage refused to write, e.g. because the disk is full."""

    code = "LIB_UNWRITABLE"
    retryable = True


class SubjectNotReady(LibraryError):
    """A subject waits for entries that have not been published yet."""

    code = "LIB_SUBJECT_NOT_READY"
    retryable = True


class SubjectUnbuildable(LibraryError):
    """The catalog and the published tables do not fit the subject."""

    code = "LIB_SUBJECT_UNBUILDABLE"


class SubjectGateClosed(LibraryError):
    """Too many rows of a subject's entries are not linked, or too many links lead nowhere."""

    code = "LIB_SUBJECT_GATE_CLOSED"


def unwritable(obj: str, error: Exception) -> LibraryUnwritable:
    """The error for whatever the storage raised while ``obj`` was being written."""
    return LibraryUnwritable(
        obj,
        found=f"{type(error).__name__} while writing",
        expected="a folder that can be written, with free disk space",
        remedy="look at the free space and the owner of the library's folder, then run again",
    )


@contextmanager
def storing(obj: str) -> Iterator[None]:
    """Say of the storage what it refuses while ``obj`` is being written.

    Raises:
        LibraryUnwritable: it refused.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(obj, error) from error
