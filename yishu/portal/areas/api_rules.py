"""The REST API, version 1: by which rules the installation runs, waivers, where notices go."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from catalog.model import Scope
from catalog.roles import Action, Role
from catalog.vocabulary import QualityDimension, Severity
from expectations.rulebook import RuleVersion, Waiver, rulebook
from yishu.governance.notices import Channel
from yishu.governance.working_calendar import calendar_in_force, days_folder
from yishu.ledger.journal import Actor
from yishu.portal.areas.api import ERRORS, Json
from yishu.portal.areas.api_office import Administrator, permitted_caller
from yishu.portal.areas.rules import Addressed, addresses, change_address, decisions, stuck
from yishu.portal.areas.waivers import Wanted, add_waiver, checks_of
from yishu.portal.depends import Caller, Db, Here, Now

router = APIRouter(prefix="/api/v1", tags=["rules"], responses=ERRORS)

Manager = Annotated[Actor, permitted_caller(Action.MANAGE_RULES)]


class Calendar(BaseModel):
    """Of which years the working days are known; ``missing``: the first that is needed and not."""

    covered: list[int]
    missing: int | None
    version: str


class Rules(BaseModel):
    """Profiles by id with their promises, the one in force, and the calendar of working days."""

    profiles: dict[str, Json]
    in_force: str
    calendar: Calendar


class DecidedCheck(BaseModel):
    """What was decided about a check of an entry: how strict it is, or that it is waived."""

    entry: str
    rule: RuleVersion | None = None
    waiver: Waiver | None = None


class Asked(BaseModel):
    """A check of an entry as it is today: what it demands, in both languages, and how strictly."""

    id: str
    text_zh: str
    text_en: str
    dimension: QualityDimension
    severity: Severity
    threshold: float | None


class Waived(BaseModel):
    """Which check is set aside until which day, for which rows (null: all), and why."""

    check: str = Field(max_length=200)
    scope: Scope | None = None
    until: date
    reason: str = Field(min_length=1, max_length=500)


class Address(BaseModel):
    """Where notices to a role of a body go besides the portal."""

    org: str
    role: Role
    channel: Channel
    address: str


class Stuck(BaseModel):
    """A notice that could not be sent yet, and when it is tried again."""

    key: str
    channel: Channel
    address: str
    tries: int
    next_try_at: datetime
    last_error: str | None


@router.get("/rules")
def rules(here: Here, db: Db, _: Manager) -> Rules:
    """Profiles and calendar, as they are today."""
    calendar = calendar_in_force(db, days_folder(here.settings))
    known = Calendar(
        covered=sorted(calendar.covered),
        missing=calendar.missing_year(here.today()),
        version=calendar.version,
    )
    profiles = here.release().profiles.items()
    return Rules(
        profiles={name: one.model_dump(mode="json") for name, one in profiles},
        in_force=here.settings.rule_profile,
        calendar=known,
    )


@router.get("/rules/decisions")
def decided(here: Here, _: Manager) -> list[DecidedCheck]:
    """Every check whose strictness was changed, and every waiver, also those that are over."""
    found = decisions(here, here.today())
    waived = [DecidedCheck(entry=id_, waiver=one) for id_, _name, one in found["waivers"]]
    return [*waived, *(DecidedCheck(entry=id_, rule=one) for id_, _name, one in found["versions"])]


@router.get("/entries/{entry_id}/checks")
def checks(here: Here, now: Now, _: Caller, entry_id: str) -> list[Asked]:
    """The checks of an entry today."""
    found = checks_of(here, entry_id, now)
    return [Asked.model_validate(one, from_attributes=True) for one in found]


@router.get("/entries/{entry_id}/waivers")
def waivers(here: Here, _: Manager, entry_id: str) -> tuple[Waiver, ...]:
    """The waivers of an entry, also those that are over."""
    return rulebook(here.release().entry(entry_id).id, here.suites).waivers


@router.post("/entries/{entry_id}/waivers")
def waive(here: Here, db: Db, now: Now, actor: Manager, *, entry_id: str, given: Waived) -> Waiver:
    """Waive a check from today on, on record with the name of who decided."""
    wanted = Wanted(entry_id, given.check, given.scope, given.until, given.reason)
    return add_waiver(here, db, wanted, actor, now)


@router.get("/addresses")
def addressed(db: Db, _: Administrator) -> list[Address]:
    """Where notices go besides the portal, by body and role."""
    return [Address.model_validate(row._mapping) for row in addresses(db)]


@router.post("/addresses")
def address(db: Db, now: Now, actor: Administrator, given: Addressed) -> Addressed:
    """Let notices to a role of a body go to an address, or (``drop``) no longer."""
    change_address(db, given, actor, now)
    return given


@router.get("/addresses/stuck")
def unsent(db: Db, _: Administrator) -> list[Stuck]:
    """Notices that could not be sent yet, the most tried first, at most 50."""
    return [Stuck.model_validate(row._mapping) for row in stuck(db)]
