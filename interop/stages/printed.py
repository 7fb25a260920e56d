"""The lines that the page of a channel prints for each tool, run as they stand."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yishu.portal.snippets import snippets
from yishu.sharing.house import House, ready
from yishu.sharing.objects import shared_object
from yishu.sharing.profile import profile

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sharing import ROWS, house_in, opened, running


@contextmanager
def stage(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """Serve the same columns as Delta Sharing and as a file; a client must read all their rows."""
    with house_in(folder) as house, running(house) as base:
        delta, delta_token = opened(house)
        file, file_token = opened(house, "file_download", "parquet")
        with house.engine.begin() as connection:
            served = ready(house, connection, delta)
        kept = profile(base, delta_token, datetime(2027, 1, 1, tzinfo=UTC))
        (folder / f"{delta}.share").write_text(json.dumps(kept), "utf-8")
        request = {
            "lines": {"delta": lines_of(house, delta, base), "file": lines_of(house, file, base)},
            "token": file_token,
            "types": {field.name: str(field.type) for field in served.projection.schema},
            "folder": str(folder),
        }
        yield request, {"rows": ROWS, "digest": served.projection.content_digest()}


def lines_of(house: House, grant_id: str, base: str) -> dict[str, str]:
    """What the page prints, by tool."""
    with house.engine.begin() as connection:
        grant = house.desk(connection).grant(grant_id)
    release = house.catalog()
    found = snippets(grant, shared_object(release, grant.object_id), release, base)
    return {one.tool: one.text for one in found}
