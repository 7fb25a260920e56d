"""The status of a clock: a pure function of promise, events, calendar and the present moment.

Events are stored, status is not. Only an extension or a pause, for a cause that the promise lists
and while it still runs, moves the last day; no other event and no edit of the object does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from catalog.promise import ClockCause, Party, Promise
from catalog.vocabulary import Labelled
from yishu.clocks.working_days import BEIJING, WorkingDays, beijing_day


class EventKind(Labelled):
    """What can happen to a clock."""

    OPENED = "opened", "开始计时"
    MERGED = "merged", "并入同因事项"
    PAUSED = "paused", "中止计时"
    RESUMED = "resumed", "恢复计时"
    EXTENDED = "extended", "批准延期"
    SUBMITTED = "submitted", "提交审核"
    RETURNED = "returned", "退回"
    REASSIGNED = "reassigned", "移交承办部门"
    HELD = "held", "保留原截止日"
    FULFILLED = "fulfilled", "办结"
    NO_CHANGE_NEEDED = "no_change_needed", "认定无需变更"
    WITHDRAWN = "withdrawn", "撤销"
    REOPENED = "reopened", "重新计时"
    END_CORRECTED = "end_corrected", "更正办结时间"


CLOSING = frozenset({EventKind.FULFILLED, EventKind.NO_CHANGE_NEEDED, EventKind.WITHDRAWN})


class ClockState(Labelled):
    """The colours of a clock, and how it ended."""

    GREEN = "green", "正常"
    YELLOW = "yellow", "将到期"
    RED = "red", "已逾期"
    MET = "met", "按时办结"
    MET_LATE = "met_late", "逾期办结"
    PAUSED = "paused", "中止计时"
    WITHDRAWN = "withdrawn", "已撤销"


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """Something that happened to a clock, at a moment with its zone.

    Attributes:
        cause: Why, for pauses and extensions.
        working_days: How many more, for extensions; of an opening: the limit that its object states
            itself, instead of the promise's.
        consent_by: Account that consented, for pauses and extensions.
        due_on: The last day that stays, for ``HELD``; the day of the end, for ``END_CORRECTED``.
        org: The department that takes over, for ``REASSIGNED``.
        note: What a person said; the reason of a closing, the evidence of a merge.
    """

    kind: EventKind
    at: datetime
    cause: ClockCause | None = None
    working_days: int = 0
    consent_by: str | None = None
    due_on: date | None = None
    org: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ClockStatus:
    """How a clock stands; days are days in Beijing.

    Attributes:
        due_on: The last day. While a clock is paused: as if it ran on today.
        is_provisional: The last day may move: it lies in a year without a notice, or the clock is
            paused.
        remaining: Working days left until ``due_on``; negative once it has passed, of a closed
            clock as they were on the day of closing.
        holder: Who holds the file.
        closed_on: The day it ended; None while it runs.
        is_pause_over: A pause ended by itself, since it was longer than the promise allows.
    """

    state: ClockState
    due_on: date
    is_provisional: bool
    remaining: int
    holder: Party
    closed_on: date | None = None
    is_pause_over: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of a clock that one party answers for; ``ended_on`` None: it still runs."""

    party: Party
    started_on: date
    ended_on: date | None
    working_days: int


def status(
    promise: Promise, events: Sequence[ClockEvent], calendar: WorkingDays, now: datetime
) -> ClockStatus:
    """How a clock stands at a moment; events are in the order in which they happened.

    Raises:
        OutsideCalendar: a day lies where nothing is known about working days.
    """
    today = beijing_day(now)
    course = _Course(promise, calendar, events[0])
    for event in events[1:]:
        course.take(event)
    due = course.due_as_of(today)
    until = course.closed_on or today
    remaining = calendar.count(until, due)
    if until > due:
        # On the weekend after the last day no working day has passed, and yet it has.
        remaining = min(remaining, -1)
    return ClockStatus(
        state=_state(course, promise, remaining, until, due),
        due_on=due,
        is_provisional=course.is_paused or calendar.is_provisional(course.start, due),
        remaining=remaining,
        holder=course.holder,
        closed_on=course.closed_on,
        is_pause_over=course.is_pause_over,
    )


def statuses(
    clocks: Iterable[tuple[Promise, Sequence[ClockEvent]]], calendar: WorkingDays, now: datetime
) -> Iterator[ClockStatus]:
    """The status of many clocks: those whose events lie on the same days share one computation."""
    known: dict[tuple[Any, ...], ClockStatus] = {}
    for promise, events in clocks:
        # Promises stay alive while they are iterated over, so that an id means one of them.
        key = (id(promise), *map(_shape, events))
        found = known.get(key)
        if found is None:
            found = known[key] = status(promise, events, calendar, now)
        yield found


def _shape(event: ClockEvent) -> tuple[Any, ...]:
    """All of an event that a status rests on."""
    day = event.at.astimezone(BEIJING).toordinal()
    return event.kind, day, event.cause, event.working_days, event.due_on


def earlier_elsewhere(mine: ClockStatus, others: Iterable[ClockStatus]) -> date | None:
    """The earliest last day under other promises, where it is before one's own; else None."""
    return min((one.due_on for one in others if one.due_on < mine.due_on), default=None)


