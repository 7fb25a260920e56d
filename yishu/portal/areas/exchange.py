"""Many entries at once, and other systems' formats: templates, exports, imports as drafts."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile

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


@router.get("")
def show(page: Reading) -> Response:
    """What can be taken out and brought in."""
    return page.render("exchange/exchange.html", **_nothing(page))


@router.get("/template.xlsx")
def template(_: Reading) -> Response:
    """The empty workbook, with lists and notes."""
    return _file(workbook.export([]), "xlsx", "目录模板")


@router.get("/catalog.{form}")
def export(page: Reading, db: Db, form: FileForm, asked: Annotated[Asked, Query()]) -> Response:
    """The entries that a search finds, in a form."""
    release = page.world.release()
    entries = [release.entries[one] for one in find(page.world, db, asked).entry_ids]
    return _file(_written(page, entries, form), form, "目录")


@router.get("/entries/{entry_id}.{form}")
def export_one(page: Reading, entry_id: str, form: FileForm) -> Response:
    """One entry in a form."""
    entry = page.world.release().entry(entry_id.removesuffix(".odcs"))
    if entry_id.endswith(".odcs"):
        return _file(odcs.to_yaml(entry).encode(), "odcs.yaml", entry.id)
    return _file(_written(page, [entry], form), form, entry.id)


@router.get("/errors.xlsx")
def errors(page: Reading, actor: Compiler) -> Response:
    """The workbook with the errors of the account's last import."""
    path = _errors_path(page, actor)
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
    name = Path(upload.filename or "").name
    data = upload.file.read()
    try:
        found = files.brought(
            name, data, taking_in.faults_by(page.world.rules(), page.world.today())
        )
    except FileFaulty as fault:
        table = reading.read(name, data)
        path = _errors_path(page, actor)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(workbook.with_errors(table.rows, fault.faults))
        shown = fault.faults[:SHOWN_FAULTS]
        problem = of_error(fault)
        return page.render(
            "exchange/exchange.html", 422,
            **_nothing(page) | {"problem": problem, "faults": shown, "count": len(fault.faults)},
        )  # fmt: skip
    if do == "save":
        why = taking_in.Why(cause, cause_note or "批量导入", page.world.today())
        given = [(one.entry_id, one.content) for one in found.drafts]
        profile = page.world.settings.rule_profile
        taking_in.take_in(db, given, why, actor, page.now, profile=profile)
    done = {"entries": found.drafts, "saved": do == "save", "not_taken": found.not_taken}
    return page.render("exchange/exchange.html", **_nothing(page) | done)


def _nothing(page: Page) -> dict[str, Any]:
    return {
        "left_out": page.world.left_out(),
        "problem": None, "faults": (), "count": 0, "entries": None, "saved": False,
        "not_taken": (), "causes": tuple(ChangeCause),
    }  # fmt: skip


def _written(page: Page, entries: list[CatalogEntry], form: str) -> bytes:
    base = str(page.request.base_url).rstrip("/")
    return files.written(entries, page.world.release(), form, base)


def _errors_path(page: Page, actor: Actor) -> Path:
    folder = page.world.settings.var_dir / "exchange"
    return folder / f"{''.join(c if c.isalnum() else '_' for c in actor.account)}.xlsx"


def _file(data: bytes, form: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{form}')}"}
    return Response(data, media_type=MEDIA[form], headers=headers)
