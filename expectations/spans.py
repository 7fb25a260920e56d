"""The columns of a run, loaded a span of rows at a time, so that memory is bounded by one span.

Most checks judge each row alone: their results over spans add up. What is a matter of all rows is
said in ``expectations.keys``. A table of up to ``SPAN_ROWS`` rows has one span.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from expectations.errors import RowsDisagree
from expectations.verdict import Positions

SPAN_ROWS = 48 * 131_072


class Span(NamedTuple):
    """Rows from ``start`` (from 0) to ``stop``, which is excluded; None: to the last there is."""

    start: int
    stop: int | None


@dataclass(frozen=True)
class ColumnView:
    """A column in standard form, or some of its rows.

    Attributes:
        values: Standard values; null where none was given or it was unreadable.
        unreadable: True where a given value could not be read; None: all could.
    """

    values: pa.ChunkedArray
    unreadable: pa.ChunkedArray | None = None

    def take(self, places: Positions) -> "ColumnView":
        """The rows at these places."""
        chosen = pa.array(places)
        flags = None if self.unreadable is None else self.unreadable.take(chosen)
        return ColumnView(self.values.take(chosen), flags)


Load = Callable[[str, Span], ColumnView]


class Columns:
    """The columns of a run.

    Args:
        rows: How many rows it has.
        load: Loads rows of one column by its field name.
    """

    def __init__(self, rows: int, load: Load) -> None:
        self.rows = rows
        self.spans = spans(rows)
        self._load = load

    @property
    def is_split(self) -> bool:
        """Whether no span has all rows."""
        return len(self.spans) > 1

    def over(self, fields: Sequence[str], span: Span) -> dict[str, ColumnView]:
        """Columns by field name, over a span.

        Raises:
            RowsDisagree: a column has more or fewer rows.
        """
        rows = (self.rows if span.stop is None else span.stop) - span.start
        return {field: of_length(field, self._load(field, span), rows) for field in fields}

    def at(self, fields: Sequence[str], places: Positions) -> dict[str, ColumnView]:
        """Columns by field name, the rows at ``places`` (ascending) alone."""
        parts = [self.over(fields, Span(0, 0))]
        for span in self.spans:
            ends = [span.start, self.rows if span.stop is None else span.stop]
            first, last = np.searchsorted(places, ends)
            if last > first:
                inside = places[first:last] - span.start
                views = self.over(fields, span)
                parts.append({field: view.take(inside) for field, view in views.items()})
        return {field: _joined([part[field] for part in parts]) for field in fields}

    def whole(self, fields: Sequence[str]) -> dict[str, ColumnView]:
        """Columns by field name, over all rows."""
        parts = [self.over(fields, span) for span in self.spans]
        return {field: _joined([part[field] for part in parts]) for field in fields}


def of_length(field: str, view: ColumnView, rows: int) -> ColumnView:
    """The same view.

    Raises:
        RowsDisagree: it has more or fewer rows.
    """
    if len(view.values) == rows:
        return view
    raise RowsDisagree(
        field,
        found=f"{len(view.values)} rows",
        expected=f"{rows} rows",
        remedy="validate the columns of one and the same landed run",
    )


def spans(rows: int) -> list[Span]:
    """All rows in order; the last span has no end, so that rows too many come to light."""
    starts = [*range(0, rows, SPAN_ROWS)] or [0]
    return [*(Span(start, start + SPAN_ROWS) for start in starts[:-1]), Span(starts[-1], None)]


def _joined(views: Sequence[ColumnView]) -> ColumnView:
    kind = views[0].values.type
    values = pa.chunked_array([chunk for view in views for chunk in view.values.chunks], kind)
    if all(view.unreadable is None for view in views):
        return ColumnView(values)
    flags = [chunk for view in views for chunk in _flags(view).chunks]
    return ColumnView(values, pa.chunked_array(flags, pa.bool_()))


def _flags(view: ColumnView) -> pa.ChunkedArray:
    if view.unreadable is not None:
        return view.unreadable
    return pa.chunked_array([pa.repeat(pa.scalar(False), len(view.values))])
