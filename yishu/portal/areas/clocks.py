"""The board of clocks, by last day, department and promise, as list and calendar; one clock."""

from calendar import Calendar
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from catalog.promise import ClockCause
from catalog.roles import Action
from catalog.vocabulary import ChangeCause
from yishu.clocks import ClockState, legs
from yishu.governance import clock_care
from yishu.governance.board import HEADINGS, cells, lines
from yishu.governance.catalog_clock import (
    PROMISE,
    Declared,
    accept_no_change,
    on_change,
    propose_no_change,
)
from yishu.governance.clock_rules import ClockRules
from yishu.governance.running import Alike, Month, alike, placed
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger.journal import Actor
from yishu.portal.depends import Db, Here, Now, caller, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.tables import workbook
from yishu.portal.world import World

router = APIRouter()
LINKS = (Link("时限", "/clocks", 40),)

PAGE_ROWS = 50
SHOWN_OF_A_DAY = 3
_RUNNING = (ClockState.RED, ClockState.YELLOW, ClockState.GREEN, ClockState.PAUSED)


class Asked(BaseModel):
    """What the board's form sends."""

    page: int = Field(1, ge=1)
    org: str = ""
    promise: str = ""
    state: str = ""
    month: str = Field("", pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")

    @property
    def query(self) -> str:
        """What was asked, as the query of an address."""
        asked = self.model_dump(exclude={"page", "month"})
        return urlencode({name: value for name, value in asked.items() if value})


class ExtensionForm(BaseModel):
    """What the form of an extension sends."""

    days: int = Field(ge=1)
    cause: ClockCause = ClockCause.SPECIAL_REASON
    reason: str = Field(min_length=1)
    requester: str | None = None


class PauseForm(BaseModel):
    """What the form of a pause sends."""

    cause: ClockCause
    reason: str = Field(min_length=1)


class ChangeForm(BaseModel):
    """A change that the authority registers; without an entry it concerns all of the body."""

    cause: ChangeCause
    org: str
    entry: str = ""
    changed_on: date
    reason: str = ""


@router.get("/clocks", include_in_schema=False)
def look(page: Reading, db: Db, asked: Annotated[Asked, Query()]) -> Response:
    """Every clock that runs: a list by last day, a month, and the counts by department."""
    rules = rules_in_force(db, page.world.release(), page.world.settings)
    every = alike(db, rules, page.now)
    chosen = _chosen(every, asked)
    month = date.fromisoformat(f"{asked.month or f'{page.world.today():%Y-%m}'}-01")
    weeks = Calendar().monthdatescalendar(month.year, month.month)
    found = placed(
        db, chosen, rules, page.now,
        offset=(asked.page - 1) * PAGE_ROWS,
        limit=PAGE_ROWS,
        month=Month(weeks[0][0], weeks[-1][-1], SHOWN_OF_A_DAY),
    )  # fmt: skip
    total = sum(one.clocks for one in chosen)
    return page.render(
        "clocks/board.html",
        asked=asked,
        part=Part.of(lines(found.listed, rules), total, asked.page, PAGE_ROWS),
        counts=_counts(every),
        running=_RUNNING,
        orgs=sorted(rules.departments.items()),
        promises=sorted({(one.name, one.promise.name) for one in every}),
        month=month,
        weeks=[[_day(day, found.of_days, chosen, rules) for day in week] for week in weeks],
        missing=rules.calendar.missing_year(page.world.today()),
        causes=(ChangeCause.FUNCTION_CHANGE, ChangeCause.LAW_CHANGE, ChangeCause.ELEMENT_CHANGE),
        today=page.world.today(),
    )


@router.get("/clocks/export.xlsx", include_in_schema=False)
def export(page: Reading, db: Db, asked: Annotated[Asked, Query()]) -> Response:
    """The board as a workbook."""
    rules = rules_in_force(db, page.world.release(), page.world.settings)
    found = placed(db, _chosen(alike(db, rules, page.now), asked), rules, page.now).listed
    return workbook("计时看板", HEADINGS, cells(lines(found, rules), rules.departments))


@router.get("/clocks/{clock_id}", include_in_schema=False)
def show(page: Reading, db: Db, clock_id: str) -> Response:
    """One clock: how it stands, its promise, its course, and who had it how long."""
    rules = rules_in_force(db, page.world.release(), page.world.settings)
    found = clock_care.standing(db, clock_id, rules, page.now)
    return page.render(
        "clocks/clock.html",
        found=found,
        holder=rules.org_of(found.status.holder, found.row.holder_org),
        legs=legs(found.promise, found.row.events, rules.calendar, page.now),
        is_running=found.row.closed_at is None,
        is_catalog=found.row.promise == PROMISE,
    )


@router.post("/clocks/changes", include_in_schema=False)
def report_change(
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.REPORT_CHANGE))],
    asked: Annotated[ChangeForm, Form()],
) -> Response:
    """Register a change of elements, function or law: the catalog's clock starts for each entry."""
    changed(page.world, db, asked, actor, page.now)
    return page.done(f"/clocks?org={asked.org}", "变化已登记，目录更新开始计时")


