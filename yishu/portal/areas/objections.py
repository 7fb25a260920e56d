"""Objections: the list, one with its whole course, a new one, the next step, its evidence."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy import Connection

from catalog.roles import Action, Role
from catalog.search import Query as Wanted
from yishu.governance import objections as desk
from yishu.governance.errors import Forbidden, ObjectionUnknown
from yishu.governance.objections import NewObjection, ObjectionRow, ObjectionState, Origin, Step
from yishu.governance.objections.states import NEED_A_REASON
from yishu.ledger.journal import Actor
from yishu.portal import audit
from yishu.portal.depends import Acting, Db, Now, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading
from yishu.portal.paging import Part
from yishu.portal.world import World
from yishu.secrets import row_key

router = APIRouter(prefix="/objections", include_in_schema=False)
LINKS = (Link("数据异议", "/objections", order=55),)

PAGE_ROWS = 50
OFFERED = 100
"""Entries that the form offers at once; of a larger catalog a word chooses first."""

OF_A_BODY = frozenset({Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD, Role.PROVIDER_REVIEWER})
"""They see what their own body raised or has to answer; others see all."""


class Objected(BaseModel):
    """What the form of a new objection sends; key and scope only for one row."""

    entry: str
    summary: str
    column: str = ""
    key: str = ""
    scope: str = ""


@router.get("")
def board(
    page: Reading,
    db: Db,
    actor: Acting,
    *,
    state: str = "",
    entry: str = "",
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
) -> Response:
    """Objections, oldest first; of one entry where it is named."""
    org = actor.org if actor.role in OF_A_BODY else None
    chosen = ObjectionState(state) if state else None
    first, of = (number - 1) * PAGE_ROWS, entry or None
    found = desk.objections(
        db, org=org, state=chosen, source_entry_id=of, offset=first, limit=PAGE_ROWS
    )
    total = desk.counted(db, org=org, states=[chosen] if chosen else (), source_entry_id=of)
    return page.render(
        "objections/board.html",
        part=Part.of(found, total, number, PAGE_ROWS),
        query=urlencode({"state": state, "entry": entry}),
        state=state,
        states=list(ObjectionState),
        names=page.world.names(),
    )


@router.get("/new")
def blank(
    page: Reading,
    actor: Annotated[Actor, Depends(permitted(Action.RAISE_OBJECTION))],  # noqa: ARG001
    entry: str = "",
    q: str = "",
) -> Response:
    """The form of a new objection; the entry first, found by a word, then its columns."""
    release, names = page.world.release(), page.world.names()
    found = page.world.search(Wanted(q)).entry_ids[:OFFERED]
    return page.render(
        "objections/new.html",
        entry=release.entry(entry) if entry else None,
        q=q,
        entries=[(one, f"{names[one]}（{one}）") for one in found],
        is_short=len(names) <= OFFERED,
    )


@router.post("/new")
def raise_(
    page: Reading,
    db: Db,
    actor: Annotated[Actor, Depends(permitted(Action.RAISE_OBJECTION))],
    given: Annotated[Objected, Form()],
) -> Response:
    """Put an objection on record; a key is masked and digested before anything is kept."""
    new = objection_of(page.world, actor, given)
    number = desk.raise_objection(db, new, page.world.release(), actor, page.now)
    return page.done(f"/objections/{number}", "异议已提出")


@router.get("/{number}")
def show(number: str, page: Reading, db: Db, actor: Acting) -> Response:
    """One objection: what, whose, each step, and the steps that the reader may take now."""
    found = seen(desk.objection(db, number), actor)
    if found.key_masked:
        audit.looked(db, actor, page.now, object_kind="objection", object_id=number)
    release = page.world.release()
    entry = release.entries.get(found.entry_id)
    return page.render(
        "objections/objection.html",
        it=found,
        entry=entry,
        steps=desk.history(db, number),
        evidence=desk.evidence(db, number),
        possible=desk.possible_steps(found, actor),
        need_a_reason=NEED_A_REASON,
    )


@router.post("/{number}/step")
def step(
    number: str,
    page: Reading,
    db: Db,
    actor: Acting,
    *,
    state: Annotated[ObjectionState, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Take a step."""
    desk.move(db, number, Step(state, note or None), actor, page.now)
    return page.done(f"/objections/{number}", "已办理")


@router.post("/{number}/evidence")
def attach(
    number: str, page: Reading, db: Db, actor: Acting, file: Annotated[UploadFile, File()]
) -> Response:
    """Keep a file with the objection."""
    attach_to(db, number, file, actor, page.now)
    return page.done(f"/objections/{number}", "附件已保存")


@router.get("/{number}/evidence/{sha256}")
def evidence(number: str, sha256: str, db: Db, actor: Acting, now: Now) -> Response:
    """A file of an objection, to be saved, never shown inside the portal."""
    return evidence_of(db, number, sha256, actor, now)


def attach_to(db: Connection, number: str, file: UploadFile, actor: Actor, at: datetime) -> str:
    """Keep a file with an objection that concerns the actor; its SHA-256.

    Raises:
        Forbidden: it does not concern them.
        EvidenceRefused: too large, empty, or of another kind.
    """
    seen(desk.objection(db, number), actor)
    content = file.file.read(desk.MAX_BYTES + 1)
    return desk.attach(db, number, file.filename or "file", content, actor=actor, at=at)


def evidence_of(db: Connection, number: str, sha256: str, actor: Actor, at: datetime) -> Response:
    """A file of an objection that concerns the actor; the look goes on record.

    Raises:
        Forbidden: it does not concern them.
        ObjectionUnknown: no such objection or file.
    """
    seen(desk.objection(db, number), actor)
    found = desk.evidence(db, number, sha256)
    if not found:
        raise ObjectionUnknown(
            number,
            found="no evidence of that digest",
            expected="a file that the objection lists",
            remedy="open the objection and follow its list",
        )
    audit.looked(db, actor, at, object_kind="evidence", object_id=f"{number}:{sha256}")
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:16]}"'}
    return Response(found[0].content, media_type=found[0].media_type, headers=headers)


def objection_of(world: World, actor: Actor, given: Objected) -> NewObjection:
    """What was objected to; a key is masked and digested before anything is kept."""
    release, here = world.release(), world.settings
    known = release.entry(given.entry)
    key = None
    if given.key:
        values = dict(zip(known.key, given.key.split("，"), strict=False))
        key = desk.row_key(known, values, row_key(here.secrets_dir))
    name, _, value = given.scope.partition("=")
    return NewObjection(
        Origin.MONITOR if actor.role is Role.QUALITY_MONITOR else Origin.DEPARTMENT,
        known.id,
        given.summary,
        given.column or None,
        key,
        ((name, value),) if value else (),
        here.rule_profile,
        here.data_authority,
    )


def seen(found: ObjectionRow, actor: Actor) -> ObjectionRow:
    """The objection, where it concerns the reader.

    Raises:
        Forbidden: a department that neither raised it nor has to answer it.
    """
    concerned = {found.raised_org, found.source_org, *found.joined_orgs}
    if actor.role in OF_A_BODY and actor.org not in concerned:
        raise Forbidden(
            found.objection_id,
            found=f"an objection asked by the {actor.role.value} of {actor.org}",
            expected="a body that raised it or has to answer it",
            remedy="ask the data authority",
        )
    return found
