"""Errors of lineage.

LineageError
├── LineageNotWritten    an event could not be appended
└── ColumnUnknown        no event tells of a column
"""

from catalog.errors import YishuError


class LineageError(YishuError):
    """Lineage cannot be told."""

    code = "LINEAGE_ERROR"


class LineageNotWritten(LineageError):
    """An event could not be appended to the file; what it would have said is unproven."""

    code = "LINEAGE_NOT_WRITTEN"


class ColumnUnknown(LineageError):
    """No event tells of that column."""

    code = "LINEAGE_COLUMN_UNKNOWN"
