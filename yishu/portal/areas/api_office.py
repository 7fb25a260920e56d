"""The REST API, version 1, beside the catalog: sharing, objections, quality, journal, accounts.

What a role may do is what its pages may do; personal data are masked, and looks are on record.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, BackgroundTasks, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, select

from catalog.roles import Action, Role
from yishu.governance import accounts
from yishu.governance import objections as desk_of_objections
from yishu.governance.objections import ObjectionState, Step
from yishu.governance.period import Period
from yishu.governance.working_calendar import (
    CalendarFile,
    calendar_in_force,
    days_folder,
    load,
    rules_in_force,
)
from yishu.ledger import Ledger
from yishu.ledger.journal import Actor
from yishu.ledger.models import JournalRecord, ShareGrant
from yishu.ledger.statements import query
from yishu.portal import audit, credentials, figures
from yishu.portal.areas import journal, objections
from yishu.portal.areas.api import ERRORS, PAGE_ROWS, Json, Number
from yishu.portal.areas.sharing import OF_A_BODY, findings_of, only_for_parties
from yishu.portal.depends import Caller, Db, Here, Now, PermittedCaller
from yishu.portal.errors import NotFound
from yishu.portal.grants import seen_grant
from yishu.portal.paging import COUNTED
from yishu.portal.world import World
from yishu.sharing import deciding, filing, opening
from yishu.sharing.desk import Desk
from yishu.sharing.form import RequestForm
from yishu.sharing.house import House
from yishu.sharing.housekeeping import clear
from yishu.sharing.installed import house_of
from yishu.sharing.timeline import timeline
from yishu.sharing.vocabulary import RequestState

Taken = TypeVar("Taken")

router = APIRouter(prefix="/api/v1", responses=ERRORS)


def permitted_caller(action: Action) -> Any:
    """What gives the caller, if their role may do an action."""
    return Depends(PermittedCaller(action))


Officer = Annotated[Actor, permitted_caller(Action.FILE_REQUEST)]
Operator = Annotated[Actor, permitted_caller(Action.OPEN_CHANNEL)]
Objector = Annotated[Actor, permitted_caller(Action.RAISE_OBJECTION)]
Auditor = Annotated[Actor, permitted_caller(Action.READ_JOURNAL)]
Loader = Annotated[Actor, permitted_caller(Action.LOAD_CALENDAR)]
Administrator = Annotated[Actor, permitted_caller(Action.MANAGE_ACCOUNTS)]


class Said(BaseModel):
    """A step and what is said with it."""

    step: str = Field(max_length=40)
    reason: str = Field("", max_length=4_000)
    basis: str | None = Field(None, max_length=4_000)
    strike: tuple[str, ...] = Field((), max_length=500)


def house_at(here: Here, now: Now) -> House:
    """The house of sharing at the moment of the request."""
    return house_of(here.settings, here.engine, lambda: now, here.release())


InHouse = Annotated[House, Depends(house_at)]


def desk_of(house: InHouse, db: Db) -> Desk:
    """The sharing desk within the request's transaction."""
    return house.desk(db)


AtDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/requests", tags=["sharing"])
def requests(db: Db, actor: Caller, number: Number = 1) -> list[Json]:
    """Requests that concern the caller, those that wait for a decision first, 50 a page."""
    org = actor.org if actor.role in OF_A_BODY else None
    asked: Json = {"org": org, "own": actor.org, "counted": COUNTED + 1}
    asked |= {"limit": PAGE_ROWS, "offset": (number - 1) * PAGE_ROWS}
    return [dict(row._mapping) for row in db.execute(query("share_requests_page"), asked)]


@router.get("/requests/all", tags=["sharing"])
def every_request(
    db: Db, actor: Caller, org: str | None = None, state: str | None = None
) -> list[Json]:
    """Requests with their dates and grants; of a department those that it filed."""
    own = actor.org if actor.role in OF_A_BODY else org
    rows = db.execute(query("share_requests"), {"org": own, "state": state})
    return [
        dict(row._mapping)
        for row in rows
        if row.state != RequestState.DRAFT or row.consumer_org == actor.org
    ]


@router.post("/requests", tags=["sharing"])
def file_request(desk: AtDesk, actor: Officer, form: Json) -> Json:
    """Keep a draft; it may lack anything."""
    return {"request_id": filing.draft(desk, filing.parse(form), actor)}


@router.get("/requests/{request_id}", tags=["sharing"])
def request(desk: AtDesk, actor: Caller, request_id: str) -> Json:
    """One request with the check of its elements, for its parties and those who decide."""
    row = desk.request(request_id, lock=False)
    only_for_parties(row, actor)
    shown = ("request_id", "state", "kind", "consumer_org", "form", "received_at", "decided_at")
    form = RequestForm.model_validate(row.form)
    findings = findings_of(desk, form, filing.object_of(desk, form))
    return {name: row._mapping[name] for name in shown} | {"findings": findings}


