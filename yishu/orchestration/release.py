"""The current release, as DAG files and task processes see it: one file, nothing else."""

from catalog.release import Release, current_release
from yishu.settings import Settings


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
    return settings, current_release(settings.releases_dir)
