"""How the data files of a table are laid out: by publication and by compaction alike."""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import ColumnProperties, WriterProperties

from yishu.library.key_index import ROWS_IN_GROUP
from yishu.library.provenance import LANDED_ROW


def writer(schema: pa.Schema, key: Sequence[str]) -> WriterProperties:
    """How data files of such rows are written, by publication and by compaction.

    A dictionary of values that hardly repeat holds them all and is of no use: keys, amounts and
    moments go without one, which is faster and smaller.
    """
    plain = ColumnProperties(dictionary_enabled=False)
    unlike = {*key, LANDED_ROW, *(one.name for one in schema if _hardly_repeats(one.type))}
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        max_row_group_size=ROWS_IN_GROUP,
        column_properties={name: plain for name in schema.names if name in unlike},
    )


def _hardly_repeats(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind) or pa.types.is_timestamp(kind))
