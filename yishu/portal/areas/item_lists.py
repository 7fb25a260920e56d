"""Published lists of items: the version in force, every other, what differs row by row."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import BaseModel, Field

from catalog.roles import Action
from catalog.vocabulary import ListKind
from yishu.governance import lists
from yishu.governance.lists import Publication
from yishu.interchange import records
from yishu.ledger.journal import Actor
from yishu.portal.areas.items import bodies
from yishu.portal.depends import Db, permitted
from yishu.portal.pages import Reading
from yishu.portal.paging import Part
from yishu.portal.tables import workbook

router = APIRouter(prefix="/item-lists", include_in_schema=False)

PAGE_ROWS = 100

Keeper = Annotated[Actor, Depends(permitted(Action.MAINTAIN_ITEMS))]
_KEYS = {ListKind.PROVINCIAL_ITEM: "implementation_code"}
"""The column that names a row, where it is not ``code``."""


class Asked(BaseModel):
    """Whose list, and which two versions to compare; 0: none."""

    page: int = Field(1, ge=1)
    body: str = ""
    before: int = 0
    after: int = 0


@router.get("/{kind}")
def look(page: Reading, db: Db, kind: ListKind, asked: Annotated[Asked, Query()]) -> Response:
    """The rows in force, the versions, and what differs between two of them."""
    body, known = bodies(db, asked.body)
    rows = lists.rows_on(db, kind, body, page.world.today())
    both = asked.before and asked.after
    return page.render(
        "items/list.html",
        kind=kind,
        key=_key(kind),
        asked=asked,
        body=body,
        bodies=[(one, page.world.org_name(one)) for one in known],
        versions=lists.versions(db, kind, body),
        columns=_columns(rows),
        part=Part.cut(list(rows.items()), asked.page, PAGE_ROWS),
        changes=lists.diff(db, kind, body, asked.before, asked.after) if both else None,
    )


@router.get("/{kind}/export.xlsx")
def export(page: Reading, db: Db, kind: ListKind, asked: Annotated[Asked, Query()]) -> Response:
    """The rows in force, as a workbook."""
    body, _ = bodies(db, asked.body)
    rows = lists.rows_on(db, kind, body, page.world.today())
    columns = _columns(rows)
    lines = ([key, *(row.get(column) for column in columns)] for key, row in rows.items())
    return workbook(kind.label_zh, (_key(kind), *columns), lines)


@router.post("/{kind}")
def publish(
    page: Reading,
    db: Db,
    actor: Keeper,
    kind: ListKind,
    upload: Annotated[UploadFile, File()],
    *,
    body: Annotated[str, Form(min_length=1)],
    basis: Annotated[str, Form()],
) -> Response:
    """Publish a list as its next version; the same rows again change nothing."""
    name, key = upload.filename or "", _key(kind)
    required = (key, *required_of(kind))
    rows = records.keyed(name, records.read(name, upload.file.read(), required), key)
    made = lists.publish(db, Publication(kind, body, rows, basis), actor, page.now)
    shown = f"&before={made.version - 1}&after={made.version}" if made.version > 1 else ""
    return page.done(f"/item-lists/{kind.value}?body={body}{shown}", "清单已发布")


def required_of(kind: ListKind) -> tuple[str, ...]:
    """What every row of a list has to have beside its key."""
    return ("org",) if kind is ListKind.POWER else ()


def _key(kind: ListKind) -> str:
    return _KEYS.get(kind, "code")


def _columns(rows: lists.Rows) -> list[str]:
    """Every column that a row has, in the order in which they appear."""
    found: dict[str, Any] = {}
    for row in rows.values():
        found |= dict.fromkeys(row)
    return list(found)
