"""The REST API, version 1: many entries at once, as workbooks and in other systems' formats."""

from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel

from catalog.roles import Action
from catalog.vocabulary import ChangeCause
from yishu.governance.taking_in import Why
from yishu.ledger.journal import Actor
from yishu.portal.areas.api import ERRORS, saved
from yishu.portal.areas.api_office import permitted_caller
from yishu.portal.areas.catalog import Asked
from yishu.portal.areas.exchange import (
    BY_FILE,
    MEDIA,
    XLSX,
    FileForm,
    checked,
    empty_workbook,
    export_entry,
    export_found,
    last_errors,
    take_in,
)
from yishu.portal.depends import Caller, Db, Here, Now

router = APIRouter(prefix="/api/v1/files", tags=["files"], responses=ERRORS)

Compiler = Annotated[Actor, permitted_caller(Action.COMPILE_ENTRY)]


class Brought(BaseModel):
    """What a file brought in: its entries, and what of it has no place in an entry."""

    entries: list[str]
    is_saved: bool
    not_taken: list[str]


@router.get("/template.xlsx", **saved(XLSX))
def template(_: Caller) -> Response:
    """The empty workbook of a catalog, with lists and notes."""
    return empty_workbook()


@router.get("/catalog.{form}", **saved(*dict.fromkeys(MEDIA.values())))
def export(
    here: Here, db: Db, _: Caller, request: Request, *,
    form: FileForm, asked: Annotated[Asked, Query()],
) -> Response:  # fmt: skip
    """The entries that a search finds, as XLSX, CSV, YAML or DCAT-AP (Turtle, JSON-LD)."""
    return export_found(here, db, request, form, asked)


@router.get("/entries/{entry_id}.{form}", **saved(*dict.fromkeys(MEDIA.values())))
def export_one(here: Here, _: Caller, request: Request, entry_id: str, form: FileForm) -> Response:
    """One entry in such a form; ``<entry>.odcs.yaml`` is its data contract."""
    return export_entry(here, request, entry_id, form)


@router.get("/errors.xlsx", **saved(XLSX))
def errors(here: Here, actor: Compiler) -> Response:
    """The workbook with the faults of the account's last import, each marked in its cell."""
    return last_errors(here, actor)


@router.post("/catalog")
def bring_in(
    here: Here,
    db: Db,
    now: Now,
    actor: Compiler,
    upload: Annotated[UploadFile, File()],
    *,
    do: Annotated[Literal["check", "save"], Form()],
    cause: Annotated[ChangeCause, Form()] = ChangeCause.INITIAL,
    cause_note: Annotated[str, Form(max_length=2_000)] = "",
) -> Brought:
    """Check a file, or take all its entries in as drafts; a fault leaves everything as it was.

    The problem lists the faults with row and column; ``errors.xlsx`` has them in their cells.
    """
    found = checked(here, actor, upload)
    if do == "save":
        why = Why(cause, cause_note or BY_FILE, here.today())
        take_in(here, db, found, why, actor, at=now)
    entries = [one.entry_id for one in found.drafts]
    return Brought(entries=entries, is_saved=do == "save", not_taken=list(found.not_taken))
