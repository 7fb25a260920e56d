"""Parse and serialise one DAG file, by the very function of Airflow's DAG processor.

The clock starts after Airflow is imported: the DAG processor imports it once and forks.
"""

import json
import sys
import time
from pathlib import Path

import structlog
from airflow.dag_processing.processor import DagFileParseRequest, _parse_file

file = Path(sys.argv[1]).resolve()
request = DagFileParseRequest(
    file=str(file), bundle_path=file.parent, bundle_name="dags-folder", callback_requests=[]
)
started = time.perf_counter()
found = _parse_file(request, structlog.get_logger())
seconds = time.perf_counter() - started
if found is None or found.import_errors:
    raise SystemExit(f"{file} does not parse: {found and found.import_errors}")
print(json.dumps({"dags": len(found.serialized_dags), "parse": seconds}))
