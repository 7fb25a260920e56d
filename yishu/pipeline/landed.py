"""The parts of a landed file, which later stages read one by one and in any thread."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class RowGroup:
    """A row group: its number, and its rows from ``start`` (counted from 0) up to ``stop``."""

    number: int
    start: int
    stop: int


def row_groups(data: Path) -> list[RowGroup]:
    """The row groups of a landed file, in order."""
    about = pq.read_metadata(data)
    groups = []
    start = 0
    for number in range(about.num_row_groups):
        stop = start + about.row_group(number).num_rows
        groups.append(RowGroup(number, start, stop))
        start = stop
    return groups


def whole_batch(rows: pa.Table) -> pa.RecordBatch:
    """The same rows as a single record batch."""
    columns = [column.combine_chunks() for column in rows.columns]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)
