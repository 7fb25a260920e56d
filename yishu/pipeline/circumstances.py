"""What a validation knows besides the rows: earlier deliveries and the other published tables.

Everything is taken as of the moment of the pull, so that a validation that was killed and starts
over finds the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from catalog.model import CatalogEntry
from expectations.history import FIRST_RUN, History
from expectations.tables import FilesOf
from yishu.ledger import Ledger
from yishu.ledger.facts import ProfileFacts
from yishu.library.place import Place


@dataclass(frozen=True)
class Circumstances:
    """History of the entry as of a moment, and the files of other entries' published tables."""

    history: Callable[[datetime], History]
    files_of: FilesOf


ALONE = Circumstances(lambda _: FIRST_RUN, lambda _: None)
"""No history and no other table: a first run in an empty library."""


def circumstances(entry: CatalogEntry, ledger: Ledger, library: Path) -> Circumstances:
    """What ledger and library say about an entry; read when it is asked for."""

    def history(at: datetime) -> History:
        volumes = ledger.earlier_volumes(entry.id, at)
        profiles = ledger.profiles(entry.id, before=at)
        return History(
            last_delivery=ledger.delivery_before(entry.id, at),
            volumes=tuple(reversed(volumes)),
            shares={one.field: _shares(one) for one in profiles if _is_whole(one)},
        )

    return Circumstances(history, lambda table: _files(library, table))


def _files(library: Path, entry_id: str) -> Sequence[str] | None:
    place = Place(library, f"unified/{entry_id}")
    return [str(file) for file in place.files(place.open())] if place.exists() else None


def _is_whole(profile: ProfileFacts) -> bool:
    """Whether the listed values are all there are: a part of them is no distribution."""
    return bool(profile.top) and len(profile.top) == profile.distinct


def _shares(profile: ProfileFacts) -> Mapping[str, float]:
    given = profile.rows - profile.nulls
    return {value: rows / given for value, rows in profile.top}