def changed(
    world: World, db: Connection, asked: ChangeForm, actor: Actor, now: datetime
) -> list[str]:
    """Register a change for one entry or all of a body; the ids of the clocks that run for it.

    Raises:
        NotCataloged: the catalog in force has no such entry.
        Forbidden: a department registers a change of another.
        ReasonMissing: nothing says what changed.
    """
    chosen = [world.release().entry(asked.entry)] if asked.entry else world.entries_of(asked.org)
    of = {one.id: one.provider_org for one in chosen}
    declared = Declared(of, asked.cause, asked.changed_on, asked.reason)
    return on_change(db, declared, world.settings.rule_profile, actor=actor, now=now)


@router.post("/clocks/{clock_id}/extend", include_in_schema=False)
def extend(
    clock_id: str,
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.EXTEND_CLOCK))],
    asked: Annotated[ExtensionForm, Form()],
) -> Response:
    """Consent to an extension."""
    wanted = clock_care.Extension(asked.days, asked.cause, asked.reason, asked.requester)
    clock_care.extend(db, clock_id, wanted, _rules(page, db), actor=actor, now=page.now)
    return page.done(f"/clocks/{clock_id}", "已批准延期")


@router.post("/clocks/{clock_id}/pause", include_in_schema=False)
def pause(
    clock_id: str,
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.PAUSE_CLOCK))],
    asked: Annotated[PauseForm, Form()],
) -> Response:
    """Let a clock stand still."""
    clock_care.pause(
        db, clock_id, asked.cause, asked.reason, _rules(page, db), actor=actor, now=page.now
    )
    return page.done(f"/clocks/{clock_id}", "已中止计时")


@router.post("/clocks/{clock_id}/resume", include_in_schema=False)
def resume(
    clock_id: str,
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.PAUSE_CLOCK))],
) -> Response:
    """Let it run on."""
    clock_care.resume(db, clock_id, _rules(page, db), actor=actor, now=page.now)
    return page.done(f"/clocks/{clock_id}", "已恢复计时")


@router.post("/clocks/{clock_id}/no-change", include_in_schema=False)
def no_change(
    clock_id: str,
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.ACCEPT_NO_CHANGE))],
    reason: Annotated[str, Form()],
) -> Response:
    """Accept that the catalog needs no change."""
    accept_no_change(db, clock_id, reason, actor=actor, now=page.now)
    return page.done(f"/clocks/{clock_id}", "已认定无需变更目录")


@router.post("/clocks/{clock_id}/propose-no-change", include_in_schema=False)
def propose(
    clock_id: str,
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.COMPILE_ENTRY))],
    reason: Annotated[str, Form()],
) -> Response:
    """Say, as the department, why the catalog needs no change: the authority holds the file."""
    propose_no_change(db, clock_id, reason, actor=actor, now=page.now)
    return page.done(f"/clocks/{clock_id}", "已提交无需变更的说明")


@router.get("/api/v1/clocks", tags=["clocks"], dependencies=[Depends(caller)])
def listed(here: Here, db: Db, now: Now, asked: Annotated[Asked, Query()]) -> list[dict[str, Any]]:
    """Clocks that run and fit what is asked, the earliest last day first, 50 a page."""
    rules = rules_in_force(db, here.release(), here.settings)
    chosen, first = _chosen(alike(db, rules, now), asked), (asked.page - 1) * PAGE_ROWS
    found = placed(db, chosen, rules, now, offset=first, limit=PAGE_ROWS).listed
    return [{**asdict(line), "due": line.due_text} for line in lines(found, rules)]


def _rules(page: Page, db: Db) -> ClockRules:
    return rules_in_force(db, page.world.release(), page.world.settings)


def _chosen(every: Sequence[Alike], asked: Asked) -> list[Alike]:
    return [
        one
        for one in every
        if asked.org in ("", one.holder_org, one.holder)
        and asked.promise in ("", one.name)
        and asked.state in ("", one.status.state.value)
    ]


def _counts(every: Sequence[Alike]) -> list[tuple[str, Counter[ClockState]]]:
    """Clocks of each state by who holds the file, the latest first."""
    found: defaultdict[str, Counter[ClockState]] = defaultdict(Counter)
    for one in every:
        found[one.holder][one.status.state] += one.clocks
    return sorted(found.items(), key=lambda one: ([-one[1][state] for state in _RUNNING], one[0]))


def _day(
    day: date,
    of_days: Sequence[tuple[str, Alike]],
    chosen: Sequence[Alike],
    rules: ClockRules,
) -> tuple[date, bool, list[tuple[str, Alike]], int]:
    """A day of the calendar: whether offices work, the first clocks due on it, and how many are."""
    due = [one for one in of_days if one[1].status.due_on == day]
    number = sum(one.clocks for one in chosen if one.status.due_on == day)
    return day, rules.calendar.is_working(day), due, number
