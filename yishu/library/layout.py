"""How the data files of a table are laid out: by publication and by compaction alike."""

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import ColumnProperties, WriterProperties

ROWS_IN_GROUP = 8192
"""Rows of one row group of a data file: a lookup decodes one, in 3 to 4 ms at sixteen columns."""

FILE_BYTES = 32 * 1024 * 1024
"""About the size of a data file: one whose rows change is written anew as a whole."""

SAMPLE_ROWS = 4096
"""Rows that show which values of a table repeat."""


def writer(rows: pa.RecordBatch | pa.Table) -> WriterProperties:
    """How data files are written that hold such rows.

    A dictionary of values that hardly repeat holds them all and is of no use: keys, names and
    moments go without one, which is faster and smaller. Statistics are those of row groups; a
    group's column is a single page.
    """
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        max_row_group_size=ROWS_IN_GROUP,
        default_column_properties=_column(has_dictionary=True),
        column_properties={name: _column(has_dictionary=False) for name in _hardly_repeat(rows)},
    )


def _column(*, has_dictionary: bool) -> ColumnProperties:
    return ColumnProperties(dictionary_enabled=has_dictionary, statistics_enabled="CHUNK")


def _hardly_repeat(rows: pa.RecordBatch | pa.Table) -> list[str]:
    """Columns of whose first values more than half differ from each other."""
    sample = rows.slice(0, SAMPLE_ROWS)
    return [
        name
        for name in sample.schema.names
        if pc.count_distinct(sample.column(name)).as_py() * 2 > sample.num_rows
    ]
