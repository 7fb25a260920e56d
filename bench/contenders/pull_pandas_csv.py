"""``pandas.read_csv`` of a GB18030 file to Parquet, as text, like ours.

``engine="pyarrow"`` is what its documentation calls the fastest
(https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html); the C engine is its default and
can read in chunks.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from task import COLUMNS, finish  # noqa: E402

IMPORTED = time.perf_counter()

CHUNK = 200_000

asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
target = Path(sys.argv[2]) / "rows.parquet"
target.parent.mkdir(parents=True)
(file,) = Path(asked["url"]).glob(asked["source"]["path"])
given = {"encoding": "gb18030", "dtype": str, "usecols": list(COLUMNS)}
if sys.argv[3] == "pyarrow":
    frame = pd.read_csv(file, engine="pyarrow", **given)
    frame.to_parquet(target, index=False)
    rows = len(frame)
else:
    rows = 0
    schema = pa.schema([(name, pa.large_string()) for name in COLUMNS])
    with pq.ParquetWriter(target, schema) as writer:
        for frame in pd.read_csv(file, chunksize=CHUNK, **given):
            table = pa.Table.from_pandas(frame[list(COLUMNS)], schema=schema, preserve_index=False)
            writer.write_table(table)
            rows += table.num_rows
finish(STARTED, IMPORTED, rows, files=[str(target)])
