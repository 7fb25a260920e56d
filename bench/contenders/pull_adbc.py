"""Floor of a pull: ADBC's stream into one Parquet file, and nothing else.

https://arrow.apache.org/adbc/current/driver/postgresql.html: COPY is the default of a query.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import adbc_driver_postgresql.dbapi as adbc  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from task import finish, select  # noqa: E402

IMPORTED = time.perf_counter()

asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
target = Path(sys.argv[2]) / "rows.parquet"
target.parent.mkdir(parents=True)
rows = 0
with adbc.connect(asked["url"]) as connection, connection.cursor() as cursor:
    cursor.execute(select())
    reader = cursor.fetch_record_batch()
    with pq.ParquetWriter(target, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
finish(STARTED, IMPORTED, rows, files=[str(target)])
