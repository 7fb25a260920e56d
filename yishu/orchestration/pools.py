"""One pool a department system, so that no system is asked more at a time than it bears.

A task in a pool that does not exist never runs, so the pools are made whenever a release is
published (``yishu.orchestration.announce``).
"""

from collections.abc import Mapping

from catalog.model import CatalogView
from yishu.orchestration import naming

SYSTEM_SLOTS = 2
"""Pulls at a time from one department system: such systems serve counters first."""

LIBRARY_SLOTS = 16
"""Tasks at a time on the library; what the machine bears is ``[core] parallelism``."""


def pools_of(catalog: CatalogView) -> Mapping[str, int]:
    """Slots by pool name, for every pool that a DAG of this release uses."""
    systems = {naming.system_pool(entry): SYSTEM_SLOTS for entry in catalog.entries.values()}
    return {naming.LIBRARY_POOL: LIBRARY_SLOTS, **dict(sorted(systems.items()))}


def create_missing(catalog: CatalogView) -> list[str]:
    """Make the pools that are missing in Airflow's database; the names of those made.

    Slots of a pool that exists are left as an engineer has set them.
    """
    from airflow.models.pool import Pool  # noqa: PLC0415  opens Airflow's database
    from airflow.utils.session import create_session  # noqa: PLC0415

    made = []
    with create_session() as session:
        existing = {pool.pool for pool in Pool.get_pools(session=session)}
        for name, slots in pools_of(catalog).items():
            if name not in existing:
                Pool.create_or_update_pool(
                    name, slots, "Made with a catalog release", False, session=session
                )
                made.append(name)
    return made
