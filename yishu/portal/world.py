"""What a portal stands on: settings, database and clock, handed to `create_app` once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from catalog.errors import CatalogError
from catalog.release import POINTER, Release, current_release, load_release
from catalog.search import Document, documents
from yishu.governance.candidate import Rules, load_rules
from yishu.ledger import Ledger
from yishu.settings import Settings

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
    """

    settings: Settings
    engine: Engine
    clock: Callable[[], datetime]
    demo: bool = False
    secure: bool = False
    airflow_url: str | None = None
    announce: Callable[[Settings], bool] = lambda _: False

    def today(self) -> date:
        """The day that it is for people."""
        return self.clock().astimezone(ZONE).date()

    def release(self) -> Release:
        """The catalog release in force.

        Raises:
            NoRelease: nothing was ever published.
        """
        directory = self.settings.releases_dir
        pointer = directory / POINTER
        if not pointer.exists():
            return current_release(directory)  # which says what to do
        return _release(directory, pointer.read_text("ascii").strip())

    def names(self) -> dict[str, str]:
        """Names of the entries and subjects in force, by id."""
        release = self.release()
        found = {one.id: one.name for one in release.entries.values()}
        return found | {one.id: one.name for one in release.subjects.values()}

    def documents(self) -> tuple[Document, ...]:
        """What is searched of the catalog in force."""
        return _documents(self.settings.releases_dir, self.release().id)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger's readings."""
        return Ledger(self.engine)

    def rules(self) -> Rules:
        """What entries are compiled against today."""
        return _rules(self.settings.catalog_dir, self.today())

    def org_name(self, org: str) -> str:
        """The name of a body; its id when the catalog in force does not know it."""
        try:
            return self.release().departments[org].name
        except (KeyError, CatalogError):
            return org


@lru_cache(maxsize=4)
def _release(directory: Path, release_id: str) -> Release:
    # A release never changes, so its id is the key.
    return load_release(directory / f"{release_id}.json")


@lru_cache(maxsize=2)
def _documents(directory: Path, release_id: str) -> tuple[Document, ...]:
    return documents(_release(directory, release_id))


@lru_cache(maxsize=2)
def _rules(folder: Path, on: date) -> Rules:
    return load_rules(folder, on)
