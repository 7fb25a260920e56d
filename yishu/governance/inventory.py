"""Every data set of the city in one query: what it is, where it lies, whose it is, who keeps it.

The command centre is the custodian of all of them (S004 Art.13).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from yishu.ledger.statements import query

CUSTODIAN = "command_centre"


@dataclass(frozen=True)
class DataSet:
    """A published entry, and its table when it was published once.

    Attributes:
        location: Name of the table in the library; None: no data yet.
        table_version: Version of the table in force.
    """

    entry_id: str
    name: str
    owner: str
    custodian: str
    location: str | None
    table_version: int | None
    rows: int | None
    committed_at: datetime | None


def data_sets(connection: Connection, custodian: str = CUSTODIAN) -> list[DataSet]:
    """Every data set of a published entry, in order of ids."""
    found = connection.execute(query("data_sets"), {"custodian": custodian})
    return [DataSet(**row._mapping) for row in found]
