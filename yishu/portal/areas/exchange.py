"""Many entries at once, and other systems' formats: templates, exports, imports as drafts."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from sqlalchemy import Connection

from catalog.model import CatalogEntry
from catalog.roles import Action
from catalog.vocabulary import ChangeCause
from yishu.governance import taking_in
from yishu.interchange import files, odcs, reading, workbook
from yishu.interchange.errors import FileFaulty
from yishu.ledger.journal import Actor
from yishu.portal.areas.catalog import Asked, find
from yishu.portal.depends import Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.pages import Page, Reading
from yishu.portal.problems import of_error
from yishu.portal.world import World

router = APIRouter(prefix="/exchange", include_in_schema=False)

FileForm = Literal["xlsx", "csv", "yaml", "ttl", "jsonld"]
Compiler = Annotated[Actor, Depends(permitted(Action.COMPILE_ENTRY))]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA = {
    "xlsx": XLSX,
    "csv": "text/csv; charset=utf-8",
    "yaml": "application/yaml",
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "odcs.yaml": "application/yaml",
}
SHOWN_FAULTS = 200
BY_FILE = "批量导入"
"""Why entries change, where whoever brings a file in does not say it."""


@router.get("")
def show(page: Reading) -> Response:
    """What can be taken out and brought in."""
    return page.render("exchange/exchange.html", **_nothing(page))


@router.get("/template.xlsx")
def template(_: Reading) -> Response:
    """The empty workbook, with lists and notes."""
    return empty_workbook()


def empty_workbook() -> Response:
    """The empty workbook as a file."""
    return _file(workbook.export([]), "xlsx", "目录模板")


@router.get("/catalog.{form}")
def export(page: Reading, db: Db, form: FileForm, asked: Annotated[Asked, Query()]) -> Response:
    """The entries that a search finds, in a form."""
    return export_found(page.world, db, page.request, form, asked)


def export_found(
    world: World, db: Connection, request: Request, form: FileForm, asked: Asked
) -> Response:
    """The entries that a search finds, as a file of a form."""
    release = world.release()
    entries = [release.entries[one] for one in find(world, db, asked).entry_ids]
    return _file(_written(world, request, entries, form), form, "目录")


@router.get("/entries/{entry_id}.{form}")
def export_one(page: Reading, entry_id: str, form: FileForm) -> Response:
    """One entry in a form."""
    return export_entry(page.world, page.request, entry_id, form)


def export_entry(world: World, request: Request, entry_id: str, form: FileForm) -> Response:
    """One entry as a file of a form; ``.odcs`` behind its id and YAML: as a data contract.

    Raises:
        NotCataloged: the catalog in force has no such entry.
    """
    entry = world.release().entry(entry_id.removesuffix(".odcs"))
    if entry_id.endswith(".odcs"):
        return _file(odcs.to_yaml(entry).encode(), "odcs.yaml", entry.id)
    return _file(_written(world, request, [entry], form), form, entry.id)


@router.get("/errors.xlsx")
def errors(page: Reading, actor: Compiler) -> Response:
    """The workbook with the errors of the account's last import."""
    return last_errors(page.world, actor)


def last_errors(world: World, actor: Actor) -> Response:
    """The workbook with the errors of an account's last import.

    Raises:
        NotFound: it had none.
    """
    path = _errors_path(world, actor)
    if not path.exists():
        raise NotFound(
            "errors.xlsx",
            found="no import with faults",
            expected="a faulty import of this account",
            remedy="import a file first",
        )
    return _file(path.read_bytes(), "xlsx", "错误")


@router.post("/import")
def bring_in(
    page: Reading,
    db: Db,
    actor: Compiler,
    upload: Annotated[UploadFile, File()],
    *,
    do: Annotated[Literal["check", "save"], Form()],
    cause: Annotated[ChangeCause, Form()] = ChangeCause.INITIAL,
    cause_note: Annotated[str, Form()] = "",
) -> Response:
    """Check a file, or take all its entries in as drafts; a fault leaves everything as it was."""
    world = page.world
    try:
        found = checked(world, actor, upload)
    except FileFaulty as fault:
        shown = fault.faults[:SHOWN_FAULTS]
        problem = of_error(fault)
        return page.render(
            "exchange/exchange.html", 422,
            **_nothing(page) | {"problem": problem, "faults": shown, "count": len(fault.faults)},
        )  # fmt: skip
    if do == "save":
        why = taking_in.Why(cause, cause_note or BY_FILE, world.today())
        take_in(world, db, found, why, actor, at=page.now)
    done = {"entries": found.drafts, "saved": do == "save", "not_taken": found.not_taken}
    return page.render("exchange/exchange.html", **_nothing(page) | done)


def checked(world: World, actor: Actor, upload: UploadFile) -> files.Brought:
    """The entries of a file, all of them sound; nothing is saved.

    Raises:
        FileRefused: it is not read at all.
        FileFaulty: with every fault; the workbook that marks them is kept for `last_errors`.
    """
    name = Path(upload.filename or "").name
    data = upload.file.read()
    try:
        return files.brought(name, data, taking_in.faults_by(world.rules(), world.today()))
    except FileFaulty as fault:
        table = reading.read(name, data)
        path = _errors_path(world, actor)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(workbook.with_errors(table.rows, fault.faults))
        raise


def take_in(
    world: World,
    db: Connection,
    found: files.Brought,
    why: taking_in.Why,
    actor: Actor,
    *,
    at: datetime,
) -> None:
    """Save the entries of a file as drafts, all or none.

    Raises:
        Forbidden: one of them is another body's.
        StateRefused: the version of one is under review.
    """
    given = [(one.entry_id, one.content) for one in found.drafts]
    profile = world.settings.rule_profile
    taking_in.take_in(db, given, why, actor, at, profile=profile)


def _nothing(page: Page) -> dict[str, Any]:
    return {
        "left_out": page.world.left_out(),
        "problem": None, "faults": (), "count": 0, "entries": None, "saved": False,
        "not_taken": (), "causes": tuple(ChangeCause),
    }  # fmt: skip


def _written(world: World, request: Request, entries: list[CatalogEntry], form: str) -> bytes:
    base = str(request.base_url).rstrip("/")
    return files.written(entries, world.release(), form, base)


def _errors_path(world: World, actor: Actor) -> Path:
    folder = world.settings.var_dir / "exchange"
    return folder / f"{''.join(c if c.isalnum() else '_' for c in actor.account)}.xlsx"


def _file(data: bytes, form: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{form}')}"}
    return Response(data, media_type=MEDIA[form], headers=headers)
