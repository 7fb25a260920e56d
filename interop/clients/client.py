"""What every client shares: read the request, write the answer. Standard library only."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def answer(read: Callable[[dict[str, Any]], Any]) -> None:
    """Run a client: ``client.py REQUEST ANSWER``, both JSON files."""
    request, target = map(Path, sys.argv[1:])
    found = read(json.loads(request.read_text("utf-8")))
    target.write_text(json.dumps(found, ensure_ascii=False), "utf-8")


def digests(read: Callable[[dict[str, Any]], Any]) -> None:
    """A client of the stage ``library``: rows of each version asked for -> their digests.

    ``read`` is given ``path`` of the Delta table, its ``version``, and the ``files`` of that
    version; it gives rows as mappings.
    """
    from canonical import digest

    def all_versions(request: dict[str, Any]) -> list[Any]:
        return [digest(read(one), one["types"]) for one in request["versions"]]

    answer(all_versions)
