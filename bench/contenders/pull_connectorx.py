"""ConnectorX with two partitions to Arrow, then Parquet.

Partitions by a list of queries, since its own partitioning wants a column of numbers:
https://sfu-db.github.io/connector-x/api.html. The border is handed in; finding it is not timed.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import connectorx  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from task import KEY, finish, select  # noqa: E402

IMPORTED = time.perf_counter()

asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
target = Path(sys.argv[2]) / "rows.parquet"
target.parent.mkdir(parents=True)
border = asked["border"]
halves = [f"{KEY} < '{border}' OR {KEY} IS NULL", f"{KEY} >= '{border}'"]
queries = [f"{select()} WHERE {half}" for half in halves]
found = connectorx.read_sql(asked["url"], queries, return_type="arrow")
pq.write_table(found, target)
finish(STARTED, IMPORTED, found.num_rows, files=[str(target)])
