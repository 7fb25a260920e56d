"""The board of clocks: a line a clock, the earliest last day first; for pages and Excel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict, Unpack

from sqlalchemy import Connection

from yishu.clocks import ClockState, beijing_day
from yishu.governance.clock_rules import ClockRules
from yishu.governance.promises import Standing, clock_rows, judgeable, standings

HEADINGS = (
    "计时编号", "承诺", "对象", "承办部门", "当前持有", "状态", "截止日", "剩余工作日",
    "他档更早截止日", "开始日", "依据",
)  # fmt: skip


class Asked(TypedDict, total=False):
    """Which clocks are wanted; see `standing_now`."""

    org: str | None
    promise: str | None
    object_kind: str | None
    object_id: str | None


@dataclass(frozen=True)
class BoardLine:
    """A clock as people read it.

    Attributes:
        department: Id of the body that has to keep the promise.
        holder: Id of the body that holds the file now.
        earlier_elsewhere: An earlier last day under another profile; None: there is none.
    """

    clock_id: str
    promise: str
    promise_name: str
    object_kind: str
    object_id: str
    department: str
    holder: str
    state: ClockState
    due_on: date
    is_provisional: bool
    remaining: int
    earlier_elsewhere: date | None
    received_on: date
    basis: str
    is_local_choice: bool

    @property
    def due_text(self) -> str:
        """The last day, marked where it may still move."""
        return f"{self.due_on}（暂定）" if self.is_provisional else str(self.due_on)


def standing_now(
    connection: Connection,
    rules: ClockRules,
    now: datetime,
    *,
    with_ended: bool = False,
    **asked: Unpack[Asked],
) -> list[Standing]:
    """How clocks that run stand, and with ``with_ended`` the others, the earliest last day first.

    Clocks of a promise that no profile makes any more are left out; the sweep lists them. Where
    there may be thousands, `yishu.governance.running` reads those alone that are shown.
    """
    is_open = None if with_ended else True
    rows, _ = judgeable(clock_rows(connection, is_open=is_open, **asked), rules)
    every = standings(rows, rules, now)
    return sorted(every, key=lambda one: (one.status.due_on, one.row.clock_id))


def lines(found: Iterable[Standing], rules: ClockRules) -> list[BoardLine]:
    """Clocks as people read them, in the same order."""
    return [_line(one, rules) for one in found]


def board(
    connection: Connection,
    rules: ClockRules,
    now: datetime,
    *,
    states: Sequence[ClockState] = (),
    with_ended: bool = False,
    **asked: Unpack[Asked],
) -> list[BoardLine]:
    """The lines of the clocks that `standing_now` finds, of those states or of all."""
    found = standing_now(connection, rules, now, with_ended=with_ended, **asked)
    wanted = [one for one in found if not states or one.status.state in states]
    return lines(wanted, rules)


def cells(lines: Sequence[BoardLine], names: Mapping[str, str]) -> list[list[str | int]]:
    """The lines under `HEADINGS`; ``names`` are those of the bodies."""
    return [
        [
            line.clock_id,
            line.promise_name,
            line.object_id,
            names.get(line.department, line.department),
            names.get(line.holder, line.holder),
            line.state.label_zh,
            line.due_text,
            line.remaining,
            str(line.earlier_elsewhere or ""),
            str(line.received_on),
            line.basis,
        ]
        for line in lines
    ]


def _line(one: Standing, rules: ClockRules) -> BoardLine:
    row, status = one.row, one.status
    return BoardLine(
        clock_id=row.clock_id,
        promise=row.promise,
        promise_name=one.promise.name,
        object_kind=row.object_kind,
        object_id=row.object_id,
        department=row.holder_org,
        holder=rules.org_of(status.holder, row.holder_org),
        state=status.state,
        due_on=status.due_on,
        is_provisional=status.is_provisional,
        remaining=status.remaining,
        earlier_elsewhere=one.earlier_elsewhere,
        received_on=beijing_day(row.received_at),
        basis=one.promise.basis,
        is_local_choice=one.promise.is_local_choice,
    )
