"""What can go wrong at a department system, and whether trying again can help.

    SourceError
    ├── SourceUnreachable     no answer, or none in time                        retryable
    ├── SourceRefused         it answers, but does not let us read
    ├── SourceMisdescribed    the catalog entry's source does not fit its kind
    ├── SourceTableMissing    no such table, sheet or endpoint
    ├── SourceFileMissing     no such file in the drop folder
    │   └── SourceIncomplete  a delivery is there, but not yet in full          retryable
    ├── SourceColumnMissing   a column that the catalog lists is not there
    ├── SpoolFull             no room for what is brought here to be read       retryable
    └── SourceUnreadable      what is there cannot be read exactly: bad byte, ragged row, bad page
        ├── SourceChanged     it changed while it was being read                retryable
        ├── DeliveryMismatch  it is not what its manifest promises
        └── ArchiveUnsafe     a zip file that could harm who opens it

Messages name connections, tables, files, columns, lines and byte offsets. They never hold a
credential or a data value, and they are raised ``from None``: a driver's own message may quote
either.
"""

from collections.abc import Sequence
from typing import NamedTuple

from catalog.errors import YishuError


class SourceError(YishuError):
    """A department system did not deliver what its catalog entry promises."""

    code = "SRC_ERROR"


class SourceUnreachable(SourceError):
    """The system does not answer, stopped answering, or did not answer in time."""

    code = "SRC_UNREACHABLE"
    retryable = True


class SourceRefused(SourceError):
    """The system answers, but does not let this account read."""

    code = "SRC_REFUSED"


class SourceMisdescribed(SourceError):
    """The entry's ``source`` lacks what its kind of system needs, or cannot be followed."""

    code = "SRC_MISDESCRIBED"


class SourceTableMissing(SourceError):
    """The table, sheet or endpoint that the entry names is not there."""

    code = "SRC_TABLE_MISSING"


class SourceFileMissing(SourceError):
    """No file that the entry's pattern names has been delivered."""

    code = "SRC_FILE_MISSING"


class SourceIncomplete(SourceFileMissing):
    """A delivery has begun but is not there in full by the entry's arrival rule."""

    code = "SRC_INCOMPLETE"
    retryable = True


class SpoolFull(SourceError):
    """The disk on which deliveries are kept while they are read is full."""

    code = "SRC_SPOOL_FULL"
    retryable = True


class SourceColumnMissing(SourceError):
    """A column that the catalog lists is not in the source."""

    code = "SRC_COLUMN_MISSING"


class SourceUnreadable(SourceError):
    """What the system delivered cannot be read exactly, so none of it is taken."""

    code = "SRC_UNREADABLE"


class SourceChanged(SourceUnreadable):
    """The source changed while it was being read; a fresh pull reads one state of it."""

    code = "SRC_CHANGED"
    retryable = True


class DeliveryMismatch(SourceUnreadable):
    """A delivery has other rows or another digest than its manifest promises."""

    code = "SRC_DELIVERY_MISMATCH"


class ArchiveUnsafe(SourceUnreadable):
    """A zip file names places outside itself, or would fill the disk."""

    code = "SRC_ARCHIVE_UNSAFE"


class Meaning(NamedTuple):
    """What a driver's error means, in our words instead of the driver's."""

    kind: type[SourceError]
    found: str
    remedy: str

    def about(self, obj: str, code: str = "") -> SourceError:
        """The error to raise; ``code`` is the database's own number for it, if there is one."""
        return self.kind(
            obj,
            found=f"{self.found} (code {code})" if code else self.found,
            expected="a database that delivers the catalogued columns",
            remedy=self.remedy,
        )


DATABASE_DOWN = Meaning(
    SourceUnreachable,
    "no answer, or the connection broke",
    "see whether the system is up and the network open; the pull can be tried again",
)
SLOW = Meaning(
    SourceUnreachable,
    "no complete answer within the statement timeout",
    "see whether the table is locked or the system overloaded; the pull can be tried again",
)
SILENT = Meaning(
    SourceUnreachable,
    "silence: the connection stands, but nothing has come for too long",
    "see whether the network or the system hangs; the pull can be tried again",
)
NO_DATABASE = Meaning(
    SourceRefused, "the server has no such database", "correct the connection's database name"
)
CERTIFICATE_REFUSED = Meaning(
    SourceRefused,
    "a server whose certificate is not trusted for that host",
    "ask the department for its certificate authority's certificate; do not switch the check off",
)
NO_TLS = Meaning(
    SourceRefused,
    "a server that does not offer TLS, which the connection asks for",
    "ask the department to switch TLS on; do not switch it off here",
)
READ_REFUSED = Meaning(
    SourceRefused, "the account may not read it", "grant SELECT on the catalogued columns"
)
WRITE_REFUSED = Meaning(
    SourceRefused, "reading it would write", "name a table or view that only reads"
)
SIGN_IN_REFUSED = Meaning(
    SourceRefused, "it does not let the account sign in", "correct the account or its password"
)
TABLE_MISSING = Meaning(
    SourceTableMissing,
    "no such table or view",
    "ask the department whether it was renamed, then update the entry's source.table",
)


def require_columns(obj: str, found: Sequence[str], asked: Sequence[str]) -> None:
    """Let pass only columns that are there.

    The names that were found are listed only if at least one was asked for: in a file without a
    header line they would be the first row's values.

    Raises:
        SourceColumnMissing: a column that was asked for is not there.
        ValueError: nothing was asked for, or a column twice.
    """
    if not asked or len(set(asked)) < len(asked):
        raise ValueError(f"{obj}: ask for at least one column, and for each once")
    missing = [name for name in asked if name not in found]
    if not missing:
        return
    some_known = len(missing) < len(asked)
    names = ", ".join(found) if some_known else "none of them is in the catalog entry"
    raise SourceColumnMissing(
        obj,
        found=f"{len(found)} columns ({names})",
        expected=f"also {', '.join(missing)}",
        remedy="ask the department whether the column was renamed or dropped, then update the "
        "catalog entry",
    )
