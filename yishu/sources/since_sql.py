"""The same lower bound as a condition of SQLAlchemy.

Separate from ``since``, because the readers that need no SQLAlchemy do not load it.
"""

from typing import Any

import sqlalchemy as sa

from yishu.sources.protocol import Since
from yishu.sources.since import Bound, local

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_MOMENT = f"{_DAY} [0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
_DAY_LENGTH, _MOMENT_LENGTH = len("2026-01-01"), len("2026-01-01 00:00:00")


def condition(since: Since, declared: Any, dialect: str) -> sa.ColumnElement[bool] | None:
    """The rows that are wanted, as a condition of SQLAlchemy; None: all, nothing else is sure.

    Args:
        since: The bound.
        declared: The column's type as SQLAlchemy reflects it.
        dialect: Name of the dialect. SQLite does not enforce types, so each value's own counts.
    """
    name = sa.quoted_name(since.column, quote=True)
    if dialect == "sqlite":
        return sa.not_(sa.func.coalesce(_surely_before(name, since.value), sa.false()))
    typed = _typed(since.value, declared)
    if typed is None:
        return None
    column = sa.column(name, type_=typed.type)
    return sa.or_(column.is_(None), column >= typed)


def _typed(bound: Bound, declared: Any) -> sa.BindParameter[Any] | None:
    match declared:
        case sa.Integer() if isinstance(bound, int):
            return sa.literal(bound, sa.BigInteger())
        case sa.DateTime() if not isinstance(bound, int):
            moment = local(bound) if declared.timezone else local(bound).replace(tzinfo=None)
            return sa.literal(moment, sa.DateTime(timezone=declared.timezone))
        case sa.Date() if not isinstance(bound, int):
            return sa.literal(local(bound).date(), sa.Date())
    return None


def _surely_before(name: str, bound: Bound) -> sa.ColumnElement[bool]:
    """Values of SQLite that are surely less: a number below, or a standard spelling before."""
    column: sa.ColumnElement[Any] = sa.column(name)
    kind = sa.func.typeof(column)
    if isinstance(bound, int):
        return sa.and_(kind == "integer", column < sa.literal(bound, sa.BigInteger()))
    moment = local(bound).replace(tzinfo=None, microsecond=0)
    day, second = moment.date().isoformat(), moment.isoformat(" ")
    rest = sa.func.substr(column, _MOMENT_LENGTH + 1)
    is_day = sa.and_(sa.func.length(column) == _DAY_LENGTH, column.op("GLOB")(_DAY))
    is_moment = sa.and_(
        column.op("GLOB")(f"{_MOMENT}*"), sa.not_(rest.op("GLOB")(sa.literal("*[^.0-9]*")))
    )
    return sa.and_(
        kind == "text",
        sa.or_(sa.and_(is_day, column < day), sa.and_(is_moment, column < second)),
    )
