"""The SQL of a subject: rows of its base entries, with the values of the entries that join.

Every statement works on views of published Parquet files; what is kept in the engine is small
(repeated keys), so memory stays bounded by its joins, which spill.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import pyarrow as pa

from catalog.model import Scope
from yishu.library.engine import literal, names, quote, sql_type
from yishu.library.feed import Copy, Feed, Scopes
from yishu.library.provenance import ENTRY_ID, LANDED_ROW, PROVIDER_ORG, RUN_ID, joined_run

REPEATED = "repeated_keys"
"""Keys that more than one base row has, over all base entries."""


class Reason(StrEnum):
    """Why a row of a contributing entry gave nothing to the subject."""

    OUT_OF_SCOPE = "out_of_scope"
    NO_PARTNER = "no_partner"
    DUPLICATE_KEY = "duplicate_key"
    NO_KEY = "no_key"


@dataclass(frozen=True)
class Source:
    """A feed with its published table.

    Attributes:
        rows: Subquery of the table at its pinned version.
        columns: The table's columns; an item added to the catalog since is not among them.
    """

    feed: Feed
    version: int
    rows: str
    columns: Sequence[str]

    @property
    def view(self) -> str:
        """The name of the view of this entry's rows as the subject sees them."""
        return quote(f"rows of {self.feed.entry.id}")

    @property
    def joined(self) -> str:
        """The name of the view of those rows that may join a base row."""
        return quote(f"joined from {self.feed.entry.id}")


