"""The REST API, version 1: what comes after a draft and a grant: checks, registers, recalls."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from catalog.roles import Action
from yishu.ledger.journal import Actor
from yishu.portal.areas.api import ERRORS, PAGE_ROWS, Json, Number, saved
from yishu.portal.areas.api_office import (
    AtDesk,
    InHouse,
    Officer,
    permitted_caller,
)
from yishu.portal.areas.share_changes import AGAIN, REGISTERS, delivered, own
from yishu.portal.depends import Caller, Db, Here
from yishu.portal.grants import last_uses, registered, seen_grant
from yishu.portal.share_form import Advice, advice
from yishu.sharing import deciding, filing, handover
from yishu.sharing.desk import Desk
from yishu.sharing.errors import Missing
from yishu.sharing.form import missing
from yishu.sharing.recall import recall
from yishu.sharing.vocabulary import RegisterKind

router = APIRouter(prefix="/api/v1", tags=["sharing"], responses=ERRORS)

Closer = Annotated[Actor, permitted_caller(Action.CLOSE_CHANNEL)]


class Batch(BaseModel):
    """Requests to consent to, all or none; elements that none is granted, and what is said."""

    requests: list[str] = Field(min_length=1, max_length=500)
    strike: tuple[str, ...] = Field((), max_length=500)
    note: str = Field("", max_length=4_000)


class Checked(BaseModel):
    """What a form lacks, beside the head's consent, and what is told before it is filed."""

    lacking: list[Missing]
    advice: Advice


class KeptRequest(BaseModel):
    """The request that holds what was sent."""

    request_id: str


class Used(BaseModel):
    """One call of a channel, served or denied; ``reason`` says why it was denied."""

    at: datetime
    channel: str
    purpose_code: str | None
    case_no: str | None
    rows: int | None
    outcome: str
    reason: str | None


class Registered(BaseModel):
    """How a grant's data were used on a day, or what became of them after its end."""

    kind: RegisterKind
    on_day: date
    note: str = Field(max_length=4_000)


class Delivered(BaseModel):
    """One delivery of an object's data: which version, to whom, and whether it was recalled."""

    delivery_id: str
    grant_id: str
    consumer_org: str
    channel: str
    state: str
    table_version: int
    sent: int
    started_at: datetime
    finished_at: datetime | None
    recalled_at: datetime | None
    recall_reason: str | None


class Recall(BaseModel):
    """Up to which version deliveries are called back, and why."""

    until_version: int = Field(ge=0, lt=2**31)
    reason: str = Field("", max_length=4_000)


class Recalled(BaseModel):
    """The numbers of the deliveries that were called back."""

    deliveries: list[str]


@router.post("/requests/check")
def check(here: Here, desk: AtDesk, actor: Caller, form: Json) -> Checked:
    """What a form lacks and what speaks for and against it; nothing is kept."""
    wanted = filing.parse(form)
    told = advice(here, desk, actor, wanted, wanted.service_items)
    lacking = missing(wanted, filing.object_of(desk, wanted), consented=True)
    return Checked(lacking=list(lacking), advice=told)


@router.post("/requests/batch")
def grant_many(desk: AtDesk, actor: Caller, given: Batch) -> dict[str, str | None]:
    """Consent to every request, or to none where one cannot be granted.

    Tells the grant of each; null: another seat has to consent yet.
    """
    return deciding.grant_all(desk, given.requests, actor, strike=given.strike, note=given.note)


@router.put("/requests/{request_id}")
def correct(desk: AtDesk, actor: Officer, request_id: str, form: Json) -> KeptRequest:
    """Change a draft or a returned request of the own department; the head consents anew."""
    own(request_id, desk.request(request_id).consumer_org, actor)
    filing.edit(desk, request_id, filing.parse(form), actor)
    return KeptRequest(request_id=request_id)


@router.get("/grants/{grant_id}/uses")
def uses(desk: AtDesk, actor: Caller, grant_id: str) -> list[Used]:
    """The last calls of a channel, newest first, at most 50; the look goes on record."""
    seen_grant(desk, grant_id, actor)
    found = last_uses(desk, grant_id, actor, PAGE_ROWS)
    return [Used(**row._mapping) for row in found]


@router.get("/grants/{grant_id}/registers")
def registers(desk: AtDesk, actor: Caller, grant_id: str) -> list[Registered]:
    """What the department registered of a grant's data, the newest first."""
    seen_grant(desk, grant_id, actor)
    return [Registered.model_validate(row._mapping) for row in registered(desk, grant_id)]


@router.post("/grants/{grant_id}/registers")
def register(desk: AtDesk, actor: Officer, grant_id: str, given: Registered) -> Registered:
    """Register how a grant's data were used, or what became of them after its end."""
    REGISTERS[given.kind](desk, grant_id, given.on_day, given.note, actor)
    return given


@router.post("/grants/{grant_id}/renewals")
def renew(desk: AtDesk, actor: Officer, grant_id: str, form: Json) -> KeptRequest:
    """Draft a renewal of a grant of the own department."""
    return _again(desk, actor, grant_id, "renew", form)


@router.post("/grants/{grant_id}/changes")
def change(desk: AtDesk, actor: Officer, grant_id: str, form: Json) -> KeptRequest:
    """Draft a change of scope; the grant serves as before until it is decided."""
    return _again(desk, actor, grant_id, "change", form)


@router.get("/grants/{grant_id}/file", **saved("application/octet-stream"))
def file(house: InHouse, actor: Caller, grant_id: str) -> Response:
    """The file of a grant, for its department; on record in the caller's name."""
    handed = handover.take(house, grant_id, actor)
    return FileResponse(handed.file, headers=handed.headers())


@router.get("/recalls/{object_id}")
def deliveries(db: Db, _: Closer, object_id: str, number: Number = 1) -> list[Delivered]:
    """What was delivered of an object by any grant, the newest first, 50 a page."""
    rows = delivered(db, object_id, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    return [Delivered.model_validate(row._mapping) for row in rows]


@router.post("/recalls/{object_id}")
def call_back(desk: AtDesk, actor: Closer, object_id: str, given: Recall) -> Recalled:
    """Recall what was delivered up to a version, and tell everybody who was given it."""
    gone = recall(desk, object_id, given.until_version, given.reason, actor)
    return Recalled(deliveries=gone)


def _again(desk: Desk, actor: Actor, grant_id: str, again: str, form: Json) -> KeptRequest:
    own(grant_id, desk.grant(grant_id, lock=False).consumer_org, actor)
    return KeptRequest(request_id=AGAIN[again](desk, grant_id, filing.parse(form), actor))
