"""What a pull is asked for, what it brings, and the columns in which rows are landed.

Separate from ``changes``, so that a pull of everything loads neither the library nor its engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from catalog.model import CatalogEntry
from yishu.sources.protocol import FilteringSource, Since, Source


@dataclass(frozen=True)
class Batch:
    """The part of an entry's history that a pull is asked for, as text of the entry's stamps.

    Attributes:
        since: Where it begins, unless the library has not come that far; None: there.
        until: The first stamp or batch number that is left for later; None: all is read.
    """

    since: str | None = None
    until: str | None = None


WHOLE = Batch()
"""No batch of a history: whatever was written since the last published pull."""


@dataclass(frozen=True)
class Brought:
    """What a pull by changes landed.

    Attributes:
        rows: Rows landed.
        since: First stamp that was asked for; None: everything was.
        reached: Last stamp landed that is not in the future; None: none was readable.
        after: Run of the version that the changes follow; None: they are the whole content.
        before: Rows of that version.
        keys: Rows whose keys were compared; None: they were not due.
        position: What the publication of this pull keeps, as JSON.
    """

    rows: int
    since: str | None = None
    reached: str | None = None
    after: str | None = None
    before: int = 0
    keys: int | None = None
    position: str | None = None


def is_by_changes(entry: CatalogEntry) -> bool:
    """Whether an entry has columns that tell changes, so that its rows have to be resolved."""
    return bool(entry.source.technical_columns)


def has_position(entry: CatalogEntry) -> bool:
    """Whether a pull of the entry goes on where the last one ended."""
    return entry.source.watermark is not None or entry.source.change_log is not None


def landed_columns(entry: CatalogEntry) -> dict[str, str]:
    """Columns of the landed file -> columns of the source; one may be landed twice."""
    items = {item.field: item.source_column for item in entry.items}
    return items | {f"_{use}": name for use, name, _ in entry.source.technical_columns}


def read_rows(
    entry: CatalogEntry, source: Source, since: Since | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of the source in landed columns; with ``since``, at least those stamped since."""
    wanted = landed_columns(entry)
    columns = list(dict.fromkeys(wanted.values()))
    if since is not None and isinstance(source, FilteringSource):
        batches = source.read_since(columns, since)
    else:
        batches = source.read(columns)
    for batch in batches:
        arrays = [batch.column(columns.index(name)) for name in wanted.values()]
        yield pa.RecordBatch.from_arrays(arrays, list(wanted))
