"""``pandas.read_sql`` in chunks from a server-side cursor, each appended to one Parquet file.

https://pandas.pydata.org/docs/user_guide/io.html#io-sql, with ``stream_results``; Arrow strings are
the default of pandas 3.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import sqlalchemy as sa  # noqa: E402
from task import COLUMNS, finish  # noqa: E402

IMPORTED = time.perf_counter()

CHUNK = 100_000

asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
target = Path(sys.argv[2]) / "rows.parquet"
target.parent.mkdir(parents=True)
engine = sa.create_engine(asked["peer_url"])
query = f"SELECT {', '.join(COLUMNS)} FROM {asked['source']['table']}"
rows, writer, schema = 0, None, None
with engine.connect().execution_options(stream_results=True) as connection:
    for frame in pd.read_sql(sa.text(query), connection, chunksize=CHUNK):
        # A chunk may happen to hold no value of a column: the first one decides its type.
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        if writer is None:
            schema = pa.schema(
                [(f.name, pa.decimal128(18, 2) if f.name == "regcap" and
                  pa.types.is_decimal(f.type) else f.type) for f in table.schema]
            )  # fmt: skip
            table = table.cast(schema)
            writer = pq.ParquetWriter(target, schema)
        writer.write_table(table)
        rows += table.num_rows
writer.close()
finish(STARTED, IMPORTED, rows, files=[str(target)])
