"""The current release, as DAG files and task processes see it: one file, nothing else."""

from functools import lru_cache

from catalog.release import Release, current_file, load_release
from yishu.settings import Settings

_loaded = lru_cache(maxsize=1)(load_release)
"""A release never changes, so a task reads it once, or finds it read where it was forked from."""


def current() -> Release:
    """The release in force.

    Raises:
        ReleaseDamaged: there is none, or it is not what was written.
    """
    return settings_and_release()[1]


def settings_and_release() -> tuple[Settings, Release]:
    """The settings of this process and the release in force.

    Raises:
        ReleaseDamaged: there is none, or it is not what was written.
    """
    settings = Settings()
    return settings, _loaded(current_file(settings.releases_dir))
