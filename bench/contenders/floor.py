"""Floor: stream PostgreSQL into a Delta table, with no checks at all.

ADBC's COPY stream is its documented default for queries and its fastest way:
https://arrow.apache.org/adbc/current/driver/postgresql.html.
"""

import time

STARTED = time.perf_counter()

import adbc_driver_postgresql.dbapi as adbc  # noqa: E402  the clock starts before the imports
from deltalake import DeltaTable, write_deltalake  # noqa: E402
from task import finish, select, task  # noqa: E402

IMPORTED = time.perf_counter()

asked = task()
with adbc.connect(asked.url) as connection, connection.cursor() as cursor:
    cursor.execute(select())
    write_deltalake(asked.folder / "table", cursor.fetch_record_batch())
finish(STARTED, IMPORTED, DeltaTable(asked.folder / "table").count())
