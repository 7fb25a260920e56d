"""The board of clocks: a line a clock, the earliest last day first; for pages and Excel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from yishu.clocks import ClockState, beijing_day
from yishu.governance.clock_rules import ClockRules
from yishu.governance.promises import Standing, clock_rows, judgeable, standings

HEADINGS = (
    "计时编号", "承诺", "对象", "承办部门", "当前持有", "状态", "截止日", "剩余工作日",
    "他档更早截止日", "开始日", "依据",
)  # fmt: skip


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


def board(
    connection: Connection,
    rules: ClockRules,
    now: datetime,
    *,
    org: str | None = None,
    promise: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    states: Sequence[ClockState] = (),
    with_ended: bool = False,
) -> list[BoardLine]:
    """Clocks that run, and with ``with_ended`` the others too, the earliest last day first.

    Clocks of a promise that no profile makes any more are left out; the sweep lists them.
    """
    is_open = None if with_ended else True
    found = clock_rows(
        connection,
        is_open=is_open,
        org=org,
        promise=promise,
        object_kind=object_kind,
        object_id=object_id,
    )
    rows, _ = judgeable(found, rules)
    lines = [_line(one, rules) for one in standings(rows, rules, now)]
    wanted = [line for line in lines if not states or line.state in states]
    return sorted(wanted, key=lambda line: (line.due_on, line.clock_id))


def by_day(lines: Sequence[BoardLine]) -> Mapping[date, list[BoardLine]]:
    """The lines of each last day, in order."""
    days: dict[date, list[BoardLine]] = {}
    for line in lines:
        days.setdefault(line.due_on, []).append(line)
    return days


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
