"""Sources: one module a kind of department system, all read through one protocol.

``open_source(spec, connection)`` is the door. A source reads only; it yields the columns that are
asked for and no others, exactly as the department has them. What they should be is decided later,
by ``transforms`` and ``expectations``.
"""

from collections.abc import Callable
from importlib import import_module

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources.errors import (
    ArchiveUnsafe,
    DeliveryMismatch,
    SourceChanged,
    SourceColumnMissing,
    SourceError,
    SourceFileMissing,
    SourceIncomplete,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    SourceUnreadable,
    SpoolFull,
)
from yishu.sources.protocol import (
    MAX_BATCH_ROWS,
    Connection,
    FilteringSource,
    Since,
    Source,
    SourceColumn,
)

__all__ = [
    "MAX_BATCH_ROWS",
    "ArchiveUnsafe",
    "Connection",
    "DeliveryMismatch",
    "FilteringSource",
    "Since",
    "Source",
    "SourceChanged",
    "SourceColumn",
    "SourceColumnMissing",
    "SourceError",
    "SourceFileMissing",
    "SourceIncomplete",
    "SourceMisdescribed",
    "SourceRefused",
    "SourceTableMissing",
    "SourceUnreachable",
    "SourceUnreadable",
    "SpoolFull",
    "open_source",
]


MODULES = {
    SystemKind.POSTGRESQL: ("yishu.sources.postgresql", "PostgresqlSource"),
    SystemKind.SQL: ("yishu.sources.sql", "open_sql"),
    SystemKind.CSV: ("yishu.sources.csv", "CsvSource"),
    SystemKind.XLSX: ("yishu.sources.xlsx", "XlsxSource"),
    SystemKind.PARQUET: ("yishu.sources.parquet", "ParquetSource"),
    SystemKind.REST: ("yishu.sources.rest", "RestSource"),
}
"""Where each kind lives; a driver is imported only when its kind is opened."""


def open_source(spec: SourceSpec, connection: Connection) -> Source:
    """The source that a catalog entry describes, behind the connection that was handed in.

    Raises:
        SourceMisdescribed: the entry and the connection speak of different kinds of systems.
    """
    if spec.kind is not connection.kind:
        raise SourceMisdescribed(
            connection.id,
            found=f"a connection of kind {connection.kind}",
            expected=f"kind {spec.kind}, as the catalog entry says",
            remedy="correct the entry's source or the connection",
        )
    module, name = MODULES[spec.kind]
    opener: Callable[[SourceSpec, Connection], Source] = getattr(import_module(module), name)
    return opener(spec, connection)
