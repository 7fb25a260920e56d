"""How recent a table's content is: the moment at which its rows were pulled from their department.

Runs may end in another order than they began. A run whose rows are older than what is published
must not replace it, so each publication carries the moment of its pull. A newer pull that found
nothing changed makes no version; its moment is kept in a small file inside the table's folder, so
that it is moved, lost and restored together with the table.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime

from yishu.library.commit import Recorded
from yishu.library.errors import LibrarySuperseded, storing
from yishu.library.place import Place, write_private

PULLED_AT = "pulled_at"
"""Key of a publication's metadata: the moment of its pull, ISO 8601 with its zone."""

_MARK = ".pulled_at"


def require_newest(
    place: Place, publications: Iterable[Recorded], metadata: Mapping[str, str]
) -> None:
    """Rows to publish are at least as recent as those published; tables without moments pass.

    Raises:
        LibrarySuperseded: they are older; the table is unchanged.
    """
    moment = _moment(metadata)
    newest = _newest(place, publications)
    if moment is None or newest is None or moment >= newest:
        return
    raise LibrarySuperseded(
        place.table,
        found=f"rows pulled at {moment.isoformat()}",
        expected=f"rows pulled at {newest.isoformat()} or later, as those published are",
        remedy="nothing is lost: newer data are published; to publish the present state of the "
        "department system, start a new run",
    )


def keep_moment(place: Place, metadata: Mapping[str, str]) -> None:
    """Remember the pull of a publication that changed nothing; only under the lock."""
    moment = _moment(metadata)
    if moment is None:
        return
    made = place.staging / "pulled_at"
    with storing(place.table):
        with made.open("w", encoding="ascii") as file:
            file.write(moment.isoformat())
            file.flush()
            os.fsync(file.fileno())
        write_private(made, place.path / _MARK)


def _newest(place: Place, publications: Iterable[Recorded]) -> datetime | None:
    moments = [_moment(publication.metadata) for publication in publications]
    mark = place.path / _MARK
    if mark.exists():
        moments.append(datetime.fromisoformat(mark.read_text("ascii")))
    return max((moment for moment in moments if moment is not None), default=None)


def _moment(metadata: Mapping[str, str]) -> datetime | None:
    told = metadata.get(PULLED_AT)
    return None if told is None else datetime.fromisoformat(told)
