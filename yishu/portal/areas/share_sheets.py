"""The form of a share request as a spreadsheet: the template, and its check on the form's page."""

from base64 import b64encode
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Response, UploadFile

from catalog.roles import Action
from yishu.ledger.journal import Actor
from yishu.portal.areas.exchange import XLSX
from yishu.portal.areas.sharing import desk_of, form_page
from yishu.portal.depends import Db, permitted
from yishu.portal.pages import Reading
from yishu.portal.share_form import typed
from yishu.sharing import sheet
from yishu.sharing.errors import RequestIncomplete
from yishu.sharing.objects import shared_object

router = APIRouter(prefix="/sharing-sheets", include_in_schema=False)

Officer = Annotated[Actor, Depends(permitted(Action.FILE_REQUEST))]


@router.get("/{object_id}.xlsx")
def template(page: Reading, _: Officer, object_id: str) -> Response:
    """The empty form of an object as a workbook."""
    object_ = shared_object(page.world.release(), object_id)
    name = quote(f"共享申请_{object_.name}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(sheet.template(object_), media_type=XLSX, headers=headers)


@router.post("/{object_id}")
def check(
    page: Reading, db: Db, actor: Officer, object_id: str, upload: Annotated[UploadFile, File()]
) -> Response:
    """What a filled-in workbook says, on the form's page; nothing is kept until it is saved there.

    What is missing or wrong is told with its cell, and comes back marked in the workbook.
    """
    filled = sheet.fill(Path(upload.filename or "").name, upload.file.read(sheet.MOST_BYTES + 1))
    object_ = shared_object(desk_of(page, db).catalog, filled.said.get("object_id") or object_id)
    form, parts = sheet.checked(filled, object_)
    form = form.model_copy(update={"object_id": object_.id})
    error = RequestIncomplete(object_.id, parts) if parts else None
    book = b64encode(sheet.marked(object_, filled, parts)).decode() if parts else None
    return form_page(page, db, actor, form, given=typed(form), error=error, marked=book)
