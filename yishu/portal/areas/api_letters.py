"""The REST API, version 1: files that people add: letters, evidence, requests as workbooks."""

from typing import Annotated

from fastapi import APIRouter, File, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel

from yishu.portal.areas.api import ERRORS, saved
from yishu.portal.areas.api_office import AtDesk, Officer
from yishu.portal.areas.exchange import XLSX
from yishu.portal.areas.objections import attach_to, evidence_of
from yishu.portal.areas.share_sheets import Sheet, empty_sheet, read_sheet
from yishu.portal.depends import Caller, Db, Here, Now
from yishu.sharing import attachments
from yishu.sharing.attachments import Attached

router = APIRouter(prefix="/api/v1", responses=ERRORS)

Upload = Annotated[UploadFile, File()]


class Evidence(BaseModel):
    """A file that was kept with an objection."""

    sha256: str


@router.get("/requests/{request_id}/attachments", tags=["sharing"])
def letters(desk: AtDesk, actor: Caller, request_id: str) -> list[Attached]:
    """The attachments of a request, for its parties."""
    return attachments.seen_by(desk, request_id, actor)


@router.post("/requests/{request_id}/attachments", tags=["sharing"])
def attach(desk: AtDesk, actor: Officer, request_id: str, upload: Upload) -> Attached:
    """Keep a letter (PDF, OFD, PNG or JPEG, up to 10 MiB); what it is, its content says."""
    content = upload.file.read(attachments.MOST_BYTES + 1)
    name = upload.filename or ""
    return attachments.attach(desk, request_id, actor, name=name, content=content)


@router.get(
    "/requests/{request_id}/attachments/{digest}",
    tags=["sharing"],
    **saved("application/pdf", "application/ofd", "image/png", "image/jpeg"),
)
def letter(desk: AtDesk, actor: Caller, request_id: str, digest: str) -> Response:
    """An attachment, for the parties of its request."""
    found, path = attachments.find(desk, request_id, digest, actor)
    return FileResponse(path, headers=attachments.headers(found))


@router.get("/sheets/{object_id}", tags=["sharing"], **saved(XLSX))
def template(here: Here, _: Officer, object_id: str) -> Response:
    """The empty form of a request for an object, as a workbook."""
    return empty_sheet(here, object_id)


@router.post("/sheets/{object_id}", tags=["sharing"])
def check_sheet(here: Here, _: Officer, object_id: str, upload: Upload) -> Sheet:
    """What a filled-in workbook says, and what it lacks, cell by cell; nothing is kept."""
    return read_sheet(here, object_id, upload)


@router.post("/objections/{number}/evidence", tags=["objections"])
def attach_evidence(db: Db, now: Now, actor: Caller, number: str, upload: Upload) -> Evidence:
    """Keep a file with an objection that concerns the caller's body, up to 10 MiB."""
    return Evidence(sha256=attach_to(db, number, upload, actor, now))


@router.get(
    "/objections/{number}/evidence/{sha256}",
    tags=["objections"],
    **saved("application/octet-stream"),
)
def evidence(db: Db, now: Now, actor: Caller, number: str, sha256: str) -> Response:
    """A file of an objection that concerns the caller's body; the look goes on record."""
    return evidence_of(db, number, sha256, actor, now)
