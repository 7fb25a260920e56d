"""Where each data set is in its life cycle: collected, classed, stored, maintained, used.

The five stages are those of S002 二(六). Each is known by the lineage event that told the step into
it, so that the step can be looked up: ``yishu lineage`` shows its run, inputs and outputs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from catalog.model import CatalogEntry
from catalog.vocabulary import Labelled
from yishu.ledger import Ledger
from yishu.ledger.lineage import Steps, own_steps, table_uses
from yishu.library import unified_table


class LifeStage(Labelled):
    """A stage of a data set, in the order in which it is reached."""

    COLLECTED = "collected", "采集"
    CLASSED = "classed", "归类"
    STORED = "stored", "储存"
    MAINTAINED = "maintained", "维护"
    USED = "used", "使用"


@dataclass(frozen=True)
class LifeCycle:
    """A data set in its life cycle.

    Attributes:
        stage: The furthest that it has reached; None: nothing was ever collected.
        reached: When it last made the step into each stage, UTC; stages not reached are left out.
    """

    entry_id: str
    name: str
    stage: LifeStage | None
    reached: Mapping[LifeStage, datetime]


def life_cycles(
    entries: Iterable[CatalogEntry], own: Mapping[str, Steps], uses: Mapping[str, Steps]
) -> list[LifeCycle]:
    """The life cycle of each entry; pure.

    A first publication stores a data set, each later one maintains it. It is used when another
    job reads its published table: a subject that is woven from it, or a delivery.

    Args:
        entries: Released entries.
        own: Steps of their own jobs, by job, e.g. ``taxation.taxpayer.pull``.
        uses: Steps of other jobs, by the table that they read, e.g. ``unified/taxation.taxpayer``.
    """
    return [_life_cycle(entry, own, uses) for entry in entries]


def read_life_cycles(entries: Iterable[CatalogEntry], ledger: Ledger) -> list[LifeCycle]:
    """The life cycle of each entry, by the lineage that the ledger keeps."""
    with ledger.reading() as connection:
        return life_cycles(entries, own_steps(connection), table_uses(connection))


def _life_cycle(
    entry: CatalogEntry, own: Mapping[str, Steps], uses: Mapping[str, Steps]
) -> LifeCycle:
    published = own.get(f"{entry.id}.publish")
    steps = {
        LifeStage.COLLECTED: own.get(f"{entry.id}.pull"),
        LifeStage.CLASSED: own.get(f"{entry.id}.validate"),
        LifeStage.USED: uses.get(unified_table(entry.id)),
    }
    last = {stage: told.last_at for stage, told in steps.items() if told is not None}
    if published is not None:
        last[LifeStage.STORED] = published.first_at
        if published.times > 1:
            last[LifeStage.MAINTAINED] = published.last_at
    reached = {stage: last[stage] for stage in LifeStage if stage in last}
    return LifeCycle(entry.id, entry.name, next(reversed(reached), None), reached)
