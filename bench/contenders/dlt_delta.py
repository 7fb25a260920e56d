"""dlt: sql_table with a fast backend, Great Expectations on what it brought, Delta as the end.

dlt has no step between extract and load that sees whole columns, so the rows are extracted by its
``sql_table`` source, checked as one frame, and the rows that pass are loaded by a pipeline with
``table_format="delta"``. Settings after
https://dlthub.com/docs/dlt-ecosystem/verified-sources/sql_database/configuration#configuring-the-backend
and https://dlthub.com/docs/reference/performance.
"""

import os
import sys
import time

STARTED = time.perf_counter()
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt  # noqa: E402  the clock starts before the imports
import gx  # noqa: E402
import pyarrow as pa  # noqa: E402
from dlt.sources.sql_database import sql_table  # noqa: E402
from task import (  # noqa: E402
    COLUMNS,
    KEY,
    TABLE,
    VALID,
    checks,
    credit_code_valid,
    finish,
    split,
    task,
    write_aside,
)

IMPORTED = time.perf_counter()

asked = task()
backend = sys.argv[3]
schema, _, name = TABLE.partition(".")
is_rust = backend == "connectorx"
source = sql_table(
    credentials=asked.url if is_rust else asked.url.replace("://", "+psycopg2://", 1),
    schema=schema,
    table=name,
    included_columns=list(COLUMNS),
    backend=backend,
    chunk_size=100_000,
    reflection_level="full",
    backend_kwargs={"return_type": "arrow"} if is_rust else {"tz": "UTC"},
)
rows = pa.concat_tables(list(source)).select(list(COLUMNS))
capital = rows.schema.get_field_index("regcap")
rows = rows.set_column(capital, "regcap", rows.column(capital).cast(pa.float64()))
frame = rows.to_pandas(types_mapper=gx.frame_of)
frame[VALID] = credit_code_valid(rows.column(KEY))
failing = gx.failing_rows(frame, checks(asked.codes))
del frame
good, bad = split(failing, rows.num_rows)
write_aside(rows.take(pa.array(bad)), failing, asked.folder)
pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.filesystem(asked.folder.absolute().as_uri()),
    dataset_name="delta",
    pipelines_dir=str(asked.folder / "state"),
)
kept = rows.take(pa.array(good))
pipeline.run(kept, table_name="rows", table_format="delta", write_disposition="replace")
finish(STARTED, IMPORTED, len(good))
