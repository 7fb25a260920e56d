"""What a good engineer writes: ADBC to Arrow, Great Expectations, write_deltalake."""

import time

STARTED = time.perf_counter()

import adbc_driver_postgresql.dbapi as adbc  # noqa: E402  the clock starts before the imports
import gx  # noqa: E402
import pyarrow as pa  # noqa: E402
from deltalake import write_deltalake  # noqa: E402
from task import (  # noqa: E402
    KEY,
    VALID,
    checks,
    credit_code_valid,
    finish,
    select,
    split,
    task,
    write_aside,
)

IMPORTED = time.perf_counter()

asked = task()
with adbc.connect(asked.url) as connection, connection.cursor() as cursor:
    cursor.execute(select())
    rows = cursor.fetch_arrow_table()
frame = rows.to_pandas(types_mapper=gx.frame_of)
frame[VALID] = credit_code_valid(rows.column(KEY))
failing = gx.failing_rows(frame, checks(asked.codes))
del frame
good, bad = split(failing, rows.num_rows)
write_aside(rows.take(pa.array(bad)), failing, asked.folder)
write_deltalake(asked.folder / "table", rows.take(pa.array(good)))
finish(STARTED, IMPORTED, len(good))
