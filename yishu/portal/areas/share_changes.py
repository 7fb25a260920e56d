"""What comes after a draft: its correction and letters, a grant's renewal, change, file, recall."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from fastapi.responses import FileResponse
from sqlalchemy import Connection, Row, select

from catalog.roles import Action
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareDelivery, ShareGrant
from yishu.portal.areas.sharing import desk_of, form_page, house_at, sent
from yishu.portal.depends import Acting, Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.pages import Page, Reading
from yishu.portal.share_form import content_of, typed
from yishu.sharing import attachments, deciding, filing, handover, recall, register
from yishu.sharing.errors import RequestIncomplete
from yishu.sharing.form import RequestForm
from yishu.sharing.vocabulary import RegisterKind

router = APIRouter(include_in_schema=False)

Officer = Annotated[Actor, Depends(permitted(Action.FILE_REQUEST))]
Operator = Annotated[Actor, Depends(permitted(Action.CLOSE_CHANNEL))]
Given = Annotated[dict[str, str], Depends(sent)]

AGAIN = {"renew": filing.renew, "change": filing.change_scope}
REGISTERS = {
    RegisterKind.USE: register.register_use,
    RegisterKind.DISPOSAL: register.register_disposal,
}


@router.post("/sharing/batch")
def grant_many(
    page: Reading, db: Db, actor: Acting, chosen: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Consent to every chosen request, or to none where one cannot be granted."""
    granted = deciding.grant_all(desk_of(page, db), chosen or [], actor)
    return page.done("/sharing", "已办理" if granted else "没有选择任何申请")


@router.get("/sharing/{request_id}/edit")
def correct(page: Reading, db: Db, actor: Officer, request_id: str) -> Response:
    """The form of a draft or returned request, as it was filled in."""
    row = desk_of(page, db).request(request_id, lock=False)
    own(request_id, row.consumer_org, actor)
    form = RequestForm.model_validate(row.form)
    path = f"/sharing/{request_id}/edit"
    return form_page(page, db, actor, form, given=typed(form), action=path)


@router.post("/sharing/{request_id}/edit")
def keep(page: Reading, db: Db, actor: Officer, request_id: str, given: Given) -> Response:
    """Keep the correction; the head consents anew."""
    desk = desk_of(page, db)
    row = desk.request(request_id)
    own(request_id, row.consumer_org, actor)
    form = RequestForm.model_validate(row.form)
    try:
        filing.edit(desk, request_id, filing.parse(content_of(form.object_id, given)), actor)
    except RequestIncomplete as wrong:
        path = f"/sharing/{request_id}/edit"
        return form_page(page, db, actor, form, given=given, error=wrong, action=path)
    return page.done(f"/sharing/{request_id}", "已保存")


@router.get("/sharing/{request_id}/attachments")
def letters(page: Reading, db: Db, actor: Acting, request_id: str) -> Response:
    """The attachments of a request, for its parties."""
    desk = desk_of(page, db)
    found = attachments.seen_by(desk, request_id, actor)
    row = desk.request(request_id, lock=False)
    return page.render("share_changes/attachments.html", request_=row, found=found)


@router.post("/sharing/{request_id}/attachments")
async def attach(
    page: Reading, db: Db, actor: Officer, request_id: str, upload: Annotated[UploadFile, File()]
) -> Response:
    """Keep a letter; what it is, its content says."""
    content = await upload.read(attachments.MOST_BYTES + 1)
    name = upload.filename or ""
    attachments.attach(desk_of(page, db), request_id, actor, name=name, content=content)
    return page.done(f"/sharing/{request_id}/attachments", "已保存")


@router.get("/sharing/{request_id}/attachments/{digest}")
def letter(page: Reading, db: Db, actor: Acting, request_id: str, digest: str) -> Response:
    """An attachment, to be saved; no browser shows it."""
    found, path = attachments.find(desk_of(page, db), request_id, digest, actor)
    return FileResponse(path, headers=attachments.headers(found))


@router.get("/sharing/channel/{grant_id}/file")
def file(page: Reading, actor: Acting, grant_id: str) -> Response:
    """The file of a grant, for its department; on record in the reader's name."""
    handed = handover.take(house_at(page), grant_id, actor)
    return FileResponse(handed.file, headers=handed.headers())


