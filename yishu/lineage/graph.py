"""The flow of columns, rebuilt from events alone, and questions to it.

A column is a data set's name and a field. The newest complete event of a job says what the job
reads and writes; a job that never completed says nothing. Questions walk arrays of numbers, so
that a city of 10,000 data sets and 200,000 columns answers in well under 200 ms.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from yishu.lineage.errors import ColumnUnknown
from yishu.lineage.facts import ColumnRef
from yishu.lineage.naming import DatasetName

Edge = tuple[ColumnRef, ColumnRef]
_COMPLETE = "COMPLETE"


class Reached(NamedTuple):
    """A column that a question led to, and over how many steps."""

    column: ColumnRef
    steps: int


class ReachedColumns(Sequence[Reached]):
    """Columns that a question led to, nearest first; records are made as they are looked at."""

    def __init__(self, columns: Sequence[ColumnRef], found: np.ndarray, steps: np.ndarray) -> None:
        self._columns, self._found, self._steps = columns, found, steps

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return ReachedColumns(self._columns, self._found[place], self._steps[place])
        return Reached(self._columns[self._found[place]], int(self._steps[place]))


class Graph:
    """Which column's values come from which columns."""

    def __init__(self, edges: Iterable[Edge], masked: Iterable[Edge] = ()) -> None:
        self._numbers: dict[ColumnRef, int] = {}
        self._columns: list[ColumnRef] = []
        self.masked = frozenset(masked)
        pairs = [(self._number(one), self._number(two)) for one, two in dict.fromkeys(edges)]
        self._pairs = np.array(pairs, np.int64).reshape(-1, 2)
        first, second = self._pairs.T
        self._forward = _Adjacency(first, second, len(self._columns))
        self._backward = _Adjacency(second, first, len(self._columns))

    def _number(self, column: ColumnRef) -> int:
        number = self._numbers.setdefault(column, len(self._columns))
        if number == len(self._columns):
            self._columns.append(column)
        return number

    @cached_property
    def edges(self) -> frozenset[Edge]:
        """Every flow from a column to a column."""
        columns = self._columns
        return frozenset((columns[first], columns[second]) for first, second in self._pairs)

    def upstream(self, column: ColumnRef) -> "ReachedColumns":
        """Every column that the values of a column come from, nearest first.

        Raises:
            ColumnUnknown: no event tells of the column.
        """
        return self._reached(column, self._backward)

    def downstream(self, column: ColumnRef) -> "ReachedColumns":
        """Every column that gets values from a column, nearest first.

        Raises:
            ColumnUnknown: no event tells of the column.
        """
        return self._reached(column, self._forward)

    def path(self, source: ColumnRef, target: ColumnRef) -> list[ColumnRef]:
        """A shortest way from one column to another, both included; empty when there is none.

        Raises:
            ColumnUnknown: no event tells of one of them.
        """
        start, goal = self._known(source), self._known(target)
        steps = self._forward.steps_from(start)
        if steps[goal] < 0:
            return []
        way = [goal]
        while way[-1] != start:
            before = self._backward.next_to(np.array(way[-1:]))
            way.append(int(before[steps[before] == steps[way[-1]] - 1][0]))
        return [self._columns[number] for number in reversed(way)]

    def named(self, name: str) -> list[ColumnRef]:
        """The columns of data sets of that name, whatever their namespace."""
        return [column for column in self._columns if column.dataset.name == name]

    def _reached(self, column: ColumnRef, adjacent: "_Adjacency") -> "ReachedColumns":
        steps = adjacent.steps_from(self._known(column))
        found = np.flatnonzero(steps > 0)
        # Sixteen bits are sorted by counting.
        nearest = found[np.argsort(steps[found].astype(np.uint16), kind="stable")]
        return ReachedColumns(self._columns, nearest, steps[nearest])

    def _known(self, column: ColumnRef) -> int:
        if column not in self._numbers:
            raise ColumnUnknown(
                f"{column.dataset.name} {column.field}",
                found="no event that tells of it",
                expected="a column of a data set that a job has read or written",
                remedy="look the name up in the events; run the pipeline of the entry once",
            )
        return self._numbers[column]


class _Adjacency:
    """For each column the columns next to it in one direction, in two arrays."""

    def __init__(self, first: np.ndarray, second: np.ndarray, count: int) -> None:
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(first, minlength=count))])
        self._next = second[np.argsort(first, kind="stable")]

    def next_to(self, columns: np.ndarray) -> np.ndarray:
        """Columns one step from any of these, some perhaps more than once."""
        starts = self._starts[columns]
        lengths = self._starts[columns + 1] - starts
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        found: np.ndarray = self._next[np.repeat(starts, lengths) + offsets]
        return found

    def steps_from(self, start: int) -> np.ndarray:
        """For every column the steps from one; -1 where there is no way."""
        steps = np.full(len(self._starts) - 1, -1, np.int64)
        steps[start] = 0
        edge, far = np.array([start]), 0
        while len(edge):
            far += 1
            reached = self.next_to(edge)
            steps[reached[steps[reached] < 0]] = far
            # A look at all columns is cheaper than sorting, unless the edge is small.
            is_wide = len(reached) > len(steps) // 64
            edge = np.flatnonzero(steps == far) if is_wide else _once(reached, steps, far)
        return steps


def _once(reached: np.ndarray, steps: np.ndarray, far: int) -> np.ndarray:
    """Each of the columns that were reached first now, once."""
    return np.unique(reached[steps[reached] == far])


def graph_of(events: Iterable[Mapping[str, Any]]) -> Graph:
    """The graph that the newest complete event of each job draws.

    Args:
        events: OpenLineage run events as plain JSON, ours and other producers'.
    """
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for event in events:
        if event.get("eventType") != _COMPLETE:
            continue
        job = (event["job"]["namespace"], event["job"]["name"])
        if job not in newest or newest[job]["eventTime"] <= event["eventTime"]:
            newest[job] = event
    flows = [flow for event in newest.values() for flow in _flows(event)]
    return Graph((edge for edge, _ in flows), (edge for edge, is_masked in flows if is_masked))


def _flows(event: Mapping[str, Any]) -> Iterable[tuple[Edge, bool]]:
    for output in event.get("outputs", ()):
        target = DatasetName(output["namespace"], output["name"])
        facet = (output.get("facets") or {}).get("columnLineage") or {}
        for field, origin in facet.get("fields", {}).items():
            for given in origin["inputFields"]:
                source = DatasetName(given["namespace"], given["name"])
                done = given.get("transformations") or ()
                is_masked = any(one.get("masking") for one in done)
                yield (ColumnRef(source, given["field"]), ColumnRef(target, field)), is_masked
