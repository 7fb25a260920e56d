"""Yishu's own pull: one entry's columns from a department system to landed Parquet."""

import time

STARTED = time.perf_counter()

import importlib  # noqa: E402  the clock starts before the imports
import json  # noqa: E402
import sys  # noqa: E402
from datetime import datetime  # noqa: E402
from pathlib import Path  # noqa: E402

from task import finish  # noqa: E402

from catalog.model import CatalogEntry  # noqa: E402
from yishu.pipeline.landing import landed_files  # noqa: E402
from yishu.pipeline.pull import pull  # noqa: E402
from yishu.pipeline.store import run_folder  # noqa: E402
from yishu.sources.protocol import Connection  # noqa: E402

DRIVERS = {
    "postgresql": ["yishu.sources.postgresql"],
    "mysql": ["yishu.sources.mysql"],
    "sqlite": ["yishu.sources.sqlite", "pandas"],
    "/": ["yishu.sources.csv"],
}
"""How a URL begins -> what a pull imports when it is asked for; Arrow asks for pandas itself."""

asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
needed = next(found for start, found in DRIVERS.items() if asked["url"].startswith(start))
if "library" in asked:
    needed = [*needed, "yishu.pipeline.changes", "pandas"]
if asked["source"].get("ranges"):
    needed = [*needed, "yishu.pipeline.ranged"]
for module in needed:
    importlib.import_module(module)

IMPORTED = time.perf_counter()


def main() -> None:
    """Land the entry from the source that the task names."""
    entry = CatalogEntry.model_validate(asked["entry"])
    folder = run_folder(Path(sys.argv[2]), entry.id, "bench")
    receipt = pull(
        entry,
        Connection("bench", entry.source.kind, asked["url"]),
        folder,
        run_id="bench",
        now=datetime.fromisoformat(asked["now"]),
        library=Path(asked["library"]) if "library" in asked else None,
    )
    finish(STARTED, IMPORTED, receipt.rows, files=[str(file) for file in landed_files(folder)])


main()
