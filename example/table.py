"""One table of one department system: its columns, its rows by index, and how faults get in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from example.chance import Dice, Index
from example.faults import (
    TEXT_KINDS,
    Fault,
    FaultKind,
    Outcome,
    Plan,
    becomes,
    corrupt,
    plan_rows,
)

CHUNK_ROWS = 131_072
"""Rows made at a time; a chunk of twelve columns takes about 30 MB."""

Facts = Callable[[Index], dict[str, pa.Array]]


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Column:
    """A column: field name in the catalog, name in the source, and how the source writes it.

    ``form`` is the strftime pattern of a date that the source keeps as text; empty: as the system
    types it.
    """

    field: str
    name: str
    kind: Kind
    form: str = ""


def columns(listing: str) -> tuple[Column, ...]:
    """Columns from lines of ``field name kind form``; kind may be left out for text."""
    found = []
    for line in listing.strip().splitlines():
        name, column, *rest = line.split(maxsplit=3)
        found.append(Column(name, column, Kind(rest[0] if rest else "text"), *rest[1:]))
    return tuple(found)


@dataclass(frozen=True)
class Place:
    """Where a table lies: the system's connection id and the name inside it.

    ``typed`` systems keep dates, times and numbers as such; the others keep text.
    """

    connection: str
    name: str
    typed: bool = False
    encoding: str = "utf-8"
    sheet: str = ""


@dataclass
class FaultRows:
    """The rows that got one fault, in source order (from 0); keys and values are parallel.

    ``keys`` are the true keys; ``written`` and ``becomes`` are what was written and what a
    repaired value should read.
    """

    fault: Fault
    rows: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    written: list[str | None] = field(default_factory=list)
    becomes: list[str | None] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """One table of one department system.

    Attributes:
        entry: Catalog entry that describes it.
        key: Field that identifies a row.
        rows: How many different rows there are; duplicates come on top.
        facts: Typed columns by field name for any indexes from 0 to ``rows - 1``.
        faults: The faults of this table when it is asked to have any.
    """

    entry: str
    key: str
    place: Place
    columns: tuple[Column, ...]
    rows: int
    facts: Facts
    faults: tuple[Fault, ...] = ()

    @property
    def row_faults(self) -> tuple[Fault, ...]:
        """The faults that concern single rows."""
        return tuple(fault for fault in self.faults if fault.kind is not FaultKind.EXTRA_COLUMN)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """Columns that the catalog does not list."""
        return tuple(fault.field for fault in self.faults if fault.kind is FaultKind.EXTRA_COLUMN)

    def plan(self, dice: Dice) -> Plan:
        """Which rows get which of ``row_faults``."""
        salted = Dice(dice.seed ^ sum(map(ord, self.entry)))
        return plan_rows(salted, self.rows, len(self.row_faults))

    def faulty_rows(self, dice: Dice, *outcomes: Outcome) -> Index:
        """Indexes, ascending, of the rows whose fault ends in one of the outcomes."""
        plan = self.plan(dice)
        wanted = [i for i, fault in enumerate(self.row_faults) if fault.outcome in outcomes]
        return plan.rows[np.isin(plan.kinds, wanted)]

    def holds_text(self, column: Column) -> bool:
        """Whether the source keeps this column as text."""
        if column.kind is Kind.TEXT or column.form:
            return True
        return not self.place.typed and column.kind is not Kind.INTEGER


class Writer:
    """Makes the chunks of a table, corrupts them and remembers what it corrupted."""

    def __init__(self, table: Table, dice: Dice, *, faults: bool) -> None:
        self.table = table
        self.faulty = [FaultRows(fault) for fault in table.row_faults] if faults else []
        self.plan = table.plan(dice) if faults else Plan(np.zeros(0, int), np.zeros(0, int))
        self.extra = table.extra_columns if faults else ()
        self.written = 0

    @cached_property
    def names(self) -> list[str]:
        """Column names as the source has them, in order."""
        return [column.name for column in self.table.columns] + list(self.extra)

    def chunks(self) -> Iterator[pa.Table]:
        """The table as its source will hold it, in order."""
        for start in range(0, self.table.rows, CHUNK_ROWS):
            stop = min(start + CHUNK_ROWS, self.table.rows)
            chunk = self._chunk(np.arange(start, stop, dtype=np.int64))
            self.written += chunk.num_rows
            yield chunk

    def _chunk(self, index: Index) -> pa.Table:
        facts = self.table.facts(index)
        plan = self.plan.between(int(index[0]), int(index[-1]) + 1)
        hits = plan.rows - index[0]
        keys = facts[self.table.key].take(pa.array(hits)).to_pylist()
        made = {
            column.field: render(column, facts[column.field], self.table)
            for column in self.table.columns
        }
        again: list[int] = []
        for number, faulty in enumerate(self.faulty):
            chosen = np.flatnonzero(plan.kinds == number)
            places = hits[chosen]
            faulty.rows.extend((self.written + places).tolist())
            faulty.keys.extend(keys[position] for position in chosen)
            if faulty.fault.kind is FaultKind.DUPLICATE_KEY:
                first = self.written + len(index) + len(again)
                again.extend(places.tolist())
                faulty.rows.extend(range(first, first + len(places)))
                faulty.keys.extend(keys[position] for position in chosen)
            else:
                self._spoil(faulty, facts, made, places)
        chunk = pa.table(list(made.values()), names=self.names[: len(made)])
        for name in self.extra:
            chunk = chunk.append_column(name, pa.array(["0"] * len(index), pa.large_string()))
        return pa.concat_tables([chunk, chunk.take(pa.array(again, pa.int64()))])

    def _spoil(
        self,
        faulty: FaultRows,
        facts: dict[str, pa.Array],
        made: dict[str, pa.Array],
        places: Index,
    ) -> None:
        fault = faulty.fault
        column = next(c for c in self.table.columns if c.field == fault.field)
        values = made[fault.field]
        at = pa.array(places)
        truths = values.take(at).to_pylist()
        earlier = facts[fault.earlier].take(at).to_pylist() if fault.earlier else [None] * len(at)
        turns = range(len(faulty.written), len(faulty.written) + len(at))
        bad: list[Any] = [corrupt(fault, *row) for row in zip(truths, earlier, turns, strict=True)]
        typed = facts[fault.field].type if fault.kind is FaultKind.WRONG_ORDER else values.type
        spoilt = pa.array(bad, typed)
        if typed != values.type:
            spoilt = render(column, spoilt, self.table)
        made[fault.field] = _replaced(values, places, spoilt)
        faulty.written.extend(map(_text, spoilt.to_pylist()))
        if fault.outcome is Outcome.REPAIRED:
            plain = facts[fault.field].take(at).to_pylist()
            faulty.becomes.extend(_text(becomes(fault, value)) for value in plain)


def _replaced(values: pa.Array, places: Index, others: pa.Array) -> pa.Array:
    """The values with others at some ascending places.

    Put together from slices: with few places this is several times faster on text than
    ``replace_with_mask``, which copies value by value.
    """
    pieces, kept = [], 0
    for number, place in enumerate(places.tolist()):
        pieces += [values.slice(kept, place - kept), others.slice(number, 1)]
        kept = place + 1
    return pa.concat_arrays([*pieces, values.slice(kept)])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


_FORMS = {Kind.DATE: "%Y-%m-%d", Kind.DATETIME: "%Y-%m-%d %H:%M:%S"}


def render(column: Column, values: pa.Array, table: Table) -> pa.Array:
    """Values as the source keeps them: typed, or spelt in the source's own way."""
    if column.kind is Kind.TEXT or not table.holds_text(column):
        return values
    if column.kind is Kind.BOOLEAN:
        yes, no = (pa.scalar(text, pa.large_string()) for text in ("是", "否"))
        return pc.if_else(values, yes, no)
    if column.kind in _FORMS:
        text = _spelt(values, column.form or _FORMS[column.kind])
        return text.cast(pa.large_string())
    return values.cast(pa.large_string())


def _spelt(values: pa.Array, form: str) -> pa.Array:
    """Dates spelt through their distinct days, which are few; times one by one."""
    seconds = values.cast(pa.timestamp("s"))
    if pa.types.is_timestamp(values.type):
        return pc.strftime(seconds, format=form)
    days = seconds.dictionary_encode()
    return pc.strftime(days.dictionary, format=form).take(days.indices)


def check_faults(table: Table) -> list[str]:
    """Faults that the table's columns cannot have, as sentences; empty if all is well."""
    by_field = {column.field: column for column in table.columns}
    return [
        f"{table.entry}: {fault.kind} needs a text column, {fault.field} is not one"
        for fault in table.row_faults
        if fault.kind in TEXT_KINDS and not table.holds_text(by_field[fault.field])
    ]
