"""What every kind of department system looks like to the rest of Yishu.

Separate from the kinds, so that a caller needs no driver to speak of a source.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import pyarrow as pa

from catalog.vocabulary import SystemKind
from yishu.sources.arrival import Seen

MAX_BATCH_ROWS = 65_536
"""No batch that a source yields is longer; a caller's memory follows from it."""


@dataclass(frozen=True)
class Connection:
    """Where a department system is and how to sign in.

    It is handed in, never looked up here. ``url`` may hold a password or a token, so it is not in
    the repr. Its form by kind: ``postgresql://…``; any SQLAlchemy URL; the path of a drop folder
    (CSV, XLSX); ``http://:token@host`` or ``http://user:password@host`` (REST).
    """

    id: str
    kind: SystemKind
    url: str = field(repr=False)


@dataclass(frozen=True)
class SourceColumn:
    """A column as the source itself calls it; ``type`` is the source's own type name."""

    name: str
    type: str


@dataclass(frozen=True)
class Since:
    """Which rows are wanted: those stamped at or after a moment, and those without a stamp.

    Attributes:
        column: The stamp's column in the source.
        value: A moment with its zone, a day or a whole number.
        parameter: A service's query parameter that takes the value.
    """

    column: str
    value: datetime | date | int
    parameter: str | None = None


class Source(Protocol):
    """One table, file or endpoint of a department system, open for reading only.

    Nothing is asked of the system before ``columns`` or ``read`` is called.
    """

    def columns(self) -> list[SourceColumn]:
        """The real columns, in the source's order, asked for or not."""

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream these columns alone, in this order, in batches of at most ``MAX_BATCH_ROWS``.

        A source without rows yields one batch without rows, so a schema is always known.
        """

    def __enter__(self) -> Self:
        """Open for a ``with`` block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close connections and files."""


@runtime_checkable
class FilteringSource(Source, Protocol):
    """A source that can leave rows out by itself, so that they need not travel."""

    def read_since(self, columns: Sequence[str], since: Since) -> Iterator[pa.RecordBatch]:
        """As ``read``, but rows stamped before ``since`` may be left out.

        It may give more rows than are wanted and never fewer: where the filter cannot be put to
        the system exactly, all rows come.
        """


@runtime_checkable
class ResumableSource(Protocol):
    """A source that can go on where an earlier attempt of the same pull broke off."""

    def resume_in(self, folder: Path) -> None:
        """Keep what was read in that private folder, and begin with what is there.

        Called before ``read``; for files, which ``columns`` already opens, before that too.
        Whoever gives the folder removes it when the pull is done.
        """


@dataclass(frozen=True)
class Delivery:
    """A file that a department dropped: as its folder showed it, and its SHA-256."""

    seen: Seen
    sha256: str


@runtime_checkable
class DeliveredSource(ResumableSource, Protocol):
    """A source whose rows come as a file in a drop folder."""

    def delivered(self) -> Delivery:
        """The delivery that is read: chosen once, at the first question."""

    def expect(self, settled: Seen) -> None:
        """Take the delivery that a wait saw arrive in full, if it is still there unchanged."""


def bounded(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch into views of at most ``MAX_BATCH_ROWS`` rows, without a copy."""
    for start in range(0, max(batch.num_rows, 1), MAX_BATCH_ROWS):
        yield batch.slice(start, MAX_BATCH_ROWS)


def string_schema(columns: Sequence[str]) -> pa.Schema:
    """The schema of a source that knows text alone."""
    return pa.schema([(name, pa.string()) for name in columns])
