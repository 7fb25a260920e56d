"""A lower bound on a column of stamps, in the words of a database.

The rows that are left out are only those whose stamp surely lies before the bound: a type or a
spelling that cannot be compared exactly means that the row comes along. Times without a zone are
Beijing's, as everywhere.
"""

from datetime import date, datetime

from transforms.parsing import LOCAL_ZONE

Bound = datetime | date | int

_INTEGERS = frozenset({"smallint", "integer", "bigint"})


def literal(bound: Bound, declared: str) -> str | None:
    """The bound as a literal of PostgreSQL that a column of that type is compared with.

    Args:
        bound: The bound.
        declared: The column's type as ``format_type`` writes it.

    Returns:
        None when the two cannot be compared exactly.
    """
    name = declared.partition("(")[0] if "time zone" not in declared else declared
    if isinstance(bound, int):
        return str(bound) if name in _INTEGERS else None
    if name == "date":
        return f"'{local(bound).date().isoformat()}'::date"
    if name.startswith("timestamp") and name.endswith("without time zone"):
        return f"'{local(bound).replace(tzinfo=None).isoformat(' ')}'::timestamp"
    if name.startswith("timestamp"):
        return f"'{local(bound).isoformat(' ')}'::timestamptz"
    return None


def local(bound: datetime | date) -> datetime:
    """The moment in Beijing's time; a day begins there at midnight."""
    if isinstance(bound, datetime):
        return bound.astimezone(LOCAL_ZONE)
    return datetime(bound.year, bound.month, bound.day, tzinfo=LOCAL_ZONE)