def legs(
    promise: Promise, events: Sequence[ClockEvent], calendar: WorkingDays, now: datetime
) -> list[Leg]:
    """The two legs: until the submission that was finally accepted, and from there to the end.

    A submission that was returned does not count: the department answers for the whole time until
    the one that stood.
    """
    course = _Course(promise, calendar, events[0])
    for event in events[1:]:
        course.take(event)
    today = beijing_day(now)
    handed = course.submitted_on

    def leg(party: Party, start: date, end: date | None) -> Leg:
        return Leg(party, start, end, calendar.count(start, end or today))

    if handed is None:
        return [leg(promise.holder, course.start, course.closed_on)]
    first = leg(promise.holder, course.start, handed)
    return [first, leg(Party.DATA_AUTHORITY, handed, course.closed_on)]


class _Course:
    """What the events so far have made of a clock."""

    __slots__ = (
        "_calendar", "_due", "_extended", "_held", "_limit", "_paused_on", "_promise", "closed_on",
        "closing", "holder", "is_pause_over", "start", "submitted_on",
    )  # fmt: skip

    def __init__(self, promise: Promise, calendar: WorkingDays, opened: ClockEvent) -> None:
        self._promise = promise
        self._calendar = calendar
        self.start = beijing_day(opened.at)
        self._limit = opened.working_days or promise.working_days
        self._due = calendar.add(self.start, self._limit)
        self._held: date | None = None
        self._paused_on: date | None = None
        self._extended = 0
        self.is_pause_over = False
        self.holder = promise.holder
        self.submitted_on: date | None = None
        self.closed_on: date | None = None
        self.closing: EventKind | None = None

    @property
    def is_paused(self) -> bool:
        """Whether it stands still now."""
        return self._paused_on is not None and self.closed_on is None and not self.is_pause_over

    @property
    def total(self) -> int:
        """Working days from start to the last one, pauses left out."""
        return self._limit + self._extended

    def take(self, event: ClockEvent) -> None:
        """Let one more event happen."""
        day = beijing_day(event.at)
        if event.kind in CLOSING:
            self._resume(day)
            self.closed_on, self.closing = day, event.kind
        elif handler := _HANDLERS.get(event.kind):
            handler(self, event, day)

    def due_as_of(self, day: date) -> date:
        """The last day, a pause that still lasts counted up to a day."""
        due = self._due
        if self._paused_on is not None:
            days = max(0, self._calendar.count(self._paused_on, day))
            self.is_pause_over = days > self._promise.pause_limit_working_days
            due = self._calendar.add(due, min(days, self._promise.pause_limit_working_days))
        return max(due, self._held) if self._held else due

    def _pause(self, event: ClockEvent, day: date) -> None:
        is_listed = event.cause in self._promise.pause_causes
        if is_listed and self._paused_on is None and day <= self.due_as_of(day):
            self._paused_on = day

    def _resume(self, day: date) -> None:
        if self._paused_on is not None:
            self._due = self.due_as_of(day)
            self._paused_on = None

    def _extend(self, event: ClockEvent, day: date) -> None:
        left = self._promise.extension_working_days - self._extended
        days = min(event.working_days, left)
        if days > 0 and day <= self.due_as_of(day):
            self._due = self._calendar.add(self._due, days)
            self._extended += days

    def _hand_over(self, event: ClockEvent, day: date) -> None:
        is_submitted = event.kind is EventKind.SUBMITTED
        self.holder = Party.DATA_AUTHORITY if is_submitted else self._promise.holder
        self.submitted_on = day if is_submitted else None

    def _hold(self, event: ClockEvent, _day: date) -> None:
        self._held = max(filter(None, (self._held, event.due_on)), default=None)

    def _correct_end(self, event: ClockEvent, day: date) -> None:
        ended = event.due_on or day
        self._resume(ended)
        self.closed_on, self.closing = ended, EventKind.FULFILLED

    def _reopen(self, _event: ClockEvent, _day: date) -> None:
        self.closed_on = self.closing = None
        self.holder, self.submitted_on = self._promise.holder, None


_HANDLERS = {
    EventKind.PAUSED: _Course._pause,
    EventKind.RESUMED: lambda course, _event, day: course._resume(day),
    EventKind.EXTENDED: _Course._extend,
    EventKind.SUBMITTED: _Course._hand_over,
    EventKind.RETURNED: _Course._hand_over,
    EventKind.HELD: _Course._hold,
    EventKind.REOPENED: _Course._reopen,
    EventKind.END_CORRECTED: _Course._correct_end,
}


def _state(course: _Course, promise: Promise, remaining: int, until: date, due: date) -> ClockState:
    if course.closing is EventKind.WITHDRAWN:
        return ClockState.WITHDRAWN
    if course.closed_on is not None:
        return ClockState.MET if until <= due else ClockState.MET_LATE
    if course.is_paused:
        return ClockState.PAUSED
    if until > due:
        return ClockState.RED
    is_near = _is_near(promise, course.total, remaining)
    return ClockState.YELLOW if is_near else ClockState.GREEN


def _is_near(promise: Promise, total: int, remaining: int) -> bool:
    if promise.warning_percent is None:
        return remaining <= promise.warning_lead_days
    return remaining * 100 <= total * (100 - promise.warning_percent)
