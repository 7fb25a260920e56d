"""Where one row came from, column by column, what it said before, and who received it.

The key stands in the form alone, never in an address; the purpose and the look go on record with
the keyed digest of the row, before anything is shown (S004 Art.16, 32).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from catalog.release import Release
from yishu.governance.errors import Forbidden
from yishu.ledger.journal import Actor
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.trace import RowTrace, key_of, trace_row
from yishu.portal import audit
from yishu.portal.depends import Acting, Db
from yishu.portal.errors import KeyIncomplete
from yishu.portal.grants import may_trace
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.world import World
from yishu.sharing.house import master_key
from yishu.sharing.uselog import row_key

router = APIRouter(prefix="/trace", include_in_schema=False)
LINKS = (Link("数据溯源", "/trace", 57),)

KIND = "row"
_KEY = "key-"


async def typed(request: Request) -> dict[str, str]:
    """Every field that the form sent."""
    return {name: str(text).strip() for name, text in (await request.form()).items()}


@router.get("")
def ask(page: Reading, actor: Acting, table: str = "") -> Response:
    """The form: first which table, then the key of a row and the purpose."""
    if not table:
        return page.render("trace/trace.html", tables=_tables(page, actor), table=None)
    _require(page.world.release(), table, actor)
    return _form(page, table)


@router.post("")
def follow(
    page: Reading, db: Db, actor: Acting, given: Annotated[dict[str, str], Depends(typed)]
) -> Response:
    """The story of a row, on this answer alone."""
    table, purpose = given.get("table", ""), given.get("purpose", "")
    key = {name.removeprefix(_KEY): text for name, text in given.items() if name.startswith(_KEY)}
    asked = Followed(table, key, purpose)
    try:
        return _form(page, table, found=story(page.world, db, asked, actor, page.now), asked=asked)
    except KeyIncomplete:
        return _form(page, table, lacks=True, asked=asked)


@dataclass(frozen=True)
class Followed:
    """A row of a subject's or an entry's table, by its key, and for what it is followed."""

    table: str
    key: Mapping[str, str]
    purpose: str


def story(world: World, db: Connection, asked: Followed, actor: Actor, now: datetime) -> RowTrace:
    """The story of a row; who follows it, and for what, goes on record before it is told.

    Raises:
        NotCataloged: there is no such table.
        Forbidden: they may not.
        KeyIncomplete: a column of the key has no value.
        ReasonMissing: no purpose.
    """
    _require(world.release(), asked.table, actor)
    url = world.engine.url.render_as_string(hide_password=False)
    context = PipelineContext(world.settings, world.release(), url, {}, lambda: now)
    try:
        key = _whole(asked, key_of(context, asked.table))
        digest = row_key(master_key(world.settings.secrets_dir), asked.table, list(key.values()))
        object_id = f"{asked.table}:{digest}"
        audit.traced(db, actor, now, object_kind=KIND, object_id=object_id, purpose=asked.purpose)
        return trace_row(context, asked.table, key)
    finally:
        context.engine.dispose()


def _whole(asked: Followed, columns: Sequence[str]) -> dict[str, str]:
    """The key in the order of its columns."""
    key = {name: text.strip() for name, text in asked.key.items()}
    if key.keys() == set(columns) and all(key.values()):
        return {name: key[name] for name in columns}
    raise KeyIncomplete(
        asked.table,
        found=f"{len(asked.key)} value(s), not one for each column",  # their names may be values
        expected=f"a value for each of {', '.join(columns)}",
        remedy="give the whole key",
    )


def _form(
    page: Page,
    table: str,
    *,
    found: RowTrace | None = None,
    lacks: bool = False,
    asked: Followed | None = None,
) -> Response:
    release = page.world.release()
    names = column_names(release, table)
    key = release.subjects[table].key if table in release.subjects else release.entry(table).key
    return page.render(
        "trace/trace.html",
        422 if lacks else 200,
        table=table,
        name=page.world.names()[table],
        key=[(f"{_KEY}{field}", names[field]) for field in key],
        names=names,
        titles=page.world.names(),
        found=found,
        at=lambda text: datetime.fromisoformat(text) if text else None,
        lacks=lacks,
        purpose=asked.purpose if asked else "",
    )


def column_names(release: Release, table: str) -> dict[str, str]:
    """Columns of a table as people call them."""
    if table in release.subjects:
        columns = release.subjects[table].columns
        return {one.field: release.elements[one.element].name for one in columns}
    return {item.field: item.name for item in release.entry(table).items}


def _tables(page: Page, actor: Actor) -> Sequence[tuple[str, str]]:
    """Subjects, and the entries of the reader's body; others are asked for from their page."""
    release = page.world.release()
    subjects = [(one.id, one.name) for one in release.subjects.values()]
    own = [(one.id, one.name) for one in page.world.entries_of(actor.org)]
    return [one for one in (*subjects, *own) if may_trace(release, one[0], actor)]


def _require(release: Release, table: str, actor: Actor) -> None:
    """Let only those trace who may.

    Raises:
        NotCataloged: there is no such table.
        Forbidden: they may not.
    """
    if not may_trace(release, table, actor):
        raise Forbidden(
            table,
            found=f"a row asked for by the {actor.role.value} of {actor.org}",
            expected="a department whose data it holds, a monitor, an auditor or the authority",
            remedy="ask the department that gives the data",
        )