@router.get("/requests/{request_id}/timeline", tags=["sharing"])
def course(here: Here, db: Db, desk: AtDesk, actor: Caller, request_id: str) -> Json:
    """What both sides see of a request: steps, clocks, and what comes next."""
    only_for_parties(desk.request(request_id, lock=False), actor)
    return timeline(desk, request_id, calendar_in_force(db, days_folder(here.settings))).plain()


@router.post("/requests/{request_id}/steps", tags=["sharing"])
def step_of_request(desk: AtDesk, actor: Caller, request_id: str, said: Said) -> Json:
    """Take a step: consent, submit, withdraw, return, grant, refuse."""
    is_authority = actor.role is Role.AUTHORITY_REVIEWER
    action = Action.DECIDE_REQUEST if is_authority else Action.REVIEW_REQUEST
    lines, reason = said.reason.splitlines(), said.reason
    steps: dict[str, Callable[[], object]] = {
        "consent": lambda: filing.consent(desk, request_id, actor),
        "submit": lambda: filing.submit(desk, request_id, actor),
        "withdraw": lambda: filing.withdraw(desk, request_id, actor),
        "return": lambda: filing.return_once(desk, request_id, lines, actor, action),
        "grant": lambda: deciding.grant(desk, request_id, actor, strike=said.strike, note=reason),
        "refuse": lambda: deciding.refuse(desk, request_id, actor, reason, basis=said.basis),
    }
    done = _known(request_id, said.step, steps)()
    grant_id = done if said.step == "grant" else None
    state = desk.request(request_id).state
    return {"request_id": request_id, "state": state, "grant_id": grant_id}


@router.get("/grants/{grant_id}", tags=["sharing"])
def grant(desk: AtDesk, actor: Caller, grant_id: str) -> Json:
    """A grant and the state of its channel, for its parties."""
    row = seen_grant(desk, grant_id, actor)
    hidden = {"decided_by", "opened_by"}
    return {name: value for name, value in row._mapping.items() if name not in hidden}


@router.post("/grants/{grant_id}/steps", tags=["sharing"])
def step_of_grant(
    here: Here,
    desk: AtDesk,
    actor: Operator,
    *,
    grant_id: str,
    said: Said,
    later: BackgroundTasks,
) -> Json:
    """Open (the token is told once), suspend, resume or close a channel."""
    if said.step == "open":
        issued = opening.open_channel(desk, grant_id, actor)
        told = {"token": issued.token, "expires_at": issued.expires_at}
        return {"grant_id": grant_id, "state": "open", **told}
    steps = {"suspend": opening.suspend, "resume": opening.resume, "close": opening.close}
    _known(grant_id, said.step, steps)(desk, grant_id, actor, said.reason)
    if said.step == "close":
        # After the answer, so that the closing is committed and nobody builds the bytes again.
        later.add_task(clear, house_of(here.settings, here.engine, here.clock, here.release()))
    return {"grant_id": grant_id, "state": desk.grant(grant_id).state}


@router.get("/entries/{entry_id}/grants", tags=["sharing"])
def grants_on(db: Db, _: Caller, entry_id: str) -> list[Json]:
    """Who uses an entry: grants on it, newest first, at most 200."""
    columns = (ShareGrant.grant_id, ShareGrant.consumer_org, ShareGrant.state, ShareGrant.columns)
    asked = select(*columns).where(ShareGrant.object_id == entry_id)
    rows = db.execute(asked.order_by(ShareGrant.grant_id.desc()).limit(200))
    return [dict(row._mapping) for row in rows]


@router.get("/objections", tags=["objections"])
def objections_listed(
    db: Db,
    actor: Caller,
    state: ObjectionState | None = None,
    org: str | None = None,
    number: Number = 1,
) -> list[Json]:
    """Objections, oldest first, of all bodies or one, 50 a page; of a department its own."""
    org = actor.org if actor.role in objections.OF_A_BODY else org
    first = (number - 1) * PAGE_ROWS
    found = desk_of_objections.objections(db, org=org, state=state, offset=first, limit=PAGE_ROWS)
    return [asdict(one) for one in found]


@router.post("/objections", tags=["objections"])
def object_to(here: Here, db: Db, now: Now, actor: Objector, given: objections.Objected) -> Json:
    """Raise an objection."""
    new = objections.objection_of(here, actor, given)
    return {"objection_id": desk_of_objections.raise_objection(db, new, here.release(), actor, now)}


@router.get("/objections/{number}", tags=["objections"])
def objection(db: Db, now: Now, actor: Caller, number: str) -> Json:
    """One objection with its whole course; its key is masked, and the look goes on record."""
    found = objections.seen(desk_of_objections.objection(db, number), actor)
    if found.key_masked:
        audit.looked(db, actor, now, object_kind="objection", object_id=number)
    steps = [
        {"state": one.state, "at": one.at, "role": one.role, "org": one.org, "note": one.note}
        for one in desk_of_objections.history(db, number)
    ]
    return {**asdict(found), "steps": steps}


