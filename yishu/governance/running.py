"""Clocks taken together: those of one promise, holder and course stand alike.

How a clock stands is computed and never stored. A city's thousands of clocks began on few days,
so the database counts them by their course, and each course is judged once.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Row

from catalog.promise import ClockCause, Promise
from yishu.clocks import BEIJING, ClockEvent, ClockStatus, EventKind, statuses
from yishu.clocks.errors import PromiseUnknown
from yishu.governance.clock_rules import ClockRules
from yishu.governance.promises import Standing, clock_rows, standings
from yishu.ledger.statements import query


@dataclass(frozen=True, slots=True)
class Alike:
    """Clocks that stand alike.

    Attributes:
        name: The promise as its profile calls it.
        holder_org: Id of the body that has to keep it.
        holder: Id of the body that holds the file now.
        course: Their events, as the view ``clock_course`` writes them.
        clocks: How many there are.
    """

    profile: str
    name: str
    holder_org: str
    holder: str
    course: str
    clocks: int
    promise: Promise
    status: ClockStatus


@dataclass(frozen=True, slots=True)
class Month:
    """Days of which the first few clocks are wanted, both ends included."""

    first: date
    last: date
    of_a_day: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Some of many clocks: a stretch in order of last days, and the first of each day."""

    listed: Sequence[Standing]
    of_days: Sequence[tuple[str, Alike]]


_DAY_ZERO = date(2000, 1, 1).toordinal()

NO_MONTH = Month(date.max, date.min, 0)


def alike(
    connection: Connection,
    rules: ClockRules,
    now: datetime,
    *,
    ended_since: datetime | None = None,
) -> list[Alike]:
    """All clocks that run, and those that ended since a moment, the earliest last day first.

    Clocks of a promise that no profile makes any more are left out; the sweep lists them.
    """
    rows = list(connection.execute(query("running_clocks")))
    if ended_since is not None:
        rows += connection.execute(query("ended_clocks"), {"since": ended_since})
    promises = {key: _promise(*key, rules) for key in {(one.profile, one.promise) for one in rows}}
    known = [(row, made) for row in rows if (made := promises[row.profile, row.promise])]
    judged = statuses(((made, events_of(row.course)) for row, made in known), rules.calendar, now)
    every = [
        _alike(row, made, status, rules) for (row, made), status in zip(known, judged, strict=True)
    ]
    return sorted(every, key=lambda one: (one.status.due_on, one.profile, one.name, one.course))


def placed(
    connection: Connection,
    chosen: Sequence[Alike],
    rules: ClockRules,
    now: datetime,
    *,
    offset: int = 0,
    limit: int | None = None,
    month: Month = NO_MONTH,
) -> Placed:
    """A page of the clocks of some groups, the earliest last day first, and the first of days."""
    total = sum(one.clocks for one in chosen)
    asked = {
        "groups": groups_json(chosen),
        "first": offset + 1,
        "last": total if limit is None else offset + limit,
        "first_day": month.first,
        "last_day": month.last,
        "of_a_day": month.of_a_day,
    }
    rows = connection.execute(query("placed_clocks"), asked).all()
    ids = [row.clock_id for row in rows if row.is_listed]
    found = clock_rows(connection, clock_ids=ids) if ids else []
    by_id = {one.row.clock_id: one for one in standings(found, rules, now)}
    of_days = [(row.clock_id, chosen[row.number]) for row in rows if row.is_of_a_day]
    return Placed([by_id[one] for one in ids], of_days)


def groups_json(groups: Collection[Alike]) -> str:
    """Groups as statements take them, each with its place among them as ``number``."""
    return json.dumps(
        [
            {
                "number": number, "profile": one.profile, "promise": one.name,
                "holder_org": one.holder_org, "course": one.course,
                "due_on": one.status.due_on.isoformat(), "colour": one.status.state.value,
            }
            for number, one in enumerate(groups)
        ]
    )  # fmt: skip


def events_of(course: str) -> list[ClockEvent]:
    """The events of a course, as far as a status rests on them."""
    return [_event(*one.split(",")) for one in course.split(";")]


def _event(kind: str, day: str, cause: str, working_days: str, due_on: str) -> ClockEvent:
    return ClockEvent(
        EventKind(kind),
        datetime.combine(_day(day), time(), BEIJING),
        ClockCause(cause) if cause else None,
        int(working_days),
        due_on=_day(due_on) if due_on else None,
    )


def _day(number: str) -> date:
    return date.fromordinal(_DAY_ZERO + int(number))


def _promise(profile: str, name: str, rules: ClockRules) -> Promise | None:
    try:
        return rules.promise(profile, name)
    except PromiseUnknown:
        return None


def _alike(row: Row[Any], promise: Promise, status: ClockStatus, rules: ClockRules) -> Alike:
    holder = rules.org_of(status.holder, row.holder_org)
    return Alike(
        row.profile, row.promise, row.holder_org, holder, row.course, row.clocks, promise, status
    )
