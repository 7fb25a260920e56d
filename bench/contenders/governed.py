"""Yishu itself: pull, validate and publish of the catalog entry, with its ledger and lineage.

What a task needs is imported first, as Airflow's scheduler does once for all tasks of a city.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports
import sys  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402

from task import finish  # noqa: E402

import expectations.fields  # noqa: E402, F401  validation would import it otherwise
from catalog.release import current_release  # noqa: E402
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate  # noqa: E402
from yishu.settings import Settings  # noqa: E402
from yishu.sources.protocol import Connection  # noqa: E402

IMPORTED = time.perf_counter()

ENTRY = "market_regulation.enterprise_registration"
STAGES = {"pull": run_pull, "validate": run_validate, "publish": run_publish}


def main() -> None:
    """Run the entry's three stages in an installation of its own: task, folder and run's name."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    folder = Path(sys.argv[2])
    run_id = sys.argv[3] if len(sys.argv) > 3 else folder.name
    release = current_release(Path(asked["releases"]))
    source = release.entry(ENTRY).source
    world = PipelineContext(
        Settings(var_dir=folder),
        release,
        asked["ledger"],
        {source.connection: Connection(source.connection, source.kind, asked["url"])},
        lambda: datetime.now(UTC),
    )
    seconds = {}
    record = {}
    for name, stage in STAGES.items():
        began = time.perf_counter()
        record = stage(ENTRY, run_id, world)
        seconds[name] = time.perf_counter() - began
    finish(STARTED, IMPORTED, record["rows"], stages=seconds)


main()
