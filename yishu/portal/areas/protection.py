"""The security register: protection levels, assessments that fall due, incidents by phase."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from catalog.roles import Action, Role
from catalog.vocabulary import IncidentPhase
from yishu.governance import security
from yishu.governance.errors import Forbidden
from yishu.governance.security import System
from yishu.ledger.backup import last_drill
from yishu.ledger.journal import Actor
from yishu.portal.depends import Acting, Db, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading
from yishu.portal.tables import workbook
from yishu.portal.world import ZONE, World

router = APIRouter(prefix="/protection", include_in_schema=False)

READERS = frozenset({Role.CENTRE_OPERATOR, Role.AUTHORITY_REVIEWER, Role.AUDITOR})
"""Who keeps the register and who audits it; weak places of systems are nobody else's business."""

LINKS = (Link("网络安全", "/protection", 75, READERS),)

LEAD_DAYS = 30
SYSTEM_HEADINGS = ("系统", "名称", "责任单位", "等级", "备案号", "最近测评", "提醒")
INCIDENT_HEADINGS = ("编号", "系统", "事件", "发现时间", *(one.label_zh for one in IncidentPhase))

Number = Annotated[int, Path(ge=1, lt=2**31)]


def admit(actor: Actor) -> Actor:
    """Who may read the register.

    Raises:
        Forbidden: the role may not.
    """
    if actor.role not in READERS:
        raise Forbidden(
            "security register",
            found=f"{actor.account}, {actor.role.value} of {actor.org}",
            expected=f"one of {', '.join(sorted(READERS))}",
            remedy="ask the command centre",
        )
    return actor


def reader(actor: Acting) -> Actor:
    """Who reads its page."""
    return admit(actor)


Reader = Annotated[Actor, Depends(reader)]
Keeper = Annotated[Actor, Depends(permitted(Action.KEEP_SECURITY))]


@router.get("")
def look(page: Reading, db: Db, _: Reader) -> Response:
    """Systems with what is wrong with each, and incidents with the phase that comes next."""
    departments = page.world.release().departments.values()
    return page.render(
        "protection/protection.html",
        systems=security.systems(db),
        alerts=alerts_on(page.world, db),
        incidents=security.incidents(db),
        phases=tuple(IncidentPhase),
        levels=[(str(one), str(one)) for one in security.ASSESSMENT_DAYS],
        orgs=[(one.id, one.name) for one in departments],
        drill=last_drill(page.world.settings),
    )


@router.get("/systems.xlsx")
def export_systems(page: Reading, db: Db, _: Reader) -> Response:
    """The register, as a workbook."""
    alerts = alerts_on(page.world, db)
    rows = (
        [one.system_id, one.name, page.world.org_name(one.responsible_org), one.mlps_level,
         one.mlps_filing_no, one.mlps_assessed_on, alerts.get(one.system_id)]
        for one in security.systems(db)
    )  # fmt: skip
    return workbook("等级保护登记", SYSTEM_HEADINGS, rows)


@router.get("/incidents.xlsx")
def export_incidents(db: Db, _: Reader) -> Response:
    """The incidents with what was done in each phase, as a workbook."""
    rows = (
        [one.incident, one.system_id, one.title, f"{one.found_at.astimezone(ZONE):%Y-%m-%d %H:%M}",
         *(one.steps.get(phase) for phase in IncidentPhase)]
        for one in security.incidents(db)
    )  # fmt: skip
    return workbook("安全事件", INCIDENT_HEADINGS, rows)


class SystemForm(BaseModel):
    """What the register holds of a system; no day: it was never assessed."""

    system_id: str
    name: str
    org: str
    level: int
    filing: str = ""
    assessed_on: date | Literal[""] = ""


@router.post("/systems")
def keep(page: Reading, db: Db, actor: Keeper, given: Annotated[SystemForm, Form()]) -> Response:
    """Put a system on the register, or what is new of it."""
    day = given.assessed_on or None
    known = (given.system_id, given.name, given.org, given.level, given.filing or None, day)
    security.keep(db, System(*known), actor, page.now)
    return page.done("/protection", "系统已登记")


@router.post("/incidents")
def open_incident(
    page: Reading, db: Db, actor: Keeper, system_id: Annotated[str, Form()],
    title: Annotated[str, Form()],
) -> Response:  # fmt: skip
    """Put an incident on record."""
    security.open_incident(db, system_id, title, actor, page.now)
    return page.done("/protection", "安全事件已登记")


@router.post("/incidents/{number}")
def record_phase(
    page: Reading, db: Db, actor: Keeper, number: Number, *,
    phase: Annotated[IncidentPhase, Form()], text: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Put on record what was done in the next phase."""
    security.record_phase(db, number, phase, text, by=actor, at=page.now)
    return page.done("/protection", "处置情况已登记")


def alerts_on(world: World, db: Connection) -> dict[str, str]:
    """What is wrong with each system whose assessment is missing, over or due soon."""
    found = security.alerts(db, world.today(), LEAD_DAYS)
    return {one.system_id: one.text_zh for one in found}
