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
    connections = sorted({naming.system_pool(entry) for entry in catalog.entries.values()})
    systems = {name: declared_slots(catalog, name) or SYSTEM_SLOTS for name in connections}
    return {naming.LIBRARY_POOL: LIBRARY_SLOTS, **systems}


def declared_slots(catalog: CatalogView, pool: str) -> int | None:
    """The slots that ``systems.yaml`` gives the system behind a pool; None: it leaves them open."""
    system = catalog.systems.get(pool)
    return system.slots if system else None


def bring_in_line(catalog: CatalogView) -> list[str]:
    """Make pools in Airflow's database as the release has them; the names of those changed.

    Slots that the release declares are set. Others of a pool that exists are left as an engineer
    has set them.
    """
    from airflow.models.pool import Pool  # noqa: PLC0415  opens Airflow's database
    from airflow.utils.session import create_session  # noqa: PLC0415

    changed = []
    with create_session() as session:
        existing = {pool.pool: pool.slots for pool in Pool.get_pools(session=session)}
        for name, slots in pools_of(catalog).items():
            is_left_open = name in existing and declared_slots(catalog, name) is None
            if is_left_open or existing.get(name) == slots:
                continue
            Pool.create_or_update_pool(
                name, slots, "Made with a catalog release", False, session=session
            )
            changed.append(name)
    return changed
