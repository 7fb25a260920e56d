"""Drift: where the real columns of a source differ from what its catalog entry says; pure.

A new column is reported and never read. A missing or retyped one stops the pull.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from catalog.model import CatalogEntry
from catalog.vocabulary import DataType, SystemKind


class Family(StrEnum):
    """What a source type is, whatever the database calls it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    TIME = "time"
    OTHER = "other"


_WORDS: tuple[tuple[Family, str], ...] = (
    (Family.BOOLEAN, r"bool(ean)?|bit|tinyint\(1\)"),
    (Family.TIME, r"time( without time zone)?"),
    (Family.TIMESTAMP, r"timestamp.*|datetime.*|smalldatetime"),
    (Family.DATE, r"date|date32.*|date64.*"),
    (
        Family.INTEGER,
        (
            r"(tiny|small|medium|big)?int(eger)?\d*( unsigned)?( zerofill)?|u?int\d+|"
            r"(big|small)?serial|year"
        ),
    ),
    (
        Family.NUMBER,
        r"(numeric|decimal\d*|number|money|double( precision)?|float\d*|real)( unsigned)?",
    ),
    (
        Family.TEXT,
        (
            r"n?var(ying )?char(acter)?\d*|character( varying)?|n?char|bpchar|n?text|"
            r"(tiny|medium|long)text|n?clob|(large_)?string|uuid|name|enum|set|citext"
        ),
    ),
)
_PATTERNS = tuple((family, re.compile(pattern)) for family, pattern in _WORDS)
_SIZE = re.compile(r"\s*\([^)]*\)")

_COMPATIBLE: dict[DataType, frozenset[Family]] = {
    DataType.STRING: frozenset({Family.TEXT, Family.TIME}),
    DataType.INTEGER: frozenset({Family.INTEGER, Family.NUMBER, Family.TEXT}),
    DataType.DECIMAL: frozenset({Family.INTEGER, Family.NUMBER, Family.TEXT}),
    DataType.MONEY: frozenset({Family.INTEGER, Family.NUMBER, Family.TEXT}),
    DataType.DATE: frozenset({Family.DATE, Family.TIMESTAMP, Family.TEXT}),
    DataType.TIMESTAMP: frozenset({Family.TIMESTAMP, Family.DATE, Family.TEXT}),
    DataType.BOOLEAN: frozenset({Family.BOOLEAN, Family.INTEGER, Family.TEXT}),
}
"""What each standard type can be read from. Text suits every type: departments keep dates and
numbers as text, and what cannot be read is quarantined row by row. A number never suits a text
item: codes lose their leading zeros in it."""

_UNTYPED = frozenset({SystemKind.CSV, SystemKind.XLSX, SystemKind.REST})
"""Sources whose columns have no types of their own: everything comes as text."""


@dataclass(frozen=True)
class Column:
    """A column of a source, its type as the source calls it."""

    name: str
    type: str


@dataclass(frozen=True)
class Retyped:
    """A column whose type in the source cannot hold what the item promises."""

    name: str
    found: str
    expected: DataType


@dataclass(frozen=True)
class Drift:
    """The difference between a source and its entry.

    Attributes:
        new_columns: Columns that the entry does not list, in the source's order.
        missing_columns: Columns that the entry lists and the source lacks, in the entry's order.
        retyped: Columns of a type that does not fit the item, in the entry's order.
    """

    new_columns: tuple[Column, ...] = ()
    missing_columns: tuple[str, ...] = ()
    retyped: tuple[Retyped, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.new_columns or self.blocks)

    @property
    def blocks(self) -> bool:
        """Whether the entry cannot be filled from the source any more."""
        return bool(self.missing_columns or self.retyped)

    def describe(self) -> str:
        """All differences in one line, names and types only."""
        parts = [f"new column {column.name} ({column.type})" for column in self.new_columns]
        parts += [f"missing column {name}" for name in self.missing_columns]
        parts += [
            f"column {column.name} of type {column.found}, which does not fit {column.expected}"
            for column in self.retyped
        ]
        return "; ".join(parts) or "no difference"


def compare(entry: CatalogEntry, columns: Iterable[tuple[str, str]]) -> Drift:
    """Compare the source's real columns, as (name, type), with what the entry lists.

    Columns that tell changes (watermark, change log, tombstone) are listed as much as items are.
    Names are compared exactly. An unknown source type counts as retyped: what nobody has vouched
    for is not read.
    """
    real = dict(columns)
    items = {item.source_column: item.type for item in entry.items}
    technical = {name: type_ for _, name, type_ in entry.source.technical_columns}
    listed = technical | items
    # A mark such as an operation may be a number or a flag: it is compared as text.
    marks = {name for name, type_ in technical.items() if type_ is DataType.STRING} - items.keys()
    is_typed = entry.source.kind not in _UNTYPED
    return Drift(
        new_columns=tuple(Column(*column) for column in real.items() if column[0] not in listed),
        missing_columns=tuple(name for name in listed if name not in real),
        retyped=tuple(
            Retyped(name, real[name], type_)
            for name, type_ in listed.items()
            if is_typed and name in real and name not in marks
            if not is_compatible(real[name], type_)
        ),
    )


def is_compatible(source_type: str, type_: DataType) -> bool:
    """Whether a column of that source type can hold values of the standard type."""
    if type_ is DataType.INTEGER and source_type.strip().lower() == "tinyint(1)":
        # MySQL has no boolean of its own, so this may be one, or a small number.
        return True
    return family_of(source_type) in _COMPATIBLE[type_]


def family_of(source_type: str) -> Family:
    """The family of a type name of PostgreSQL, MySQL, SQLite, Arrow and their like."""
    name = source_type.strip().lower().replace("[", "(").replace("]", ")")
    for spelling in (name, _SIZE.sub("", name)):
        for family, pattern in _PATTERNS:
            if pattern.fullmatch(spelling):
                return family
    return Family.OTHER
