"""The sweep: looks at every clock, issues cards, orders supervision, reminds, escalates.

It may run at any time and as often as one likes: what is there is not made twice. Days that were
missed are made up for in their order, each judged as it stood at its end, so that no downtime
loses a card. All that a sweep writes is one transaction, and the number of statements does not
grow with the number of clocks.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from catalog.collector import uncollected
from catalog.roles import Action
from yishu.clocks import BEIJING, ClockState, beijing_day
from yishu.clocks.duty import reached
from yishu.governance.cards import Colour, NewCard, issue, order_supervision, standing_red, withdraw
from yishu.governance.clock_rules import ClockRules, by_rule
from yishu.governance.digests import Reminder, digests
from yishu.governance.notices import enqueue_all
from yishu.governance.promises import ClockRow, Standing, clock_rows, judgeable, standings
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Act, append
from yishu.ledger.models import Clock, ClockDue, ClockReminder, Sweep

logger = logging.getLogger(__name__)

_LOCK = 0x73776570
"""Advisory lock number of a sweep ("swep"): two at once take turns."""

_MOVED_ON = "截止日已顺延，不再逾期"
_LATE = (ClockState.RED, ClockState.MET_LATE)
_RUNS = (ClockState.GREEN, ClockState.YELLOW, ClockState.RED)


@dataclass(frozen=True)
class Swept:
    """What a sweep found and did.

    Attributes:
        days: The days it made up for and today, in order.
        orphans: Clocks of bodies that are not in the catalog any more; the data authority has them.
        unjudged: Clocks of a promise that no profile makes any more.
    """

    days: tuple[date, ...]
    clocks: int
    yellow: int
    red: int
    withdrawn: int
    orders: int
    reminders: int
    notices: int
    orphans: tuple[str, ...]
    unjudged: tuple[str, ...]


@dataclass
class _Found:
    """What the days of a sweep bring together."""

    cards: list[NewCard] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    last: list[Standing] = field(default_factory=list)


def sweep(
    connection: Connection, rules: ClockRules, now: datetime, *, reminds: bool = True
) -> Swept:
    """Sweep today and every day that was missed, in the caller's transaction.

    ``reminds``: also send digests of reminders; the hourly sweep does not, so that nobody gets
    more than one a day.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    today = beijing_day(now)
    days = _days(_last_swept(connection), today)
    since = datetime.combine(days[0], time(), BEIJING)
    with uncollected():
        rows = clock_rows(connection, is_open=True, closed_since=since)
        judged, unjudged = judgeable(rows, rules)
        found = _look(judged, rules, days, now, reminds=reminds)
        return _write(connection, rules, found, unjudged, days=days, now=now)


def _look(
    rows: Sequence[ClockRow],
    rules: ClockRules,
    days: Sequence[date],
    now: datetime,
    *,
    reminds: bool,
) -> _Found:
    """What each day shows, in order; judged as at its end, today as at the present moment."""
    found = _Found()
    for day in days:
        moment = min(datetime.combine(day, time.max, BEIJING), now)
        found.last = list(standings(_as_of(rows, moment), rules, moment, beside=False))
        for one in found.last:
            found.cards.extend(_cards(one, day))
    if reminds:
        found.reminders = [reminder for one in found.last for reminder in _reminders(one)]
    return found


def _write(
    connection: Connection,
    rules: ClockRules,
    found: _Found,
    unjudged: Sequence[str],
    *,
    days: Sequence[date],
    now: datetime,
) -> Swept:
    made = issue(connection, found.cards, rules, now)
    running = {one.row.clock_id for one in found.last if one.status.closed_on is None}
    late = [card for card in made if card.standing.row.clock_id in running]
    orders = order_supervision(connection, late, rules, now)
    withdrawn = _withdraw(connection, found.last, now)
    told = _remind(connection, found.reminders, days[-1])
    notices = enqueue_all(connection, list(digests(told, rules, now)))
    _tell_dues(connection, found.last, rules, now)
    swept = Swept(
        days=tuple(days),
        clocks=len(found.last) + len(unjudged),
        yellow=sum(card.colour is Colour.YELLOW for card in made),
        red=sum(card.colour is Colour.RED for card in made),
        withdrawn=withdrawn,
        orders=orders,
        reminders=len(told),
        notices=notices,
        orphans=_orphans(found.last, rules),
        unjudged=tuple(unjudged),
    )
    _remember(connection, swept, made, now)
    if unjudged:
        logger.warning("Clocks of promises that no profile makes: %s", ", ".join(unjudged))
    return swept