@router.get("/objections/{number}/course", tags=["objections"])
def course_of_objection(db: Db, now: Now, actor: Caller, number: str) -> Json:
    """The same as its list, its steps with their persons as the page shows them, its evidence."""
    found = objections.seen(desk_of_objections.objection(db, number), actor)
    if found.key_masked:
        audit.looked(db, actor, now, object_kind="objection", object_id=number)
    files = [asdict(one) for one in desk_of_objections.evidence(db, number)]
    return {
        "objection": asdict(found),
        "steps": [asdict(one) for one in desk_of_objections.history(db, number)],
        "evidence": [{k: v for k, v in one.items() if k != "content"} for one in files],
    }


class Moved(BaseModel):
    """The state that a step leads to, and what is said."""

    state: ObjectionState
    note: str | None = Field(None, max_length=4_000)


@router.post("/objections/{number}/steps", tags=["objections"])
def step_of_objection(db: Db, now: Now, actor: Caller, number: str, given: Moved) -> Json:
    """Take a step."""
    state = desk_of_objections.move(db, number, Step(given.state, given.note), actor, now)
    return {"objection_id": number, "state": state}


@router.get("/quality/{period}", tags=["quality"])
def scores(here: Here, db: Db, now: Now, _: Caller, period: str) -> Json:
    """The figures of a month or quarter, each with its numerator and denominator."""
    return figures.desk_of(here, db, now).scores(Period.parse(period)).to_json()


@router.get("/entries/{entry_id}/verdicts/latest", tags=["quality"])
def verdict(here: Here, db: Db, _: Caller, entry_id: str) -> Json:
    """The checks of an entry's latest validated run."""
    return verdict_of(here, db, entry_id)


def verdict_of(here: World, db: Connection, entry_id: str, run: str | None = None) -> Json:
    """The checks of a run of an entry, or of its latest.

    Raises:
        NotFound: it was not validated.
    """
    found = Ledger(db).verdict(here.release().entry(entry_id).id, run)
    if found is None:
        raise _not_here(entry_id, "a run that was validated")
    return asdict(found)


@router.get("/journal", tags=["journal"])
def records(db: Db, _: Auditor, asked: Annotated[journal.Asked, Query()]) -> list[Json]:
    """Records, newest first, 50 a page."""
    wanted = journal.chosen(select(JournalRecord.__table__), asked)
    newest = wanted.order_by(JournalRecord.number.desc()).limit(PAGE_ROWS)
    rows = db.execute(newest.offset((asked.page - 1) * PAGE_ROWS))
    shown = ("number", "at", "account", "role", "org", "action", "object_kind", "object_id",
             "reason", "before", "after")  # fmt: skip
    return [{name: row._mapping[name] for name in shown} for row in rows]


class Notice(BaseModel):
    """A State Council notice as CSV, or (``year`` null) the days that the city itself ordered."""

    name: str = Field(max_length=120)
    content: str = Field(max_length=200_000)
    year: int | None = Field(None, ge=2004, le=2050)


@router.post("/calendar", tags=["clocks"])
def load_days(here: Here, db: Db, now: Now, actor: Loader, given: Notice) -> Json:
    """Load working days; open clocks are computed anew."""
    rules = rules_in_force(db, here.release(), here.settings)
    file = CalendarFile(given.name, given.content.encode(), given.year)
    done = load(db, days_folder(here.settings), file, rules, actor=actor, now=now)
    return {"version": done.version, "days": done.days, "moved": len(done.moved)}


class NewAccount(BaseModel):
    """An account to make."""

    account: str = Field(pattern=r"^[a-z][a-z0-9_.]{1,60}$")
    person: str = Field(min_length=1, max_length=60)
    name: str = Field(min_length=1, max_length=60)
    role: Role
    org: str = Field(min_length=1, max_length=80)


@router.get("/accounts", tags=["accounts"])
def accounts_listed(db: Db, _: Administrator) -> list[Json]:
    """Every account."""
    return accounts.listed(db)


@router.post("/accounts", tags=["accounts"])
def make_account(db: Db, now: Now, by: Administrator, given: NewAccount) -> Json:
    """Make an account; its first password is told once."""
    made = Actor(given.person, given.account, given.role, given.org)
    accounts.register(db, made, given.name, by, now)
    password = credentials.reset(db, given.account, by, now)
    return {"account": given.account, "first_password": password}


def _known(object_id: str, step: str, steps: dict[str, Taken]) -> Taken:
    if step not in steps:
        raise _not_here(object_id, f"one of the steps {', '.join(steps)}")
    return steps[step]


def _not_here(object_id: str, expected: str) -> NotFound:
    return NotFound(
        object_id,
        found="nothing of that kind",
        expected=expected,
        remedy="look at the description of the API: /api/v1/openapi.json",
    )
