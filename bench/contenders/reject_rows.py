"""A reject file of so many rows: ``reject_rows.py ROWS FOLDER csv|xlsx``."""

import json
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from expectations.verdict import Gate, judge
from yishu.pipeline.reject_file import write_reject_file
from yishu.pipeline.store import RunFolder
from yishu.settings import Settings

ENTRY = "market_regulation.enterprise_registration"
PART = 50_000

rows, folder, form = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
loaded, faults = load_catalog(Settings().catalog_dir)
entry = write_release(folder / "releases", compile_release(loaded, date(2026, 11, 1))).entry(ENTRY)
run = RunFolder(folder / "landing", folder / "quarantine")
if not run.quarantined.exists():
    run.landing.mkdir(parents=True)
    run.quarantine.mkdir(parents=True)
    gate = Gate(max_quarantined_share=1, allow_empty=True)
    run.write_text("verdict.json", judge([], rows, gate, entry_id=ENTRY, run_id="r").to_json())
    reason = {"check_id": "uscc.format", "reason_zh": "统一社会信用代码必须符合规则"}
    other = {"check_id": "status.code_list", "reason_zh": "登记状态必须是代码表中的代码"}
    part = {field: [f"{field}的值" for _ in range(PART)] for field in entry.fields}
    writer = None
    for start in range(0, rows, PART):
        size = min(PART, rows - start)
        table = pa.table(
            {name: values[:size] for name, values in part.items()}
            | {"_row": range(start, start + size), "_reasons": [[reason, other]] * size}
        )
        writer = writer or pq.ParquetWriter(run.quarantined, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
done = write_reject_file(entry, run, folder / f"reject.{form}")
print(json.dumps({"rows": done.rows, "bytes": (folder / f"reject.{form}").stat().st_size}))
