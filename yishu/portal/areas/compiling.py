"""Compiling an entry: drafts of a department, the form with its faults in place, submission."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy import Connection

from catalog.errors import NotCataloged
from catalog.faults import Fault
from catalog.roles import Action, Role
from catalog.vocabulary import ChangeCause
from yishu.governance import candidate, lifecycle, versions
from yishu.interchange import bulk
from yishu.ledger.journal import Actor
from yishu.portal import entry_form
from yishu.portal.depends import Db, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part

router = APIRouter(prefix="/compile", include_in_schema=False)
LINKS = (Link("目录编制", "/compile", 12, frozenset({Role.DEPARTMENT_OFFICER})),)

PAGE_ROWS = 50

Compiler = Annotated[Actor, Depends(permitted(Action.COMPILE_ENTRY))]
Owner = Annotated[Actor, Depends(permitted(Action.COMPILE_ENTRY, of="entry_id"))]


@router.get("")
def desk(
    page: Reading,
    db: Db,
    actor: Compiler,
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
    draft: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """What the department has on its way (``draft``: which page of it), and has in force."""
    part = Part.cut(page.world.entries_of(actor.org), number, PAGE_ROWS)
    states, first = versions.OPEN, (draft - 1) * PAGE_ROWS
    found = versions.listed(db, states=states, org=actor.org, offset=first, limit=PAGE_ROWS)
    total = versions.counted(db, states=states, org=actor.org)
    drafts = Part.of(found, total, draft, PAGE_ROWS)
    return page.render("compiling/desk.html", drafts=drafts, part=part)


@router.post("/new")
def begin(
    page: Reading, actor: Compiler, name: Annotated[str, Form(pattern=r"^[a-z][a-z0-9_]*$")]
) -> Response:
    """Begin the form of a new entry of the own department."""
    return page.done(f"/compile/{actor.org}.{name}")


@router.get("/{entry_id}")
def edit(page: Reading, db: Db, _: Owner, entry_id: str) -> Response:
    """The form: what is on its way, else what is in force, else empty."""
    version = versions.open_version(db, entry_id)
    form = entry_form.filled(entry_id, _content(page, db, entry_id))
    return _form(page, form, version)


async def fields(request: Request) -> dict[str, str]:
    """Every field that the form sent, whatever their number."""
    return {name: str(text) for name, text in (await request.form()).items()}


Fields = Annotated[dict[str, str], Depends(fields)]


@router.post("/{entry_id}/check")
def check(page: Reading, db: Db, _: Owner, entry_id: str, given: Fields) -> Response:
    """The form again with every fault in its place; nothing is saved."""
    form = _checked(page, entry_id, given)[0]
    return _form(page, form, versions.open_version(db, entry_id), given)


@router.post("/{entry_id}")
def save(page: Reading, db: Db, actor: Owner, entry_id: str, given: Fields) -> Response:
    """Save the draft, unfinished as it may be; submit it when asked to, if it has no fault."""
    form, draft, unreadable = _checked(page, entry_id, given)
    if unreadable:
        return _form(page, form, versions.open_version(db, entry_id), given, 422)
    kept = lifecycle.Draft(
        entry_id,
        draft.content,
        ChangeCause(given.get("cause") or ChangeCause.INITIAL),
        given.get("cause_note", ""),
        date.fromisoformat(given.get("changed_on") or page.world.today().isoformat()),
        int(given["edit"]) if given.get("edit") else None,
    )
    profile = page.world.settings.rule_profile
    saved = lifecycle.save(db, kept, actor, page.now, profile=profile)
    if given.get("do") != "submit":
        return page.done(f"/compile/{entry_id}", "草稿已保存")
    faults = lifecycle.check(db, page.world.rules(), entry_id, page.world.today())
    if faults:
        form = entry_form.with_faults(form, draft, faults)
        return _form(page, form, saved, given, 422, faults=faults)
    lifecycle.submit(db, page.world.rules(), entry_id, actor, page.now)
    return page.done("/compile", "已提交审核")


def _checked(
    page: Page, entry_id: str, given: dict[str, str]
) -> tuple[entry_form.Form, bulk.Draft, bool]:
    form = entry_form.sent(entry_id, given)
    draft, unreadable = entry_form.draft_of(form)
    if unreadable:
        return entry_form.Form(entry_id, form.rows, unreadable), draft, True
    rules, on = page.world.rules(), page.world.today()
    content = candidate.completed(candidate.plain(draft.content), 1, on, None)
    faults = candidate.faults_of(entry_id, content, rules)
    return entry_form.with_faults(form, draft, faults), draft, False


def _content(page: Page, db: Connection, entry_id: str) -> dict[str, Any]:
    version = versions.open_version(db, entry_id) or versions.in_force(db, entry_id)
    if version is not None:
        return version.content
    try:
        entry = page.world.release().entry(entry_id)
    except NotCataloged:
        return {"provider_org": entry_id.partition(".")[0], "secrecy": "none"}
    return candidate.plain(entry.model_dump(mode="json", exclude_defaults=True))


def _form(
    page: Page,
    form: entry_form.Form,
    version: versions.Version | None,
    given: dict[str, str] | None = None,
    status: int = 200,
    *,
    faults: list[Fault] | None = None,
) -> Response:
    told = given or {}
    return page.render(
        "compiling/form.html",
        status,
        form_of=form,
        version=version,
        faults=faults or [],
        count=sum(map(len, form.faults.values())),
        was_checked=given is not None,
        cause=told.get("cause") or (version.cause if version else ""),
        cause_note=told.get("cause_note") or (version.cause_note if version else ""),
        changed_on=told.get("changed_on")
        or (version.changed_on if version else page.world.today()).isoformat(),
        edit=version.edit if version else "",
        causes=tuple(ChangeCause),
    )
