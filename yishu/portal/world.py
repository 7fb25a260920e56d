"""What a portal stands on: settings, database and clock, handed to `create_app` once."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from catalog.errors import CatalogError
from catalog.model import CatalogEntry
from catalog.release import POINTER, Release, current_release, load_release
from catalog.search import Document, Hits, Query, documents, search
from expectations.rulebook import SUITES
from yishu.governance.candidate import Rules, load_rules
from yishu.interchange.files import left_out
from yishu.settings import Settings
from yishu.sharing.lists import NotShared, not_shared
from yishu.sharing.supply import Supply

ZONE = ZoneInfo("Asia/Shanghai")
"""The time that people read: there is one in the country."""


@dataclass(frozen=True)
class World:
    """One installation's portal.

    Attributes:
        settings: Where everything is.
        engine: The ledger's database, up to date.
        clock: The present moment, with its zone.
        demo: Whether anybody may come in as any account of the demo, without a password.
        secure: Whether browsers reach the portal by https.
        announce: Tells the orchestrator of a new release; False when there is none to tell.
        airflow_url: Where people reach Airflow's pages; None hides the links.
        suites: What the bureau decided about checks.
    """

    settings: Settings
    engine: Engine
    clock: Callable[[], datetime]
    demo: bool = False
    secure: bool = False
    airflow_url: str | None = None
    suites: Path = SUITES
    announce: Callable[[Settings], bool] = lambda _: False

    def today(self) -> date:
        """The day that it is for people."""
        return self.clock().astimezone(ZONE).date()

    def release(self) -> Release:
        """The catalog release in force.

        Raises:
            NoRelease: nothing was ever published.
        """
        directory, path = self._releases
        try:
            pointer = os.stat(path)  # noqa: PTH116 - asked for every name on a page
        except FileNotFoundError:
            return current_release(directory)  # which says what to do
        # The pointer is swapped as a whole, so another release is another file.
        return _release(directory, _pointed(directory, pointer.st_ino, pointer.st_mtime_ns))

    def names(self) -> Mapping[str, str]:
        """Names of the entries and subjects in force, by id."""
        return _names(self._releases[0], self.release().id)

    def entries_of(self, org: str) -> Sequence[CatalogEntry]:
        """The entries in force of a body."""
        return _by_org(self._releases[0], self.release().id).get(org, ())

    def search(self, wanted: Query) -> Hits:
        """What the catalog in force has of a query."""
        return _search(self._releases[0], self.release().id, wanted)

    def providers(self) -> Collection[str]:
        """The bodies that have an entry in force."""
        return _by_org(self._releases[0], self.release().id).keys()

    def withheld(self) -> Sequence[NotShared]:
        """How much of their entries bodies do not share; those alone that withhold something."""
        return _withheld(self._releases[0], self.release().id)

    def left_out(self) -> Mapping[str, int]:
        """Keys that the form of other systems has no place for, and the number of their entries."""
        return _left_out(self._releases[0], self.release().id)

    def supply(self) -> Supply:
        """What of the catalog in force is shared, by the words for it."""
        return _supply(self._releases[0], self.release().id)

    @cached_property
    def _releases(self) -> tuple[Path, str]:
        """Where releases are, and the pointer to the one in force."""
        directory = self.settings.releases_dir
        return directory, str(directory / POINTER)

    def warm(self) -> None:
        """Make ready what pages need of the release in force; costs nothing when it is ready.

        Raises:
            NoRelease: nothing was ever published.
        """
        directory, id_ = self._releases[0], self.release().id
        for make in (_names, _by_org, _documents, _supply, _withheld, _left_out):
            make(directory, id_)
        _supply(directory, id_).holders("")

    def rules(self) -> Rules:
        """What entries are compiled against today."""
        return _rules(self.settings.catalog_dir, self.today())

    def org_name(self, org: str) -> str:
        """The name of a body; its id when the catalog in force does not know it."""
        try:
            return self.release().departments[org].name
        except (KeyError, CatalogError):
            return org


_READING = Lock()
_NEWEST: dict[Path, Release] = {}
"""The release that was read last in each directory: the next one shares what did not change."""


@lru_cache(maxsize=4)
def _pointed(directory: Path, _inode: int, _changed_ns: int) -> str:
    return (directory / POINTER).read_text("ascii").strip()


@lru_cache(maxsize=4)
def _release(directory: Path, release_id: str) -> Release:
    # A release never changes, so its id is the key. Pages that ask at once wait for one reading.
    with _READING:
        known = _NEWEST.get(directory)
        if known is None or known.id != release_id:
            known = _NEWEST[directory] = load_release(directory / f"{release_id}.json", known)
        return known


@lru_cache(maxsize=2)
def _names(directory: Path, release_id: str) -> Mapping[str, str]:
    release = _release(directory, release_id)
    found = {one.id: one.name for one in release.entries.values()}
    return found | {one.id: one.name for one in release.subjects.values()}


@lru_cache(maxsize=2)
def _by_org(directory: Path, release_id: str) -> Mapping[str, Sequence[CatalogEntry]]:
    found: dict[str, list[CatalogEntry]] = {}
    for one in _release(directory, release_id).entries.values():
        found.setdefault(one.provider_org, []).append(one)
    return found


@lru_cache(maxsize=256)
def _search(directory: Path, release_id: str, wanted: Query) -> Hits:
    # People turn pages and choose among the facets of one query.
    return search(_documents(directory, release_id), wanted)


@lru_cache(maxsize=2)
def _documents(directory: Path, release_id: str) -> tuple[Document, ...]:
    return documents(_release(directory, release_id))


@lru_cache(maxsize=2)
def _supply(directory: Path, release_id: str) -> Supply:
    return Supply.shared(_release(directory, release_id).entries.values())


@lru_cache(maxsize=2)
def _withheld(directory: Path, release_id: str) -> Sequence[NotShared]:
    return [one for one in not_shared(_release(directory, release_id)) if one.closed]


@lru_cache(maxsize=2)
def _left_out(directory: Path, release_id: str) -> Mapping[str, int]:
    return left_out(tuple(_release(directory, release_id).entries.values()), "ttl")


@lru_cache(maxsize=2)
def _rules(folder: Path, on: date) -> Rules:
    return load_rules(folder, on)
