"""Landed rows: one Parquet file, or one part for each range, read as one table in one order.

    <run>/data.parquet                         a pull in one stream
    <run>/parts/part-000.parquet, part-001 …   a pull in ranges; the rows follow each other

A row's number is its position from 0: through all parts, in their order. It is the same whenever
the landed files are read, so a quarantined row can be found again. Later stages read the row groups
one by one and in any thread.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogEntry
from catalog.vocabulary import DataType
from yishu.ahead import used_behind
from yishu.pipeline.store import RunFolder, whole_file

if TYPE_CHECKING:
    from expectations.verdict import Positions

GROUP_ROWS = 131_072
"""Rows of a row group of a landed file: what the later stages read at a time."""


class Group(NamedTuple):
    """A row group: the numbers of its rows (``stop`` excluded), its file and its place there."""

    start: int
    stop: int
    file: Path
    number: int

    def read(self) -> pa.Table:
        """All its columns; safe in any thread, since it opens the file for itself."""
        with pq.ParquetFile(self.file) as opened:
            return opened.read_row_group(self.number, use_threads=False)

    def pick(self, positions: "Positions") -> "tuple[pa.Table, Positions]":
        """Its rows at ``positions`` (ascending, of the whole table), and which they are."""
        inside = positions[slice(*np.searchsorted(positions, [self.start, self.stop]))]
        rows = self.read() if len(inside) else pq.read_schema(self.file).empty_table()
        return rows.take(pa.array(inside - self.start)), inside


class Landed:
    """The rows that a pull brought."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    @property
    def schema(self) -> pa.Schema:
        """Its columns, as the source types them."""
        return pq.read_schema(self._files[0])

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(pq.read_metadata(file).num_rows for file in self._files)

    def column(self, field: str, start: int = 0, stop: int | None = None) -> pa.ChunkedArray:
        """One column, of all rows or of those from ``start`` to ``stop``, which is excluded."""
        end = self.rows if stop is None else stop
        groups = [one for one in self.groups() if one.stop > start and one.start < end]
        chunks = [chunk for part in _by_file(groups) for chunk in _column(field, part)]
        values = pa.chunked_array(chunks, self.schema.field(field).type)
        return values.slice(start - groups[0].start, end - start) if groups else values

    def taken(self, field: str, positions: "Positions") -> pa.ChunkedArray:
        """One column of the rows at ``positions``, ascending; read from the first to the last."""
        start, stop = (positions[0], positions[-1] + 1) if len(positions) else (0, 0)
        return self.column(field, int(start), int(stop)).take(pa.array(positions - start))

    def groups(self) -> list[Group]:
        """All row groups in order."""
        found = []
        start = 0
        for file in self._files:
            about = pq.read_metadata(file)
            for number in range(about.num_row_groups):
                stop = start + about.row_group(number).num_rows
                found.append(Group(start, stop, file, number))
                start = stop
        return found


def landed(folder: RunFolder) -> Landed:
    """What the pull of that run landed."""
    return Landed(landed_files(folder))


def pick(rows: Landed, positions: "Positions") -> "Iterator[tuple[pa.Table, Positions]]":
    """Rows at ``positions`` (ascending), one row group at a time, with their positions."""
    for group in rows.groups():
        found, inside = group.pick(positions)
        if len(inside):
            yield found, inside


def landed_files(folder: RunFolder) -> list[Path]:
    """The files of a finished pull, in the order of their rows."""
    return folder.landed_parts() or [folder.data]


def _by_file(groups: Sequence[Group]) -> Iterator[list[Group]]:
    for _, part in groupby(groups, key=lambda one: one.file):
        yield list(part)


def _column(field: str, groups: Sequence[Group]) -> list[pa.Array]:
    """A column of row groups of one file."""
    with pq.ParquetFile(groups[0].file) as file:
        # In batches: read whole, a column is grown and copied over and over.
        numbers = [group.number for group in groups]
        batches = file.iter_batches(GROUP_ROWS, numbers, columns=[field], use_threads=False)
        return [batch.column(0) for batch in batches]


def whole_batch(rows: pa.Table) -> pa.RecordBatch:
    """The same rows as a single record batch."""
    columns = [column.combine_chunks() for column in rows.columns]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def repeating(entry: CatalogEntry) -> list[str]:
    """Fields whose values repeat, so that a dictionary makes their column smaller."""
    few = {DataType.DATE, DataType.BOOLEAN}
    return [item.field for item in entry.items if item.code_list or item.type in few]


def write_parquet(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    names: Sequence[str],
    dictionaries: Sequence[str] = (),
) -> int:
    """Write a stream to a file that appears whole or not at all; how many rows it had.

    Rows are written in parts, each while the next one is read.

    Args:
        path: The file.
        batches: The rows, in their order.
        names: What the columns are called in landing.
        dictionaries: Those of them that are written with a dictionary; see ``repeating``.
    """
    with whole_file(path) as partial:
        return _write(partial, iter(batches), list(names), list(dictionaries))


def _write(
    path: Path, batches: Iterator[pa.RecordBatch], names: list[str], dictionaries: list[str]
) -> int:
    first = next(batches, None)
    rest = chain([] if first is None else [first], batches)
    # A source without rows may not even say what its columns are.
    nothing = pa.schema([(name, pa.string()) for name in names])
    schema = nothing if first is None else first.rename_columns(names).schema
    rows = 0

    def write(part: pa.Table) -> None:
        nonlocal rows
        writer.write_table(part)
        rows += part.num_rows

    # Landed columns are read whole, so nobody asks for statistics, and a dictionary only costs
    # time where nearly every value is another one.
    with pq.ParquetWriter(
        path, schema, compression="lz4", use_dictionary=dictionaries, write_statistics=False
    ) as writer:
        used_behind(write, _parts(batch.rename_columns(names) for batch in rest))
    return rows


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches in parts of ``GROUP_ROWS`` rows or a batch more, since some sources trickle."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)
