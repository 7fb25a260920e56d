"""The REST API, version 1: protection levels of systems, incidents by phase, the last drill."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from catalog.roles import Action
from catalog.vocabulary import IncidentPhase
from yishu.governance import security
from yishu.governance.security import Incident, System
from yishu.ledger.backup import Drill, last_drill
from yishu.ledger.journal import Actor
from yishu.portal.areas.api import ERRORS, PAGE_ROWS, Number
from yishu.portal.areas.api_office import permitted_caller
from yishu.portal.areas.protection import LEAD_DAYS, admit
from yishu.portal.areas.protection import Number as IncidentNumber
from yishu.portal.depends import Caller, Db, Here, Now

router = APIRouter(prefix="/api/v1/protection", tags=["protection"], responses=ERRORS)

Keeper = Annotated[Actor, permitted_caller(Action.KEEP_SECURITY)]
Text = Annotated[str, Field(max_length=4_000)]


def reader(actor: Caller) -> Actor:
    """Who reads the register."""
    return admit(actor)


Reader = Annotated[Actor, Depends(reader)]


class KeptSystem(BaseModel):
    """What the register holds of a system; ``assessed_on`` null: it was never assessed."""

    name: str = Field(max_length=200)
    org: str = Field(max_length=80)
    level: int = Field(ge=-(2**31), lt=2**31)
    filing: str | None = Field(None, max_length=80)
    assessed_on: date | None = None


class Opened(BaseModel):
    """What happened to a system of the register."""

    system_id: str = Field(max_length=80)
    title: Text


class Recorded(BaseModel):
    """What was done in the next phase of an incident."""

    phase: IncidentPhase
    text: Text


class Alarm(BaseModel):
    """What is wrong with a system's protection; ``due_on`` null: at once."""

    system_id: str
    responsible_org: str
    text_zh: str
    due_on: date | None


class Happened(BaseModel):
    """An incident: what was done in each phase so far; ``next_phase`` null: all five are done."""

    incident: int
    system_id: str
    title: str
    found_at: datetime
    steps: dict[IncidentPhase, str]
    next_phase: IncidentPhase | None

    @classmethod
    def of(cls, one: Incident) -> "Happened":
        """The same as what a program is told."""
        return cls.model_validate(one, from_attributes=True)


@router.get("/systems")
def systems(db: Db, _: Reader) -> list[System]:
    """The register of protected systems, in order of ids."""
    return security.systems(db)


@router.get("/alerts")
def alerts(here: Here, db: Db, _: Reader) -> list[Alarm]:
    """Systems whose assessment is missing, over, or due within 30 days."""
    found = security.alerts(db, here.today(), LEAD_DAYS)
    return [Alarm.model_validate(one, from_attributes=True) for one in found]


@router.put("/systems/{system_id}")
def keep(db: Db, now: Now, actor: Keeper, system_id: str, given: KeptSystem) -> System:
    """Put a system on the register, or what is new of it."""
    system = System(
        system_id, given.name, given.org, given.level, given.filing or None, given.assessed_on
    )
    security.keep(db, system, actor, now)
    return system


@router.get("/incidents")
def incidents(db: Db, _: Reader, number: Number = 1) -> list[Happened]:
    """Incidents with what was done about each, newest first, 50 a page."""
    found = security.incidents(db)[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    return [Happened.of(one) for one in found]


@router.post("/incidents")
def open_incident(db: Db, now: Now, actor: Keeper, given: Opened) -> Happened:
    """Put an incident on record; its five phases follow."""
    return Happened.of(security.open_incident(db, given.system_id, given.title, actor, now))


@router.post("/incidents/{number}/phases")
def record_phase(
    db: Db, now: Now, actor: Keeper, number: IncidentNumber, given: Recorded
) -> Happened:
    """Put on record what was done in the next phase; the phases have one order."""
    done = security.record_phase(db, number, given.phase, given.text, by=actor, at=now)
    return Happened.of(done)


@router.get("/drill")
def drill(here: Here, _: Reader) -> Drill | None:
    """The last practised restore; null: there was none."""
    return last_drill(here.settings)
