"""When a delivery in a drop folder counts as there in full; pure, over listings of the folder.

A department's machine may have any clock, so nothing is concluded from how old a file looks. A file
is stable when two looks, ``settle_seconds`` apart by our own clock, see the same. A ``.done``
marker says the same at once, unless it is older than its data: then it was put there too early.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Self

from catalog.model import SourceSpec
from catalog.vocabulary import Arrival

UNFINISHED = (".part", ".tmp")
"""Name endings of files that are still being written."""

HIDDEN = (".", "~$")
"""Name beginnings of hidden files and of the lock files that office programs leave."""

MARKER = ".done"
"""Name ending of a marker: after the whole name of its data file, or in place of its ending."""

MANIFESTS = ("manifest.json", "manifest.csv")
"""Names of manifests, or endings of names, after a dot."""


@dataclass(frozen=True)
class Seen:
    """A file as one look at the drop folder showed it.

    Attributes:
        name: Path inside the drop folder, with ``/``.
        changed_ns: When it was last written, by the clock of whoever says so.
        inode: 0 where the folder does not tell.
    """

    name: str
    size: int
    changed_ns: int
    inode: int = 0

    @classmethod
    def of(cls, record: Mapping[str, Any] | None) -> Self | None:
        """From a plain record, as ``record`` makes it; None stays None."""
        return None if record is None else cls(**record)

    def record(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @property
    def order(self) -> tuple[str, str]:
        """What the newest delivery is the last by: the file's name, then its folder."""
        return PurePosixPath(self.name).name, self.name


class Watch:
    """Follows a drop folder from look to look.

    Args:
        spec: Says the rule: its ``arrival`` and ``settle_seconds``.
        taken: The delivery that the last pull took; neither it nor an older one is new. None when
            any delivery will do.
    """

    def __init__(self, spec: SourceSpec, taken: Seen | None = None) -> None:
        self._rule = spec.arrival
        self._settle = spec.settle_seconds
        self._taken = taken
        self._since: dict[Seen, float] = {}

    def look(self, listing: Iterable[Seen], at: float) -> Seen | None:
        """The newest delivery that is there in full; None when there is none yet.

        Args:
            listing: What is in the folder now, markers included.
            at: Our own clock, seconds from anywhere; it never goes back.
        """
        files = {file.name: file for file in listing}
        self._since = {file: self._since.get(file, at) for file in files.values()}
        arrived = [file for file in deliveries(files.values()) if self._is_whole(file, files, at)]
        newest = max(arrived, key=lambda file: file.order, default=None)
        if newest is None or self._taken is None:
            return newest
        is_new = newest != self._taken and newest.order >= self._taken.order
        return newest if is_new else None

    def _is_whole(self, file: Seen, files: Mapping[str, Seen], at: float) -> bool:
        if self._rule in {None, Arrival.PRESENT}:
            return True
        stable = at - self._since[file] >= self._settle
        if self._rule is Arrival.STABLE_SIZE:
            return stable
        markers = [files[name] for name in marker_names(file.name) if name in files]
        in_time = any(marker.changed_ns >= file.changed_ns for marker in markers)
        return in_time or (bool(markers) and stable)


def deliveries(listing: Iterable[Seen]) -> list[Seen]:
    """The files that are data: neither markers nor manifests, and under their final name."""
    return [file for file in listing if is_data(PurePosixPath(file.name).name)]


def is_data(name: str) -> bool:
    """Whether a file of that name, without folder, may be a delivery."""
    lower = name.lower()
    told = (*UNFINISHED, MARKER, *(f".{manifest}" for manifest in MANIFESTS))
    return not (name.startswith(HIDDEN) or lower in MANIFESTS or lower.endswith(told))


def marker_names(name: str) -> tuple[str, ...]:
    """Markers that speak of a data file: ``a.csv.done`` and ``a.done`` of ``a.csv``."""
    return f"{name}{MARKER}", str(PurePosixPath(name).with_suffix(MARKER))


def manifest_names(name: str) -> tuple[str, ...]:
    """Where the manifest of a data file may lie: its own first, then the folder's."""
    folder = PurePosixPath(name).parent
    own = [f"{name}.{manifest}" for manifest in MANIFESTS]
    return (*own, *(str(folder / manifest) for manifest in MANIFESTS))


def patterns(pattern: str) -> tuple[str, ...]:
    """What to list: a pattern's files and their markers."""
    return (pattern, *(name for name in marker_names(pattern) if name != pattern))


def may_settle(spec: SourceSpec, listing: Iterable[Seen]) -> bool:
    """Whether nothing but time may be missing for one of these files to count as stable."""
    files = list(listing)
    if spec.arrival is Arrival.DONE_MARKER:
        names = {file.name for file in files}
        return any(names & {*marker_names(file.name)} for file in deliveries(files))
    return spec.arrival is Arrival.STABLE_SIZE and bool(deliveries(files))
