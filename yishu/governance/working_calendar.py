"""The calendar in force: the catalog's files, and the notices and orders loaded over them.

Loading a notice computes every open clock anew. What moves is put on record and into the journal;
a last day never moves to where it has already passed.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from catalog.model import CatalogView
from catalog.roles import Action
from yishu.clocks import ClockEvent, EventKind, WorkingDays, beijing_day
from yishu.clocks.table import DayTable, decoded, read_local, read_notice, read_table
from yishu.governance.clock_rules import ClockRules, by_rule, clock_rules
from yishu.governance.permission import require
from yishu.governance.promises import Standing, clock_rows, judgeable, record_event, standings
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import CalendarLoad, ClockDue
from yishu.settings import Settings

NOTICE, LOCAL = "notice", "local"
_OF_NO_YEAR = 0


@dataclass(frozen=True)
class Moved:
    """A clock whose last day a calendar moved, or made certain; ``is_held``: it was kept."""

    clock_id: str
    object_id: str
    holder_org: str
    before: date
    after: date
    is_provisional: bool
    is_held: bool


@dataclass(frozen=True)
class Loaded:
    """What loading a file did; ``version`` 0: it was in force already, nothing changed."""

    calendar: WorkingDays
    version: int
    days: int
    moved: tuple[Moved, ...]


@dataclass(frozen=True)
class CalendarFile:
    """A file of days as somebody brought it: the notice for a year, or (None) all local days."""

    name: str
    content: bytes
    year: int | None

    @property
    def layer(self) -> str:
        """Which part of the calendar it replaces."""
        return LOCAL if self.year is None else NOTICE

    @property
    def object_id(self) -> str:
        """What the journal calls it."""
        return LOCAL if self.year is None else f"{NOTICE} {self.year}"

    def over(self, table: DayTable) -> DayTable:
        """The table with its days.

        Raises:
            CalendarFaulty: it cannot be what was published.
        """
        if self.year is None:
            return replace(table, local=read_local(self.name, self.content))
        days = read_notice(self.name, self.content, self.year)
        return replace(table, notices={**table.notices, self.year: days})


def rules_in_force(connection: Connection, catalog: CatalogView, settings: Settings) -> ClockRules:
    """By which rules clocks run in this installation."""
    return clock_rules(
        catalog,
        calendar_in_force(connection, days_folder(settings)),
        profile=settings.rule_profile,
        authority=settings.data_authority,
        operator=settings.data_operator,
    )


def days_folder(settings: Settings) -> Path:
    """Where the catalog keeps the working days."""
    return settings.catalog_dir / "working_days"


def calendar_in_force(connection: Connection, folder: Path) -> WorkingDays:
    """The calendar of a catalog folder ``working_days`` and of what was loaded."""
    return _calendar(folder, _stamp(folder), _loads(connection))


def _loads(connection: Connection) -> tuple[CalendarFile, ...]:
    """What was loaded; later versions come later and replace what the earlier ones said."""
    loads = CalendarLoad.__table__.c
    asked = select(loads.layer, loads.year, loads.file, loads.content).order_by(loads.version)
    return tuple(
        CalendarFile(row.file, row.content.encode(), None if row.layer == LOCAL else row.year)
        for row in connection.execute(asked)
    )


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when somebody changes a file of the folder."""
    with os.scandir(folder) as files:
        found = ((file.name, file.stat()) for file in files)
        return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))


@lru_cache(maxsize=8)
def _calendar(folder: Path, _: object, loads: tuple[CalendarFile, ...]) -> WorkingDays:
    # Laying out ten years of days takes longer than a whole page may.
    return WorkingDays(_table(folder, loads))


def _table(folder: Path, loads: Iterable[CalendarFile]) -> DayTable:
    table = read_table(folder)
    for file in loads:
        table = file.over(table)
    return table


def load(
    connection: Connection,
    folder: Path,
    file: CalendarFile,
    rules: ClockRules,
    *,
    actor: Actor,
    now: datetime,
) -> Loaded:
    """Put a notice or the local days into force; loaded again they change nothing.

    Raises:
        Forbidden: the actor may not.
        CalendarFaulty: the file cannot be what was published; nothing was changed.
    """
    require(actor, Action.LOAD_CALENDAR, file.object_id)
    before = _table(folder, _loads(connection))
    after = file.over(before)
    days = len(after.local if file.year is None else after.notices[file.year])
    old, new = WorkingDays(before), WorkingDays(after)
    if new.version == old.version:
        return Loaded(old, 0, days, ())
    version = _keep(connection, file, new, actor=actor, now=now)
    moved = _move(connection, replace(rules, calendar=old), replace(rules, calendar=new), now)
    changed = {
        "version": version,
        "sha256": hashlib.sha256(file.content).hexdigest(),
        "calendar_version": new.version,
        "moved": {one.clock_id: [one.before.isoformat(), one.after.isoformat()] for one in moved},
    }
    append(
        connection,
        Act(actor, Action.LOAD_CALENDAR, "calendar", file.object_id, now, after=changed),
    )
    return Loaded(new, version, days, moved)


def _keep(
    connection: Connection,
    file: CalendarFile,
    calendar: WorkingDays,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    year = file.year or _OF_NO_YEAR
    version = _next_version(connection, file.layer, year)
    values = {
        "layer": file.layer,
        "year": year,
        "version": version,
        "file": file.name,
        "content": decoded(file.name, file.content),
        "calendar_version": calendar.version,
        "loaded_at": now,
        "loaded_by": actor.account,
    }
    connection.execute(insert(CalendarLoad).values(values))
    return version


def _next_version(connection: Connection, layer: str, year: int) -> int:
    asked = select(func.coalesce(func.max(CalendarLoad.version), 0)).where(
        CalendarLoad.layer == layer, CalendarLoad.year == year
    )
    return int(connection.execute(asked).scalar_one()) + 1


def _move(
    connection: Connection, old: ClockRules, new: ClockRules, now: datetime
) -> tuple[Moved, ...]:
    rows, _ = judgeable(clock_rows(connection, is_open=True), new)
    pairs = zip(standings(rows, old, now), standings(rows, new, now), strict=True)
    moved = tuple(
        _moved(before, after, beijing_day(now))
        for before, after in pairs
        if (before.status.due_on, before.status.is_provisional)
        != (after.status.due_on, after.status.is_provisional)
    )
    for one in moved:
        if one.is_held:
            event = ClockEvent(EventKind.HELD, now, due_on=one.after)
            record_event(connection, one.clock_id, event, by_rule("calendar"))
    told = [
        {
            "clock_id": one.clock_id,
            "told_at": now,
            "due_on": one.after,
            "is_provisional": one.is_provisional,
            "calendar_version": new.calendar.version,
        }
        for one in moved
    ]
    insert_all(connection, ClockDue, told)
    return moved


def _moved(before: Standing, after: Standing, today: date) -> Moved:
    was, is_now = before.status.due_on, after.status.due_on
    # Nobody is made late by a calendar that comes after the day it would have had to be kept.
    is_held = is_now < was and is_now < today
    return Moved(
        clock_id=before.row.clock_id,
        object_id=before.row.object_id,
        holder_org=before.row.holder_org,
        before=was,
        after=was if is_held else is_now,
        is_provisional=after.status.is_provisional,
        is_held=is_held,
    )
