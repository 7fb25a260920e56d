"""Many rows in one statement, however many there are: for rules that act on a whole city."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, text

from yishu.ledger.models import SCHEMA, Base


def insert_all(
    connection: Connection, table: type[Base], rows: Sequence[dict[str, Any]]
) -> list[Row[Any]]:
    """Add the rows that are not there yet; the keys of those that were added, in no order.

    All rows have the same columns. A row that breaks a unique index is left out, like one whose
    key is taken.
    """
    if not rows:
        return []
    columns = ", ".join(rows[0])
    name = f"{SCHEMA}.{table.__tablename__}"
    keys = ", ".join(column.name for column in table.__table__.primary_key)
    statement = text(
        f"insert into {name} ({columns}) "
        f"select {columns} from jsonb_populate_recordset(null::{name}, cast(:rows as jsonb)) "
        f"on conflict do nothing returning {keys}"
    )
    given = json.dumps(rows, default=_plain, ensure_ascii=False)
    return list(connection.execute(statement, {"rows": given}).all())


@lru_cache(4096)  # The rows of one act share their moments and days.
def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
