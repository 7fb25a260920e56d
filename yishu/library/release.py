"""Library releases: versions of several tables that become visible together.

Each table is published for itself. A release then names one version of each in one small file,
which is there as a whole or not at all: who reads by a release sees cases and their results of the
same moment. A release carries every table of the one before it that it does not name anew, so the
newest release is the whole library. Files are numbered without a gap and never replaced.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from yishu.library.errors import ReleaseMissing, storing
from yishu.library.place import Place, locked, make_private, open_version

FOLDER = "releases"
_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class LibraryRelease:
    """One release.

    Attributes:
        number: From 1, in the order of publication.
        versions: Table -> version.
        released_at: The moment that the publisher gave, ISO 8601 with its zone.
        moved: The tables that this release brought forward.
    """

    number: int
    run_id: str
    released_at: str
    versions: Mapping[str, int]
    moved: Sequence[str]

    def version(self, table: str) -> int:
        """The version of a table.

        Raises:
            ReleaseMissing: the release does not have that table.
        """
        if table not in self.versions:
            raise ReleaseMissing(
                f"release {self.number}",
                found=f"no {table}",
                expected=f"one of {', '.join(sorted(self.versions))}",
                remedy="release the table, or read it by its own versions",
            )
        return self.versions[table]


def publish_release(
    root: Path, versions: Mapping[str, int], *, run_id: str, released_at: datetime
) -> LibraryRelease:
    """Make these versions visible together; the same run again gives the release it made.

    Where the newest release has them all already, there is nothing to show and it stays the newest.

    Raises:
        TableMissing, VersionMissing: a version is not there, or no longer; nothing is released.
        LibraryConflict, LibraryUnwritable: another release took too long, no space; retryable.
    """
    for table, version in versions.items():
        open_version(Place(root, table), version)
    with locked(root, Path(FOLDER), FOLDER, _WAIT_SECONDS):
        earlier = list(releases(root))
        for one in earlier:
            if one.run_id == run_id:
                return one
        last = earlier[0] if earlier else LibraryRelease(0, "", "", {}, ())
        if earlier and {**last.versions, **versions} == last.versions:
            return last
        release = replace(
            last,
            number=last.number + 1,
            run_id=run_id,
            released_at=released_at.isoformat(),
            versions={**last.versions, **versions},
            moved=sorted(one for one in versions if last.versions.get(one) != versions[one]),
        )
        with storing(f"release {release.number}"):
            _write(root, release)
    return release


def releases(root: Path) -> Iterator[LibraryRelease]:
    """All releases, newest first."""
    for path in sorted((root / FOLDER).glob("*.json"), reverse=True):
        yield LibraryRelease(**json.loads(path.read_text("utf-8")))


def release_at(root: Path, moment: datetime | None = None) -> LibraryRelease:
    """The release that was the newest one at a moment (with its zone); None: now.

    Raises:
        ReleaseMissing: nothing had been released.
    """
    for one in releases(root):
        if moment is None or datetime.fromisoformat(one.released_at) <= moment:
            return one
    raise ReleaseMissing(
        "library",
        found="no release" if moment is None else f"no release of {moment.isoformat()} or before",
        expected="at least one release",
        remedy="`yishu library release <subject> ...`, or read tables by their own versions",
    )


def named_versions(every: Iterable[LibraryRelease], table: str, since: datetime) -> set[int]:
    """Versions of a table that the newest release names, or one that was the newest since then.

    Vacuum must leave them alone. All releases are looked at: where a clock was set back, their
    moments are not in the order of their numbers.

    Args:
        every: All releases, newest first.
        table: The table.
        since: A moment, with its zone.
    """
    found = set()
    followed_at: datetime | None = None
    for one in every:
        released_at = datetime.fromisoformat(one.released_at)
        is_meant = followed_at is None or max(released_at, followed_at) >= since
        if is_meant and table in one.versions:
            found.add(one.versions[table])
        followed_at = released_at
    return found


def _write(root: Path, release: LibraryRelease) -> None:
    folder = root / FOLDER
    make_private(folder)
    target = folder / f"{release.number:08d}.json"
    made = target.with_suffix(".partial")
    with made.open("w", encoding="utf-8") as file:
        json.dump(asdict(release), file, ensure_ascii=False, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    made.chmod(0o600)
    made.replace(target)
