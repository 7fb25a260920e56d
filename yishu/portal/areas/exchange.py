"""Many entries at once, and other systems' formats: templates, exports, imports as drafts."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import yaml
from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from sqlalchemy import Connection

from catalog.model import CatalogEntry
from catalog.roles import Action
from catalog.vocabulary import ChangeCause
from yishu.governance import candidate, lifecycle, versions
from yishu.interchange import bulk, dcat, odcs, reading, workbook
from yishu.interchange.errors import FileFaulty
from yishu.ledger.journal import Actor
from yishu.portal.areas.catalog import Asked, find
from yishu.portal.depends import Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.pages import Page, Reading
from yishu.portal.problems import of_error

router = APIRouter(prefix="/exchange", include_in_schema=False)

Compiler = Annotated[Actor, Depends(permitted(Action.COMPILE_ENTRY))]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA = {
    "xlsx": XLSX,
    "yaml": "application/yaml",
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "odcs.yaml": "application/yaml",
}
SHOWN_FAULTS = 200


@router.get("")
def show(page: Reading) -> Response:
    """What can be taken out and brought in."""
    return page.render("exchange/exchange.html", **_nothing())


@router.get("/template.xlsx")
def template(_: Reading) -> Response:
    """The empty workbook, with lists and notes."""
    return _file(workbook.export([]), "xlsx", "目录模板")


@router.get("/catalog.{form}")
def export(
    page: Reading, form: Literal["xlsx", "yaml", "ttl", "jsonld"], asked: Annotated[Asked, Query()]
) -> Response:
    """The entries that a search finds, in a form."""
    release = page.world.release()
    entries = [release.entries[one] for one in find(page.world, asked).entry_ids]
    return _file(_written(page, entries, form), form, "目录")


@router.get("/entries/{entry_id}.{form}")
def export_one(
    page: Reading, entry_id: str, form: Literal["xlsx", "yaml", "ttl", "jsonld"]
) -> Response:
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
        found, not_taken = _read(page, name, data)
    except FileFaulty as fault:
        table = reading.read(name, data)
        path = _errors_path(page, actor)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(workbook.with_errors(table.rows, fault.faults))
        shown = fault.faults[:SHOWN_FAULTS]
        problem = of_error(fault)
        return page.render(
            "exchange/exchange.html", 422,
            **_nothing() | {"problem": problem, "faults": shown, "count": len(fault.faults)},
        )  # fmt: skip
    if do == "save":
        for one in found:
            _save(db, page, actor, one, cause=cause, note=cause_note)
    done = {"entries": found, "saved": do == "save", "not_taken": not_taken}
    return page.render("exchange/exchange.html", **_nothing() | done)


def _nothing() -> dict[str, Any]:
    return {
        "problem": None, "faults": (), "count": 0, "entries": None, "saved": False,
        "not_taken": (), "causes": tuple(ChangeCause),
    }  # fmt: skip


def _read(page: Page, name: str, data: bytes) -> tuple[list[bulk.Draft], tuple[str, ...]]:
    """Entries of a file of any form, and what of it was not taken."""
    ending = Path(name).suffix.lower().removeprefix(".")
    if ending in dcat.FORMATS:
        return _foreign(
            name, dcat.read(name, data.decode("utf-8", "replace"), dcat.FORMATS[ending])
        )
    if ending in ("yaml", "yml") and b"apiVersion" in data:
        return _foreign(name, [odcs.read(name, data.decode("utf-8", "replace"))])
    rules, on = page.world.rules(), page.world.today()

    def faults_of(entry_id: str, content: Any) -> list[Any]:
        completed = candidate.completed(candidate.plain(content), 1, on, None)
        return candidate.faults_of(entry_id, completed, rules)

    return bulk.drafts(reading.read(name, data), faults_of), ()


def _foreign(name: str, found: list[odcs.Imported]) -> tuple[list[bulk.Draft], tuple[str, ...]]:
    drafts = [bulk.Draft(str(one.content.get("id", "")), one.content, ()) for one in found]
    if any("." not in one.entry_id for one in drafts):
        expected = "an identifier of the form department.entry"
        raise reading.refused(name, "a dataset without an entry id", expected)
    return drafts, tuple(dict.fromkeys(text for one in found for text in one.not_taken))


def _save(
    db: Connection, page: Page, actor: Actor, one: bulk.Draft, *, cause: ChangeCause, note: str
) -> None:
    version = versions.open_version(db, one.entry_id)
    today: date = page.world.today()
    edit = version.edit if version else None
    draft = lifecycle.Draft(one.entry_id, one.content, cause, note or "批量导入", today, edit)
    lifecycle.save(db, draft, actor, page.now, profile=page.world.settings.rule_profile)


def _written(page: Page, entries: list[CatalogEntry], form: str) -> bytes:
    if form in dcat.FORMATS:
        base = str(page.request.base_url).rstrip("/")
        graph = dcat.graph(entries, page.world.release(), base)
        return graph.serialize(format=dcat.FORMATS[form]).encode()
    contents = [one.model_dump(mode="json", exclude_defaults=True) for one in entries]
    if form == "xlsx":
        return workbook.export(contents)
    return yaml.safe_dump_all(contents, allow_unicode=True, sort_keys=False).encode()


def _errors_path(page: Page, actor: Actor) -> Path:
    folder = page.world.settings.var_dir / "exchange"
    return folder / f"{''.join(c if c.isalnum() else '_' for c in actor.account)}.xlsx"


def _file(data: bytes, form: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{form}')}"}
    return Response(data, media_type=MEDIA[form], headers=headers)
