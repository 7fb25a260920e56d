"""The REST API, version 1: one row: where it came from and went, and its values in clear.

A key or a purpose stands in the body alone, never in an address. Who looks, at what and for what
is on record before anything is told (S004 Art.16, 32).
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from catalog.roles import Action
from yishu.ledger.journal import Actor
from yishu.pipeline.trace import RowTrace
from yishu.portal.areas.api import ERRORS
from yishu.portal.areas.api_office import permitted_caller
from yishu.portal.areas.quality_rows import Unmasked, in_clear
from yishu.portal.areas.trace import Followed, story
from yishu.portal.depends import Caller, Db, Here, Now

router = APIRouter(prefix="/api/v1", tags=["rows"], responses=ERRORS)

Unmasker = Annotated[Actor, permitted_caller(Action.UNMASK)]
Purpose = Annotated[str, Field(max_length=4_000)]


class Traced(BaseModel):
    """A row of a subject's or an entry's table by its whole key, and for what it is followed."""

    table: str = Field(max_length=120)
    key: dict[str, Annotated[str, Field(max_length=4_000)]] = Field(max_length=20)
    purpose: Purpose


class InClear(BaseModel):
    """A quarantined row of a run, its number from 1, and for what it is needed in clear."""

    run: str = Field(max_length=200)
    row: int = Field(ge=1, lt=2**31)
    purpose: Purpose


@router.post("/traces")
def trace(here: Here, db: Db, now: Now, actor: Caller, given: Traced) -> RowTrace:
    """Where a row came from, column by column, what it said before, and who received it.

    Values stay masked; without columns there is no such row.
    """
    return story(here, db, Followed(given.table, given.key, given.purpose), actor, now)


@router.post("/entries/{entry_id}/rows/clear")
def clear(
    here: Here, db: Db, now: Now, actor: Unmasker, *, entry_id: str, given: InClear
) -> dict[str, str]:
    """One quarantined row in clear, by the names of its items, for a purpose that is kept."""
    asked = Unmasked(given.run, given.row, given.purpose)
    return in_clear(here, db, here.release().entry(entry_id), asked, actor, at=now)
