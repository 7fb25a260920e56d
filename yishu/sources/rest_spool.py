"""Pages that a pull already has, so that one that failed at page k goes on at page k.

Only for services that promise a stable cursor (``source.rest.stable_cursor``): page numbers move
when rows come or go in between, so a pull by number always starts over. A kept page holds the
columns that were asked for and no others, and how to ask for the page after it. Whoever gave the
folder keeps it private and removes it when the pull is done.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyarrow as pa

from yishu.sources.rest_client import Ask

_META = b"yishu"


@dataclass(frozen=True)
class KeptPage:
    """A page on disk; ``digest`` is that of its rows as the service gave them."""

    number: int
    digest: bytes
    total: int | None
    following: Ask | None
    rows: pa.RecordBatch


class Spool:
    """The pages of one pull in a folder of its own, each whole or not there."""

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._folder = folder
        self._columns = list(columns)

    def keep(self, page: KeptPage) -> None:
        """Put a page down."""
        following = page.following
        facts = {
            "digest": page.digest.hex(),
            "total": page.total,
            "url": str(following.url) if following else None,
            "parameters": dict(following.parameters) if following else {},
        }
        schema = page.rows.schema.with_metadata({_META: json.dumps(facts).encode()})
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(page.number)
        beside = path.with_suffix(".partial")
        beside.touch(mode=0o600)
        with pa.ipc.new_file(str(beside), schema) as writer:
            writer.write_batch(page.rows.replace_schema_metadata(schema.metadata))
        beside.replace(path)

    def pages(self) -> Iterator[KeptPage]:
        """The pages from the first on, up to the first gap or page of other columns."""
        number = 1
        while (page := self._read(number)) is not None:
            yield page
            number += 1

    def clear(self) -> None:
        """Drop every page."""
        for path in self._folder.glob("page-*"):
            path.unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"page-{number:08d}.arrow"

    def _read(self, number: int) -> KeptPage | None:
        path = self._path(number)
        try:
            with pa.ipc.open_file(str(path)) as reader:
                rows = reader.get_batch(0)
                facts = json.loads((reader.schema.metadata or {})[_META])
        except (FileNotFoundError, pa.ArrowInvalid, KeyError, ValueError):
            return None
        if rows.schema.names != self._columns:
            return None
        following = Ask(httpx.URL(facts["url"]), facts["parameters"]) if facts["url"] else None
        digest = bytes.fromhex(facts["digest"])
        bare = rows.replace_schema_metadata(None)
        return KeptPage(number, digest, facts["total"], following, bare)