@dataclass(frozen=True)
class Weave:
    """All statements of one build; ``schema`` is the subject table's."""

    key: tuple[str, ...]
    schema: pa.Schema
    sources: tuple[Source, ...]

    @cached_property
    def bases(self) -> list[Source]:
        """Sources whose rows make rows of the subject."""
        return [source for source in self.sources if source.feed.base]

    @cached_property
    def joiners(self) -> list[Source]:
        """Sources that may give values to rows of another base."""
        return [source for source in self.sources if source.feed.joins]

    def prepare(self) -> list[str]:
        """Make the views and the table of repeated keys."""
        views = [self._view(source) for source in self.sources]
        keys = names(self.key)
        union = " UNION ALL ".join(
            f"SELECT {keys} FROM {source.view} WHERE _is_base" for source in self.bases
        )
        repeated = f"CREATE TEMP TABLE {REPEATED} AS SELECT {keys} FROM ({union}) {self._twice()}"
        return [*views, repeated, *(self._joined(source) for source in self.joiners)]

    def rows(self) -> str:
        """The subject's rows, with the run of each entry that gave a value."""
        return " UNION ALL ".join(self._base_rows(base) for base in self.bases)

    def not_linked(self, source: Source, woven: str) -> str:
        """Rows of a source that gave nothing: entry, key as text, landed row, reason."""
        keys = ", ".join(f"v.{quote(name)}::VARCHAR AS {quote(name)}" for name in self.key)
        empty = any_of(f"v.{quote(name)} IS NULL" for name in self.key)
        rivals = any_of(
            f"EXISTS (SELECT 1 FROM {rows} r WHERE {self._same('r', 'v')})"
            for rows in (REPEATED, woven, self._own_twice(source))
        )
        return (
            f"SELECT {literal(source.feed.entry.id)} AS entry_id, {keys}, "
            f"v.{LANDED_ROW} AS landed_row, CASE WHEN {empty} THEN '{Reason.NO_KEY}' "
            f"WHEN NOT (v._is_base OR v._may_join) THEN '{Reason.OUT_OF_SCOPE}' "
            f"WHEN {rivals} THEN '{Reason.DUPLICATE_KEY}' ELSE '{Reason.NO_PARTNER}' END AS reason "
            f"FROM {source.view} v WHERE NOT {self._used(source, woven)}"
        )

    def agreement(self, copy: Copy, rows: str, source: Source) -> str:
        """How many values of a copy were compared with its source, and how many differ."""
        if not self._has_item(copy, source):
            return "SELECT 0, 0"
        mine, theirs = self._sides(copy)
        differs = f"{mine} IS DISTINCT FROM {theirs}"
        return f"SELECT count(*), count(*) FILTER ({differs}) {self._compared(copy, rows, source)}"

    def differing(self, copy: Copy, rows: str, source: Source) -> str:
        """Key, source's value and copy's value, all as text, where the two differ."""
        keys = ", ".join(f"s.{quote(name)}::VARCHAR" for name in self.key)
        if not self._has_item(copy, source):
            return f"SELECT {', '.join('NULL' for _ in self.key)}, NULL, NULL WHERE false"
        mine, theirs = self._sides(copy)
        return (
            f"SELECT {keys}, {theirs}::VARCHAR, c.{quote(copy.item)}::VARCHAR "
            f"{self._compared(copy, rows, source)} AND {mine} IS DISTINCT FROM {theirs}"
        )

    def _has_item(self, copy: Copy, source: Source) -> bool:
        item, _ = source.feed.items[copy.column]
        return item in source.columns

    def _sides(self, copy: Copy) -> tuple[str, str]:
        kind = sql_type(self.schema.field(copy.column).type)
        return f"TRY_CAST(c.{quote(copy.item)} AS {kind})", f"s.{quote(copy.column)}"

    def _compared(self, copy: Copy, rows: str, source: Source) -> str:
        """FROM and WHERE: values of the copy beside those of the source for the same key."""
        same = " AND ".join(
            f"c.{quote(mine)}::VARCHAR = s.{quote(name)}::VARCHAR"
            for mine, name in zip(copy.key, self.key, strict=True)
        )
        return (
            f"FROM {rows} c JOIN {source.view} s ON {same} "
            f"WHERE c.{quote(copy.item)} IS NOT NULL AND s.{_flag(copy.column)} "
            f"AND NOT EXISTS (SELECT 1 FROM {REPEATED} r WHERE {self._same('r', 's')})"
        )

    def _view(self, source: Source) -> str:
        """Rows with the key and values in the subject's names and types, and where they count."""
        feed = source.feed
        whole = " AND ".join(f"t.{quote(item)} IS NOT NULL" for item in feed.key)
        carried = dict(zip(self.key, feed.key, strict=True))
        carried |= {column: item for column, (item, _) in feed.items.items()}
        marks = {
            column: f"({whole} AND {in_scope(scopes)})"
            for column, (_, scopes) in feed.items.items()
        }
        is_base = " AND ".join([whole, *map(in_scope, feed.base)]) if feed.base else "false"
        columns = [self._value(source, item, column) for column, item in carried.items()]
        columns += [f"{mark} AS {_flag(column)}" for column, mark in marks.items()]
        columns += [f"t.{name}" for name in (PROVIDER_ORG, RUN_ID, LANDED_ROW)]
        columns += [f"({is_base}) AS _is_base", f"({any_of(marks.values())}) AS _may_join"]
        return f"CREATE TEMP VIEW {source.view} AS SELECT {', '.join(columns)} FROM {source.rows} t"

    def _joined(self, source: Source) -> str:
        return (
            f"CREATE TEMP VIEW {source.joined} AS SELECT *, true AS _joined FROM {source.view} v "
            f"WHERE _may_join AND NOT _is_base AND NOT EXISTS "
            f"(SELECT 1 FROM {self._own_twice(source)} d WHERE {self._same('d', 'v')})"
        )

    def _own_twice(self, source: Source) -> str:
        keys = names(self.key)
        return (
            f"(SELECT {keys} FROM {source.view} WHERE _may_join AND NOT _is_base {self._twice()})"
        )

    def _base_rows(self, base: Source) -> str:
        joiners = [(f"j{number}", source) for number, source in enumerate(self.joiners)]
        columns = {name: f"b.{quote(name)}" for name in self.key}
        columns |= {name: f"b.{name}" for name in (PROVIDER_ORG, RUN_ID, LANDED_ROW)}
        columns[ENTRY_ID] = literal(base.feed.entry.id)
        for alias, source in joiners:
            run = joined_run(source.feed.entry.id)
            columns[run] = self._joined_run(alias, source, base, joiners)
        selected = ", ".join(
            f"{columns.get(field.name) or self._column(field, base, joiners)} "
            f"AS {quote(field.name)}"
            for field in self.schema
        )
        joins = " ".join(
            f"LEFT JOIN {source.joined} {alias} ON {self._same(alias, 'b')}"
            for alias, source in joiners
        )
        return f"SELECT {selected} FROM {base.view} b {joins} WHERE {self._is_linked('b')}"

    def _is_linked(self, alias: str) -> str:
        """The condition under which a base row makes a row of the subject."""
        again = f"SELECT 1 FROM {REPEATED} r WHERE {self._same('r', alias)}"
        return f"({alias}._is_base AND NOT EXISTS ({again}))"

    def _feeders(
        self, column: str, base: Source, joiners: Sequence[tuple[str, Source]]
    ) -> list[str]:
        own = ["b"] if column in base.feed.items else []
        return [*own, *(alias for alias, source in joiners if column in source.feed.items)]

    def _column(self, field: pa.Field, base: Source, joiners: Sequence[tuple[str, Source]]) -> str:
        """The value of whoever is the source for this row; null where two claim to be."""
        column = field.name
        feeders = self._feeders(column, base, joiners)
        if not feeders:
            return f"NULL::{sql_type(field.type)}"
        cases = " ".join(
            f"WHEN {_mark(alias, column)} THEN {alias}.{quote(column)}" for alias in feeders
        )
        claims = " + ".join(f"{_mark(alias, column)}::INTEGER" for alias in feeders)
        return f"CASE WHEN {claims} > 1 THEN NULL {cases} END"

    def _joined_run(
        self,
        alias: str,
        source: Source,
        base: Source,
        joiners: Sequence[tuple[str, Source]],
    ) -> str:
        """The run of a joined row, where at least one of its values was taken."""
        taken = []
        for column in source.feed.items:
            others = [one for one in self._feeders(column, base, joiners) if one != alias]
            free = [f"NOT {_mark(other, column)}" for other in others]
            taken.append(f"({' AND '.join([_mark(alias, column), *free])})")
        return f"CASE WHEN {any_of(taken)} THEN {alias}.{RUN_ID} END"

    def _used(self, source: Source, woven: str) -> str:
        if source not in self.joiners:
            return self._is_linked("v")
        run = quote(joined_run(source.feed.entry.id))
        taken = f"SELECT 1 FROM {woven} w WHERE {self._same('w', 'v')} AND w.{run} IS NOT NULL"
        by_join = f"(v._may_join AND NOT v._is_base AND EXISTS ({taken}))"
        return f"({self._is_linked('v')} OR {by_join})"

    def _value(self, source: Source, item: str, column: str) -> str:
        value = f"t.{quote(item)}" if item in source.columns else "NULL"
        return f"{value}::{sql_type(self.schema.field(column).type)} AS {quote(column)}"

    def _same(self, first: str, second: str) -> str:
        return " AND ".join(f"{first}.{quote(k)} = {second}.{quote(k)}" for k in self.key)

    def _twice(self) -> str:
        return f"GROUP BY {names(self.key)} HAVING count(*) > 1"


def any_of(conditions: Iterable[str]) -> str:
    """The condition that at least one of them holds; false when there is none."""
    return " OR ".join(conditions) or "false"


def in_scope(scopes: Scopes) -> str:
    """The condition under which row ``t`` of an entry lies in one of the scopes."""
    return f"({any_of(map(_in_one, scopes))})"


def _in_one(scope: Scope | None) -> str:
    if scope is None:
        return "true"
    values = ", ".join(literal(value) for value in scope.values)
    return f"coalesce(t.{quote(scope.by)}::VARCHAR IN ({values}), false)"


def _flag(column: str) -> str:
    """Says in a view whether the row's entry is the source of that column for it."""
    return quote(f"_from {column}")


def _mark(alias: str, column: str) -> str:
    return f"coalesce({alias}.{_flag(column)}, false)"
