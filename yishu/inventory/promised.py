"""Data sets that docked systems have promised to the city database, and what came of it.

S002 二(六) docks a county's data from a date on. The promise stands with the system in
``systems.yaml``; whether it is kept is known by what was published.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from catalog.model import CatalogView, System
from catalog.vocabulary import Labelled
from transforms.parsing import LOCAL_ZONE
from yishu.ledger.statements import query


class Delivery(Labelled):
    """What became of a promised data set."""

    NOT_CATALOGED = "not_cataloged", "未编目"
    NOT_DUE = "not_due", "未到期"
    ON_TIME = "on_time", "已按期交付"
    LATE = "late", "逾期交付"
    MISSING = "missing", "逾期未交付"


@dataclass(frozen=True)
class Promised:
    """A data set of a delivery contract.

    Attributes:
        contract: Number of the document that says so.
        due_on: Day in Beijing on which the first delivery is due; it may come until its end.
        first_at: When the first delivery that readers could see was pulled, UTC; None: none yet.
        is_missing: It is due and did not come, or no entry describes it although it is due.
    """

    system: str
    department: str
    contact: str
    contract: str
    data_set: str
    due_on: date
    first_at: datetime | None
    state: Delivery
    is_missing: bool


def promised(catalog: CatalogView, first: Mapping[str, datetime], now: datetime) -> list[Promised]:
    """All promised data sets, by system and in the order of their contract; pure.

    Args:
        catalog: A release: its entries, systems and departments.
        first: First deliveries by entry id.
        now: The moment at which deliveries are due.
    """
    systems = (catalog.systems[id_] for id_ in sorted(catalog.systems))
    return [one for system in systems for one in _of(system, catalog, first, now)]


def first_deliveries(connection: Connection) -> dict[str, datetime]:
    """When the source was first read for what was published, by entry id, UTC."""
    rows = connection.execute(query("first_deliveries"))
    return {row.entry_id: row.pulled_at for row in rows}


def _of(
    system: System, catalog: CatalogView, first: Mapping[str, datetime], now: datetime
) -> Iterator[Promised]:
    if (contract := system.contract) is None:
        return
    department = catalog.departments.get(system.department)
    is_due = _day(now) > contract.first_delivery
    for data_set in contract.data_sets:
        came = first.get(data_set)
        state = _state(data_set in catalog.entries, came, contract.first_delivery, is_due)
        yield Promised(
            system=system.id,
            department=department.name if department else system.department,
            contact=system.contact or (department.contact if department else ""),
            contract=contract.number,
            data_set=data_set,
            due_on=contract.first_delivery,
            first_at=came,
            state=state,
            is_missing=is_due and came is None,
        )


def _state(is_cataloged: bool, came: datetime | None, due_on: date, is_due: bool) -> Delivery:
    if came is not None:
        return Delivery.LATE if _day(came) > due_on else Delivery.ON_TIME
    if not is_cataloged:
        return Delivery.NOT_CATALOGED
    return Delivery.MISSING if is_due else Delivery.NOT_DUE


def _day(moment: datetime) -> date:
    return moment.astimezone(LOCAL_ZONE).date()