def _last_swept(connection: Connection) -> date | None:
    return connection.execute(select(func.max(Sweep.day))).scalar()


def _days(last: date | None, today: date) -> list[date]:
    if last is None or last >= today:
        return [today]
    return [last + timedelta(days=n) for n in range(1, (today - last).days + 1)]


def _as_of(rows: Sequence[ClockRow], moment: datetime) -> Iterator[ClockRow]:
    """The clocks as they were at a moment."""
    for row in rows:
        if all(event.at <= moment for event in row.events):
            yield row
        elif row.received_at <= moment:
            yield row._replace(events=tuple(e for e in row.events if e.at <= moment))


def _cards(one: Standing, day: date) -> Iterator[NewCard]:
    if one.status.state is ClockState.YELLOW:
        yield NewCard(one, Colour.YELLOW, day)
    elif one.status.state in _LATE:
        yield NewCard(one, Colour.RED, day)


def _reminders(one: Standing) -> Iterator[Reminder]:
    step = reached(one.status.remaining) if one.status.state in _RUNS else None
    if step is not None:
        yield Reminder(one, step)


def _withdraw(connection: Connection, last: Sequence[Standing], now: datetime) -> int:
    red = standing_red(connection)
    healed = [one for one in last if one.row.clock_id in red and one.status.state not in _LATE]
    return withdraw(connection, healed, now, why=_MOVED_ON) if healed else 0


def _remind(connection: Connection, reminders: Sequence[Reminder], today: date) -> list[Reminder]:
    """Note the thresholds that are new; which these are."""
    by_key = {reminder.key: reminder for reminder in reminders}
    rows = [
        {"clock_id": clock_id, "due_on": due_on, "threshold": threshold, "told_on": today}
        for clock_id, due_on, threshold in by_key
    ]
    made = insert_all(connection, ClockReminder, rows)
    new = [by_key[row.clock_id, row.due_on, row.threshold] for row in made]
    return sorted(new, key=lambda reminder: reminder.order)


def _tell_dues(
    connection: Connection, last: Sequence[Standing], rules: ClockRules, now: datetime
) -> None:
    """Keep each last day together with the calendar that gave it, whenever it changes (SUP-05)."""
    newest = (
        select(ClockDue.clock_id, ClockDue.due_on, ClockDue.is_provisional)
        .join(Clock, Clock.clock_id == ClockDue.clock_id)
        .where(Clock.closed_at.is_(None))
        .order_by(ClockDue.told_at)
    )
    told = {row.clock_id: (row.due_on, row.is_provisional) for row in connection.execute(newest)}
    rows = [
        {
            "clock_id": one.row.clock_id,
            "told_at": now,
            "due_on": one.status.due_on,
            "is_provisional": one.status.is_provisional,
            "calendar_version": rules.calendar.version,
        }
        for one in last
        if one.status.state in _RUNS
        and told.get(one.row.clock_id) != (one.status.due_on, one.status.is_provisional)
    ]
    insert_all(connection, ClockDue, rows)


def _orphans(last: Sequence[Standing], rules: ClockRules) -> tuple[str, ...]:
    return tuple(
        one.row.clock_id
        for one in last
        if one.row.closed_at is None and one.row.holder_org not in rules.departments
    )


def _remember(connection: Connection, swept: Swept, made: Sequence[NewCard], now: datetime) -> None:
    keys = sorted(f"{id_} {colour} {due}" for id_, colour, due in (card.key for card in made))
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    values = {
        "day": swept.days[-1],
        "swept_at": now,
        "clocks": swept.clocks,
        "cards": len(made),
        "reminders": swept.reminders,
        "digest": digest,
    }
    statement = insert(Sweep).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["day"], set_=values))
    if made or swept.withdrawn or swept.reminders:
        after = {
            "days": [day.isoformat() for day in swept.days],
            "yellow": swept.yellow,
            "red": swept.red,
            "withdrawn": swept.withdrawn,
            "orders": swept.orders,
            "reminders": swept.reminders,
            "cards_sha256": digest,
        }
        act = Act(
            by_rule("sweep"), Action.SWEEP_CLOCKS, "sweep", str(swept.days[-1]), now, after=after
        )
        append(connection, act)
