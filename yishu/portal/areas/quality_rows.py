"""Quarantined rows of a run: masked for the eyes they concern, one in clear for a named purpose.

Every look goes on record; a value in clear is shown on the one answer to the form that says why.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Response
from sqlalchemy import Connection

from catalog.model import CatalogEntry
from catalog.roles import Action, Role
from yishu.governance.errors import Forbidden
from yishu.ledger import Ledger
from yishu.ledger.journal import Actor
from yishu.pipeline.reject_file import clear_row, masked_rows
from yishu.pipeline.store import run_folder
from yishu.portal import audit
from yishu.portal.depends import Acting, Db, permitted
from yishu.portal.pages import Page, Reading
from yishu.portal.world import World

router = APIRouter(prefix="/quality/entries", include_in_schema=False)

PAGE_ROWS = 20
KIND = "quarantined_rows"
SEE_EVERY_ROW = frozenset({Role.QUALITY_MONITOR, Role.AUTHORITY_REVIEWER})
"""Beside the department itself, whoever watches over quality sees its masked rows."""

Unmasker = Annotated[Actor, Depends(permitted(Action.UNMASK))]
Row = Annotated[int, Query(ge=1, lt=2**31)]


@router.get("/{entry_id}/rows")
def rows(
    entry_id: str,
    page: Reading,
    db: Db,
    actor: Acting,
    *,
    run: str,
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
) -> Response:
    """Quarantined rows of a run: values masked, every reason, the way out."""
    known = page.world.release().entry(entry_id)
    found = seen_rows(page.world, db, actor, now=page.now, known=known, run=run, number=number)
    verdict = Ledger(db).verdict(entry_id, run)
    every = verdict.quarantined if verdict else 0
    return page.render(
        "quality/rows.html",
        entry=known,
        run=run,
        rows=found,
        number=number,
        last=max(-(-every // PAGE_ROWS), 1),
        every=every,
    )


def seen_rows(
    world: World,
    db: Connection,
    actor: Actor,
    *,
    now: datetime,
    known: CatalogEntry,
    run: str,
    number: int,
) -> list[dict[str, Any]]:
    """A page of a run's quarantined rows, masked; the look goes on record.

    Raises:
        Forbidden: they are not for this actor.
        StageMissing: the run was not validated, or its quarantine is over.
    """
    if not may_see_rows(actor, known):
        raise _not_shown(actor, known)
    folder = run_folder(world.settings.var_dir, known.id, run)
    found = masked_rows(known, folder, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    audit.looked(db, actor, now, object_kind=KIND, object_id=f"{known.id}:{run}")
    return found


@router.get("/{entry_id}/clear")
def ask(entry_id: str, page: Reading, _: Unmasker, run: str, row: Row) -> Response:
    """The form that asks for what a row is needed in clear."""
    return _clear_page(page, page.world.release().entry(entry_id), run, row)


@router.post("/{entry_id}/clear")
def clear(
    entry_id: str,
    page: Reading,
    db: Db,
    actor: Unmasker,
    *,
    run: Annotated[str, Form()],
    row: Annotated[int, Form(ge=1, lt=2**31)],
    purpose: Annotated[str, Form()] = "",
) -> Response:
    """One row in clear, on this answer alone; purpose and name go on record first."""
    known = page.world.release().entry(entry_id)
    asked = Unmasked(run, row, purpose)
    values = in_clear(page.world, db, known, asked, actor, at=page.now)
    return _clear_page(page, known, run, row, values)


@dataclass(frozen=True)
class Unmasked:
    """A quarantined row of a run, its number from 1, and for what it is needed in clear."""

    run: str
    row: int
    purpose: str


def in_clear(
    world: World,
    db: Connection,
    known: CatalogEntry,
    asked: Unmasked,
    actor: Actor,
    *,
    at: datetime,
) -> dict[str, str]:
    """The values of a row by the names of their items; purpose and name go on record first.

    Raises:
        Forbidden: the role may not see values in clear.
        ReasonMissing: no purpose.
        StageMissing: the run's quarantine is over, or has no such row.
    """
    object_id = f"{known.id}:{asked.run}:{asked.row}"
    audit.unmasked(db, actor, at, object_kind=KIND, object_id=object_id, purpose=asked.purpose)
    folder = run_folder(world.settings.var_dir, known.id, asked.run)
    return clear_row(known, folder, asked.row)


def _clear_page(
    page: Page, known: CatalogEntry, run: str, row: int, values: dict[str, str] | None = None
) -> Response:
    return page.render("quality/clear.html", entry=known, run=run, row=row, values=values)


def may_see_rows(actor: Actor, known: CatalogEntry) -> bool:
    """Whether somebody may see an entry's quarantined rows, masked."""
    return actor.org == known.provider_org or actor.role in SEE_EVERY_ROW


def _not_shown(actor: Actor, known: CatalogEntry) -> Forbidden:
    return Forbidden(
        known.id,
        found=f"rows asked by the {actor.role.value} of {actor.org}",
        expected=f"{known.provider_org}, a quality monitor or the data authority",
        remedy="counts and rules are open to everybody; ask the department for its rows",
    )