@router.get("/sharing/channel/{grant_id}/{again}")
def ask_again(page: Reading, db: Db, actor: Officer, grant_id: str, again: str) -> Response:
    """The form of a renewal or a change of scope, filled in as granted."""
    form = _form_of(page, db, actor, grant_id, again)
    path = f"/sharing/channel/{grant_id}/{again}"
    return form_page(page, db, actor, form, given=typed(form), action=path)


@router.post("/sharing/channel/{grant_id}/renew")
def renew(page: Reading, db: Db, actor: Officer, grant_id: str, given: Given) -> Response:
    """Draft a renewal."""
    return _again(page, db, actor, grant_id, again="renew", given=given)


@router.post("/sharing/channel/{grant_id}/change")
def change(page: Reading, db: Db, actor: Officer, grant_id: str, given: Given) -> Response:
    """Draft a change of scope; the grant serves as before until it is decided."""
    return _again(page, db, actor, grant_id, again="change", given=given)


@router.post("/sharing/channel/{grant_id}/register")
def keep_register(
    page: Reading,
    db: Db,
    actor: Officer,
    grant_id: str,
    *,
    kind: Annotated[RegisterKind, Form()],
    on_day: Annotated[date, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Register how a grant's data were used, or what became of them after its end."""
    REGISTERS[kind](desk_of(page, db), grant_id, on_day, note, actor)
    return page.done(f"/sharing/channel/{grant_id}", "已登记")


@router.get("/recalls/{object_id}")
def deliveries(page: Reading, db: Db, _: Operator, object_id: str) -> Response:
    """What was delivered of an object, and the form of a recall."""
    rows = delivered(db, object_id)
    return page.render("share_changes/recall.html", object_id=object_id, rows=rows)


def delivered(
    db: Connection, object_id: str, *, offset: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """What was delivered of an object by any grant, and to whom, the newest first."""
    asked = (
        select(ShareDelivery.__table__, ShareGrant.consumer_org)
        .join(ShareGrant, ShareGrant.grant_id == ShareDelivery.grant_id)
        .where(ShareGrant.object_id == object_id)
        .order_by(ShareDelivery.started_at.desc(), ShareDelivery.delivery_id)
    )
    return db.execute(asked.offset(offset).limit(limit)).all()


@router.post("/recalls/{object_id}")
def call_back(
    page: Reading,
    db: Db,
    actor: Operator,
    object_id: str,
    *,
    until: Annotated[int, Form(ge=0)],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Recall what was delivered up to a version, and tell everybody who was given it."""
    recall.recall(desk_of(page, db), object_id, until, reason, actor)
    return page.done(f"/recalls/{object_id}", "已召回并通知")


def _form_of(page: Page, db: Db, actor: Actor, grant_id: str, again: str) -> RequestForm:
    desk = desk_of(page, db)
    grant = desk.grant(grant_id, lock=False)
    own(grant_id, grant.consumer_org, actor)
    if again not in AGAIN:
        raise _unknown(grant_id)
    return RequestForm.model_validate(desk.request(grant.request_id, lock=False).form)


def _again(
    page: Page, db: Db, actor: Actor, grant_id: str, *, again: str, given: dict[str, str]
) -> Response:
    form = _form_of(page, db, actor, grant_id, again)
    try:
        asked = filing.parse(content_of(form.object_id, given))
        request_id = AGAIN[again](desk_of(page, db), grant_id, asked, actor)
    except RequestIncomplete as wrong:
        path = f"/sharing/channel/{grant_id}/{again}"
        return form_page(page, db, actor, form, given=given, error=wrong, action=path)
    return page.done(f"/sharing/{request_id}", "已保存")


def own(object_id: str, org: str, actor: Actor) -> None:
    """Let go on with a request or grant who is of its department.

    Raises:
        NotFound: for everybody else there is none.
    """
    if org != actor.org:
        raise _unknown(object_id)


def _unknown(object_id: str) -> NotFound:
    return NotFound(
        object_id,
        found="nothing of that number in the own department",
        expected="a request or grant of the own department",
        remedy="open the list of share requests",
    )
