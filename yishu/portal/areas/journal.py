"""The journal: search, proof, export; for auditors alone."""

from datetime import date, datetime, time
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select

from catalog.roles import Action, Role
from yishu.ledger import upkeep
from yishu.ledger.chain import Proof
from yishu.ledger.journal import Actor
from yishu.ledger.models import JournalRecord
from yishu.ledger.seal import kept_outside, signing_key
from yishu.portal.depends import Db, Permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading
from yishu.portal.paging import COUNTED, Part
from yishu.portal.world import ZONE, World

router = APIRouter(prefix="/journal", include_in_schema=False)
LINKS = (Link("操作留痕", "/journal", 80, frozenset({Role.AUDITOR})),)
PAGE_ROWS = 50

Auditor = Annotated[Actor, Depends(Permitted(Action.READ_JOURNAL))]


class Asked(BaseModel):
    """What the search form sends; empty fits all."""

    account: str = ""
    org: str = ""
    action: str = ""
    object_id: str = ""
    since: date | str = ""
    until: date | str = ""
    page: int = Field(1, ge=1)

    @property
    def query(self) -> str:
        """What was asked, as the query of an address."""
        asked = self.model_dump(exclude={"page"})
        return urlencode({name: value for name, value in asked.items() if value})


@router.get("")
def look(page: Reading, db: Db, _: Auditor, asked: Annotated[Asked, Query()]) -> Response:
    """Records, newest first."""
    where = chosen(select(JournalRecord.__table__), asked)
    counted = chosen(select(JournalRecord.number), asked).limit(COUNTED + 1).subquery()
    total = db.execute(select(func.count()).select_from(counted)).scalar_one()
    newest = where.order_by(JournalRecord.number.desc())
    rows = db.execute(newest.limit(PAGE_ROWS).offset((asked.page - 1) * PAGE_ROWS)).all()
    departments = page.world.release().departments.values()
    return page.render(
        "journal/journal.html",
        part=Part.of(rows, total, asked.page, PAGE_ROWS),
        asked=asked,
        actions=tuple(Action),
        labels={one.value: one for one in Action},
        roles={one.value: one for one in Role},
        orgs=[(one.id, one.name) for one in departments],
    )


def chosen(statement: Select[Any], asked: Asked) -> Select[Any]:
    """A reading of the journal, of what fits the search."""
    found = statement
    for name in ("account", "org", "action", "object_id"):
        value = getattr(asked, name)
        if value:
            found = found.where(getattr(JournalRecord, name) == value)
    if isinstance(asked.since, date):
        found = found.where(JournalRecord.at >= datetime.combine(asked.since, time(), ZONE))
    if isinstance(asked.until, date):
        end = datetime.combine(asked.until, time.max, ZONE)
        found = found.where(JournalRecord.at <= end)
    return found


@router.post("/proof")
def prove(page: Reading, _: Auditor) -> Response:
    """Prove the whole journal against the seal that is kept outside of the database."""
    return page.render("journal/proof.html", proof=proven(page.world))


def proven(world: World) -> Proof:
    """What the proof of the whole journal finds."""
    here = world.settings
    key = signing_key(here.secrets_dir).public_key()
    return upkeep.verify_database(world.engine, key, kept_outside(here.seals_path))


@router.get("/export.jsonl")
def export(page: Reading, _: Auditor) -> Response:
    """The journal as a file that `yishu journal verify` proves offline."""
    return exported(page.world)


def exported(world: World) -> Response:
    """The journal as a file, to be saved."""
    folder = world.settings.var_dir / "exchange"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "journal.jsonl"
    upkeep.export_to(world.engine, file)
    name = f"journal-{world.today()}.jsonl"
    return FileResponse(file, media_type="application/x-ndjson", filename=name)
