"""By hand: pandas.read_sql in chunks, Great Expectations on the frame, to_parquet.

``stream_results`` with ``chunksize`` and Arrow-backed columns are the settings of
https://pandas.pydata.org/docs/reference/api/pandas.read_sql.html.
"""

import time

STARTED = time.perf_counter()

import gx  # noqa: E402  the clock starts before the imports
import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import sqlalchemy as sa  # noqa: E402
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
engine = sa.create_engine(asked.url.replace("postgresql://", "postgresql+psycopg://", 1))
with engine.connect().execution_options(stream_results=True) as connection:
    chunks = pd.read_sql(sa.text(select()), connection, chunksize=100_000, dtype_backend="pyarrow")
    frame = pd.concat(list(chunks), ignore_index=True)
frame["regcap"] = frame["regcap"].astype("float64")
frame[VALID] = credit_code_valid(pa.chunked_array(frame[KEY]))
failing = gx.failing_rows(frame, checks(asked.codes))
del frame[VALID]
good, bad = split(failing, len(frame))
write_aside(pa.Table.from_pandas(frame.iloc[bad], preserve_index=False), failing, asked.folder)
frame.iloc[good].to_parquet(asked.folder / "rows.parquet", index=False)
finish(STARTED, IMPORTED, len(good))
