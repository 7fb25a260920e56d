"""The house of an installation: its settings, its database, the release in force as it changes."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from catalog.materials import load_materials
from catalog.release import POINTER, Release, current_release
from yishu.clocks.promise import STRICTEST
from yishu.lineage import read_events
from yishu.settings import Settings
from yishu.sharing.house import House, master_key
from yishu.sharing.onward import upstream


def house_of(
    settings: Settings,
    engine: Engine,
    clock: Callable[[], datetime],
    release: Release | None = None,
) -> House:
    """The house that serves for an installation.

    Args:
        settings: The installation's settings.
        engine: The ledger's database, up to date.
        clock: Gives the present moment, UTC.
        release: The release to follow; None: the one in force, whenever it changes.
    """

    def catalog() -> Release:
        return release or _release(settings.releases_dir, _stamp(settings.releases_dir))

    return House(
        engine=engine,
        catalog=catalog,
        library=settings.library_dir,
        folder=settings.var_dir / "sharing",
        key=master_key(settings.secrets_dir),
        clock=clock,
        profiles=_profiles(settings, catalog),
        materials=load_materials(settings.catalog_dir / "service_materials.yaml"),
        upstream=lambda table: upstream(read_events(settings.lineage_file), table),
        authority=settings.data_authority,
        operator=settings.data_operator,
        value_digest=settings.value_digest,
    )


def _profiles(settings: Settings, catalog: Callable[[], Release]) -> tuple[str, ...]:
    if settings.rule_profile == STRICTEST:
        return tuple(sorted(catalog().profiles, reverse=True))
    return (settings.rule_profile,)


def _stamp(folder: Path) -> str:
    pointer = folder / POINTER
    return pointer.read_text("ascii") if pointer.exists() else ""


@lru_cache(maxsize=4)
def _release(folder: Path, stamp: str) -> Release:
    del stamp  # only there so that a new pointer is read anew
    return current_release(folder)
