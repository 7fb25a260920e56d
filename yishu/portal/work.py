"""What waits for somebody, the earliest deadline first: entries, requests, channels, clocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from catalog.roles import Role
from catalog.vocabulary import EntryState
from yishu.governance.objections import ObjectionState, waits
from yishu.governance.objections.duty import KIND as OBJECTION
from yishu.governance.running import Alike, alike, groups_json
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger.journal import Actor
from yishu.ledger.statements import query
from yishu.portal.world import World

REQUEST, GRANT = "share_request", "share_grant"
PATHS = {REQUEST: "/sharing/", GRANT: "/sharing/channel/", OBJECTION: "/objections/"}
"""Where an object is dealt with; a clock of another kind has a page of its own."""

COLOURS = ("red", "yellow", "green")


@dataclass(frozen=True)
class Deadline:
    """A clock as pages show it; ``days_left`` in working days, negative once it has passed."""

    due_on: date
    days_left: int
    state: str
    is_provisional: bool


@dataclass(frozen=True)
class Task:
    """One thing to do; ``what`` is a Chinese text; ``deadline`` None: no clock runs for it."""

    kind: str
    object_id: str
    title: str
    what: str
    path: str
    since: datetime | None
    deadline: Deadline | None


@dataclass(frozen=True)
class Work:
    """What waits for somebody: the first tasks, how many there are, and how many of each colour."""

    tasks: Sequence[Task]
    total: int
    colours: Mapping[str, int]


def work(
    world: World, connection: Connection, actor: Actor, now: datetime, limit: int = 50
) -> Work:
    """What waits for an actor, the earliest deadline first, then the oldest."""
    groups = alike(connection, rules_in_force(connection, world.release(), world.settings), now)
    asked = {
        "org": actor.org,
        "limit": limit,
        "groups": groups_json(groups),
        **_entries(actor),
        **_requests(actor),
        "grant_states": ["approved"] if actor.role is Role.CENTRE_OPERATOR else [],
        **_objections(actor),
    }
    rows = connection.execute(query("work_list"), asked).all()
    colours = {one: getattr(rows[0], one) if rows else 0 for one in COLOURS}
    tasks = [_task(row, actor, None if row.number is None else groups[row.number]) for row in rows]
    return Work(tasks, rows[0].total if rows else 0, colours)


def deadline(clock: Alike) -> Deadline:
    """A clock's deadline as pages show it."""
    now = clock.status
    return Deadline(now.due_on, now.remaining, now.state.value, now.is_provisional)


def _task(row: Row[Any], actor: Actor, clock: Alike | None) -> Task:
    is_clock = row.clock_id is not None and clock is not None
    what = clock.promise.name if clock and is_clock else _what(row.kind, row.state, actor)
    told = deadline(clock) if clock else None
    return Task(row.kind, row.object_id, row.title, what, _path(row, actor), row.since, told)


def _path(row: Row[Any], actor: Actor) -> str:
    """Where it is dealt with; a clock of another kind of object has a page of its own."""
    if row.kind in PATHS:
        return PATHS[row.kind] + str(row.object_id)
    if row.clock_id is not None:
        return f"/clocks/{row.clock_id}"
    area = "compile" if actor.role is Role.DEPARTMENT_OFFICER else "review"
    return f"/{area}/{row.object_id}"


def _what(kind: str, state: str, actor: Actor) -> str:
    if kind == REQUEST:
        return _OF_REQUESTS[actor.role]
    if kind == GRANT:
        return "开通数据通道"
    if kind == OBJECTION:
        return _OF_OBJECTIONS[ObjectionState(state)]
    is_head = actor.role is Role.DEPARTMENT_HEAD
    return "登记目录同意意见" if is_head else _OF_ENTRIES[EntryState(state)]


_OF_ENTRIES = {
    EntryState.SUBMITTED: "审核目录",
    EntryState.APPROVED: "发布目录",
    EntryState.DRAFT: "完成目录草稿",
    EntryState.RETURNED: "按审核意见修改目录",
}
_OF_REQUESTS = {
    Role.AUTHORITY_REVIEWER: "审批共享申请",
    Role.PROVIDER_REVIEWER: "审核共享申请",
    Role.DEPARTMENT_OFFICER: "完成或补正共享申请",
    Role.DEPARTMENT_HEAD: "同意共享申请提交",
}
_OF_OBJECTIONS = {
    ObjectionState.RAISED: "受理异议",
    ObjectionState.FORWARDED: "核实异议",
    ObjectionState.VERIFIED: "更正数据或说明理由",
    ObjectionState.DECLINED: "确认不予受理的答复",
    ObjectionState.FED_BACK: "确认异议处理结果",
    ObjectionState.DISPUTED: "裁定异议",
}


def _entries(actor: Actor) -> dict[str, Any]:
    """Which versions of entries wait for an actor."""
    own = (EntryState.DRAFT, EntryState.RETURNED)
    states = {
        Role.AUTHORITY_REVIEWER: (EntryState.SUBMITTED, EntryState.APPROVED),
        Role.DEPARTMENT_OFFICER: own,
        Role.DEPARTMENT_HEAD: own,
    }.get(actor.role, ())
    is_authority = actor.role is Role.AUTHORITY_REVIEWER
    return {
        "entry_states": [one.value for one in states],
        "entry_org": None if is_authority else actor.org,
    }


def _requests(actor: Actor) -> dict[str, Any]:
    """Which share requests wait for an actor."""
    is_head = actor.role is Role.DEPARTMENT_HEAD
    states = {
        Role.AUTHORITY_REVIEWER: ("submitted",),
        Role.PROVIDER_REVIEWER: ("submitted",),
        Role.DEPARTMENT_OFFICER: ("draft", "returned"),
        Role.DEPARTMENT_HEAD: ("draft",),
    }.get(actor.role, ())
    return {
        "request_states": list(states),
        "provider": actor.org if actor.role is Role.PROVIDER_REVIEWER else None,
        "consumer": actor.org if is_head or actor.role is Role.DEPARTMENT_OFFICER else None,
        "unconsented": is_head,
    }


def _objections(actor: Actor) -> dict[str, list[str]]:
    """In which states objections wait for an actor."""
    found = waits(actor)
    return {
        "waits": [one.value for one in found.anybodys],
        "waits_as_source": [one.value for one in found.source],
        "waits_as_objector": [one.value for one in found.objector],
    }
