"""Yishu's own pull: one entry's columns from a department system to landed Parquet."""

import time

STARTED = time.perf_counter()

import json  # noqa: E402  the clock starts before the imports
import sys  # noqa: E402
from datetime import datetime  # noqa: E402
from pathlib import Path  # noqa: E402

from task import finish  # noqa: E402

from catalog.model import CatalogEntry  # noqa: E402
from yishu.pipeline.landing import landed_files  # noqa: E402
from yishu.pipeline.pull import pull  # noqa: E402
from yishu.pipeline.store import run_folder  # noqa: E402
from yishu.sources.protocol import Connection  # noqa: E402

IMPORTED = time.perf_counter()


def main() -> None:
    """Land the entry from the source that the task names."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
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
