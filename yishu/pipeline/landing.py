"""Landed rows: one Parquet file, or one part for each range, read as one table in one order.

    <run>/data.parquet                         a pull in one stream
    <run>/parts/part-000.parquet, part-001 …   a pull in ranges; the rows follow each other

A row's number is its position from 0: through all parts, in their order. It is the same whenever
the landed files are read, so a quarantined row can be found again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.verdict import Positions
from yishu.pipeline.store import RunFolder, whole_file


class Group(NamedTuple):
    """A row group: the numbers of its rows (``stop`` excluded), its file and its place there."""

    start: int
    stop: int
    file: pq.ParquetFile
    number: int

    def read(self) -> pa.Table:
        """All its columns."""
        return self.file.read_row_group(self.number)


class Landed:
    """The rows that a pull brought, open for reading."""

    def __init__(self, files: Sequence[pq.ParquetFile]) -> None:
        self._files = files

    @property
    def schema(self) -> pa.Schema:
        """Its columns, as the source types them."""
        return self._files[0].schema_arrow

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(file.metadata.num_rows for file in self._files)

    def column(self, field: str) -> pa.ChunkedArray:
        """One column of all rows."""
        read = [file.read([field]).column(0) for file in self._files]
        return pa.chunked_array([chunk for part in read for chunk in part.chunks], read[0].type)

    def groups(self) -> Iterator[Group]:
        """All row groups in order."""
        start = 0
        for file in self._files:
            for number in range(file.num_row_groups):
                stop = start + file.metadata.row_group(number).num_rows
                yield Group(start, stop, file, number)
                start = stop

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """All rows in order, in batches of at most that many."""
        for file in self._files:
            yield from file.iter_batches(batch_size=rows)


@contextmanager
def landed(folder: RunFolder) -> Iterator[Landed]:
    """What the pull of that run landed."""
    files = [pq.ParquetFile(path) for path in landed_files(folder)]
    try:
        yield Landed(files)
    finally:
        for file in files:
            file.close()


def pick(rows: Landed, positions: Positions) -> Iterator[tuple[pa.Table, Positions]]:
    """Rows at ``positions`` (ascending), one row group at a time, with their positions."""
    for group in rows.groups():
        inside = positions[slice(*np.searchsorted(positions, [group.start, group.stop]))]
        if len(inside):
            yield group.read().take(pa.array(inside - group.start)), inside


def landed_files(folder: RunFolder) -> list[Path]:
    """The files of a finished pull, in the order of their rows."""
    return sorted(folder.parts.glob("part-*.parquet")) or [folder.data]


def write_parquet(path: Path, batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> int:
    """Write a stream to a file that appears whole or not at all; how many rows it had.

    Args:
        path: The file.
        batches: The rows, in their order.
        names: What the columns are called in landing.
    """
    with whole_file(path) as partial:
        return _write(partial, batches, names)


def _write(path: Path, batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> int:
    rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for batch in batches:
            named = batch.rename_columns(list(names))
            if writer is None:
                writer = pq.ParquetWriter(path, named.schema, compression="lz4")
            writer.write_batch(named)
            rows += named.num_rows
        if writer is None:
            nothing = pa.schema([(name, pa.string()) for name in names])
            writer = pq.ParquetWriter(path, nothing)
    finally:
        if writer is not None:
            writer.close()
    return rows
