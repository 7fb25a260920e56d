"""What waits for somebody, the earliest deadline first: entries, requests, channels, clocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, any_, literal, select

from catalog.roles import Role
from catalog.vocabulary import EntryState
from yishu.governance import versions
from yishu.governance.lifecycle import KIND as ENTRY
from yishu.governance.objections import ObjectionState, waiting_for
from yishu.governance.objections.duty import KIND as OBJECTION
from yishu.governance.promises import Standing, clock_rows, standings
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareGrant, ShareRequest
from yishu.portal.world import World

REQUEST, GRANT = "share_request", "share_grant"
PATHS = {REQUEST: "/sharing/", GRANT: "/sharing/channel/", OBJECTION: "/objections/"}
"""Where an object is dealt with; a clock of another kind has a page of its own."""


@dataclass(frozen=True)
class Deadline:
    """A clock as pages show it; ``days_left`` in working days, negative once it has passed."""

    due_on: date
    days_left: int
    state: str
    is_provisional: bool


class Task(NamedTuple):
    """One thing to do; ``what`` is a Chinese text; ``deadline`` None: no clock runs for it.

    A tuple, since a backlog makes a thousand.
    """

    kind: str
    object_id: str
    title: str
    what: str
    path: str
    since: datetime | None
    deadline: Deadline | None = None


def tasks(world: World, connection: Connection, actor: Actor, now: datetime) -> list[Task]:
    """What waits for an actor, the earliest deadline first, then the oldest."""
    found = [
        *_entries(connection, actor),
        *_requests(connection, actor),
        *_grants(connection, actor),
        *_objections(connection, actor),
    ]
    known = {task.object_id for task in found}
    concerning = clock_rows(connection, is_open=True, of=(actor.org, known))
    rules = rules_in_force(connection, world.release(), world.settings)
    standing = standings(concerning, rules, now, beside=False)
    running = sorted(standing, key=lambda one: one.status.due_on)
    # Of several clocks of one object the most urgent says how long a task has.
    nearest = {one.row.object_id: one for one in reversed(running)}
    timed = [_with_deadline(one, nearest.get(one.object_id)) for one in found]
    own = (one for one in running if one.row.holder_org == actor.org)
    timed += [_of_clock(one) for one in own if one.row.object_id not in known]
    return sorted(timed, key=_urgency)


def _urgency(task: Task) -> tuple[date, str, str]:
    due = task.deadline.due_on if task.deadline else date.max
    return due, task.since.isoformat() if task.since else "", task.object_id


def _with_deadline(task: Task, clock: Standing | None) -> Task:
    if clock is None:
        return task
    return task._replace(deadline=deadline(clock))


def deadline(clock: Standing) -> Deadline:
    """A clock's deadline as pages show it."""
    now = clock.status
    return Deadline(now.due_on, now.remaining, now.state.value, now.is_provisional)


def _of_clock(clock: Standing) -> Task:
    row = clock.row
    path = PATHS.get(row.object_kind, "/clocks/") + (
        row.object_id if row.object_kind in PATHS else row.clock_id
    )
    return Task(
        row.object_kind, row.object_id, row.object_id, clock.promise.name, path,
        row.received_at, deadline(clock),
    )  # fmt: skip


def _entries(connection: Connection, actor: Actor) -> Iterator[Task]:
    asked = {
        Role.AUTHORITY_REVIEWER: ((EntryState.SUBMITTED, EntryState.APPROVED), None),
        Role.DEPARTMENT_OFFICER: ((EntryState.DRAFT, EntryState.RETURNED), actor.org),
        Role.DEPARTMENT_HEAD: ((EntryState.DRAFT, EntryState.RETURNED), actor.org),
    }.get(actor.role)
    if asked is None:
        return
    texts = {
        EntryState.SUBMITTED: "审核目录",
        EntryState.APPROVED: "发布目录",
        EntryState.DRAFT: "完成目录草稿",
        EntryState.RETURNED: "按审核意见修改目录",
    }
    base = "/compile/" if actor.role is Role.DEPARTMENT_OFFICER else "/review/"
    for one in versions.listed(connection, states=asked[0], org=asked[1]):
        since = one.submitted_at or one.edited_at
        what = "登记目录同意意见" if actor.role is Role.DEPARTMENT_HEAD else texts[one.state]
        yield Task(ENTRY, one.entry_id, one.name, what, base + one.entry_id, since)


_Wanted = Callable[[Actor], tuple[str, ColumnElement[bool]]]
_REQUESTS: dict[Role, _Wanted] = {
    Role.AUTHORITY_REVIEWER: lambda _: ("审批共享申请", ShareRequest.state == "submitted"),
    Role.PROVIDER_REVIEWER: lambda actor: (
        "审核共享申请",
        (ShareRequest.state == "submitted")
        & (literal(actor.org) == any_(ShareRequest.provider_orgs)),
    ),
    Role.DEPARTMENT_OFFICER: lambda actor: (
        "完成或补正共享申请",
        ShareRequest.state.in_(("draft", "returned")) & (ShareRequest.consumer_org == actor.org),
    ),
    Role.DEPARTMENT_HEAD: lambda actor: (
        "同意共享申请提交",
        (ShareRequest.state == "draft")
        & (ShareRequest.consumer_org == actor.org)
        & ShareRequest.consented_by.is_(None),
    ),
}


def _requests(connection: Connection, actor: Actor) -> Iterator[Task]:
    if actor.role not in _REQUESTS:
        return
    what, where = _REQUESTS[actor.role](actor)
    scenario = ShareRequest.form["scenario"].astext.label("scenario")
    one = (ShareRequest.request_id, ShareRequest.received_at, ShareRequest.filed_at, scenario)
    for row in connection.execute(select(*one).where(where)):
        title = str(row.scenario or row.request_id)
        since = row.received_at or row.filed_at
        yield Task(REQUEST, row.request_id, title, what, PATHS[REQUEST] + row.request_id, since)


def _grants(connection: Connection, actor: Actor) -> Iterator[Task]:
    if actor.role is not Role.CENTRE_OPERATOR:
        return
    asked = select(ShareGrant.__table__).where(ShareGrant.state == "approved")
    for row in connection.execute(asked):
        path = PATHS[GRANT] + row.grant_id
        yield Task(GRANT, row.grant_id, row.grant_id, "开通数据通道", path, None)


_OBJECTIONS = {
    ObjectionState.RAISED: "受理异议",
    ObjectionState.FORWARDED: "核实异议",
    ObjectionState.VERIFIED: "更正数据或说明理由",
    ObjectionState.DECLINED: "确认不予受理的答复",
    ObjectionState.FED_BACK: "确认异议处理结果",
    ObjectionState.DISPUTED: "裁定异议",
}


def _objections(connection: Connection, actor: Actor) -> Iterator[Task]:
    for one in waiting_for(connection, actor):
        path = PATHS[OBJECTION] + one.objection_id
        what = _OBJECTIONS[one.state]
        yield Task(OBJECTION, one.objection_id, one.summary, what, path, one.since)
