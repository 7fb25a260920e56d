"""The form of a share request as a spreadsheet: the template, and its check on the form's page."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Response, UploadFile

from catalog.roles import Action
from yishu.ledger.journal import Actor
from yishu.portal.areas.exchange import XLSX
from yishu.portal.areas.sharing import form_page
from yishu.portal.depends import Db, permitted
from yishu.portal.pages import Reading
from yishu.portal.share_form import typed
from yishu.portal.world import World
from yishu.sharing import sheet
from yishu.sharing.errors import Missing, RequestIncomplete
from yishu.sharing.form import RequestForm
from yishu.sharing.objects import shared_object

router = APIRouter(prefix="/sharing-sheets", include_in_schema=False)

Officer = Annotated[Actor, Depends(permitted(Action.FILE_REQUEST))]


@router.get("/{object_id}.xlsx")
def template(page: Reading, _: Officer, object_id: str) -> Response:
    """The empty form of an object as a workbook."""
    return empty_sheet(page.world, object_id)


@router.post("/{object_id}")
def check(
    page: Reading, db: Db, actor: Officer, object_id: str, upload: Annotated[UploadFile, File()]
) -> Response:
    """What a filled-in workbook says, on the form's page; nothing is kept until it is saved there.

    What is missing or wrong is told with its cell, and comes back marked in the workbook.
    """
    read = read_sheet(page.world, object_id, upload)
    form = read.form
    error = RequestIncomplete(form.object_id, read.parts) if read.parts else None
    return form_page(page, db, actor, form, given=typed(form), error=error, marked=read.marked)


@dataclass(frozen=True)
class Sheet:
    """A filled-in workbook.

    Attributes:
        form: Whatever of it can be read.
        parts: What is missing or wrong, each with its cell.
        marked: The workbook with those parts marked in it, in Base64; None: nothing is wrong.
    """

    form: RequestForm
    parts: tuple[Missing, ...]
    marked: str | None


def read_sheet(world: World, object_id: str, upload: UploadFile) -> Sheet:
    """What a filled-in workbook says of an object; the workbook itself may name another one.

    Raises:
        FormUnreadable: no spreadsheet, or not the form.
        NotCataloged: the catalog in force has no such object.
    """
    filled = sheet.fill(Path(upload.filename or "").name, upload.file.read(sheet.MOST_BYTES + 1))
    object_ = shared_object(world.release(), filled.said.get("object_id") or object_id)
    form, parts = sheet.checked(filled, object_)
    book = b64encode(sheet.marked(object_, filled, parts)).decode() if parts else None
    return Sheet(form.model_copy(update={"object_id": object_.id}), parts, book)


def empty_sheet(world: World, object_id: str) -> Response:
    """The empty form of an object as a workbook, to be saved.

    Raises:
        NotCataloged: the catalog in force has no such object.
    """
    object_ = shared_object(world.release(), object_id)
    name = quote(f"共享申请_{object_.name}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(sheet.template(object_), media_type=XLSX, headers=headers)
