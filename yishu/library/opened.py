"""A published table of an entry at one version, as SQL can read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from yishu.library.engine import scan
from yishu.library.place import Place, unified_table


@dataclass(frozen=True)
class Opened:
    """A published table at one version; ``rows`` is its subquery."""

    version: int
    rows: str
    schema: pa.Schema

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.schema.names)


def open_entry(root: Path, entry_id: str, pinned: Mapping[str, int] | None) -> Opened | None:
    """The table of an entry, at its pinned version if there is one; None: not published."""
    place = Place(root, unified_table(entry_id))
    if not place.exists() or (pinned is not None and entry_id not in pinned):
        return None
    opened = place.open(None if pinned is None else pinned[entry_id])
    schema = pa.schema(opened.schema())
    return Opened(opened.version(), scan(place.files(opened), schema), schema)
