"""Final scores month by month: what was frozen, small enough that a year of it is read at once.

They are written once, when a period is frozen, from the figures whose SHA-256 is kept; a month
that nobody froze has none, and is told as missing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

from sqlalchemy import Connection, select

from catalog.vocabulary import Labelled
from yishu.governance.period import Period
from yishu.governance.scores import Figure, Scores
from yishu.ledger.bulk import insert_all
from yishu.ledger.models import FrozenScore

CITY = "city"
"""Id of the whole city, of which there is one."""


class Of(Labelled):
    """Whose score it is."""

    CITY = "city", "全市"
    DEPARTMENT = "department", "部门"
    ENTRY = "entry", "目录条目"


@dataclass(frozen=True)
class MonthScore:
    """A month's score; ``total`` None: nothing was measured, or (``is_known`` false) not frozen.

    Attributes:
        total: The weighted mean of the dimensions, 0 to 100.
        dimensions: What was right of what was counted, by dimension; only those measured.
        is_final: Whether it was frozen; else it still moves.
    """

    month: str
    total: Decimal | None = None
    dimensions: Mapping[str, Figure] | None = None
    is_final: bool = False

    @classmethod
    def running(cls, found: Scores, own: Mapping[str, Figure]) -> "MonthScore":
        """A month as its figures stand now; not known where nothing was measured."""
        return cls(found.period, found.total(own), own or None)

    @property
    def is_known(self) -> bool:
        """Whether there is a score at all."""
        return self.dimensions is not None


def keep(connection: Connection, found: Scores) -> None:
    """Keep the scores of a period that is being frozen: city, departments, entries."""
    parts = [
        (Of.CITY, CITY, found.city),
        *((Of.DEPARTMENT, org, own) for org, own in found.departments.items()),
        *((Of.ENTRY, one.entry_id, one.dimensions) for one in found.entries),
    ]
    rows = [
        {
            "period": found.period, "kind": kind.value, "object_id": id_,
            "total": None if (total := found.total(own)) is None else str(total),
            "dimensions": {name: asdict(figure) for name, figure in own.items()},
        }
        for kind, id_, own in parts
    ]  # fmt: skip
    insert_all(connection, FrozenScore, rows)


def months(
    connection: Connection, of: Of, object_id: str, *, last: Period, number: int = 12
) -> list[MonthScore]:
    """The final scores of so many months up to one, the oldest first; missing ones as such."""
    names = [last.name]
    period = last
    for _ in range(number - 1):
        period = period.previous
        names.append(period.name)
    table = FrozenScore
    asked = select(table.period, table.total, table.dimensions).where(
        table.kind == of.value, table.object_id == object_id, table.period.in_(names)
    )
    known = {
        row.period: MonthScore(row.period, row.total, _figures(row.dimensions), is_final=True)
        for row in connection.execute(asked)
    }
    return [known.get(name, MonthScore(name)) for name in reversed(names)]


def with_running(known: list[MonthScore], running: MonthScore) -> list[MonthScore]:
    """The same, a month that is not frozen as its figures stand now."""
    return [running if one.month == running.month and not one.is_final else one for one in known]


def _figures(record: Mapping[str, Mapping[str, int]]) -> dict[str, Figure]:
    return {name: Figure(**figure) for name, figure in record.items()}
