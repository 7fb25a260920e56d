"""Quality: from the city's score down to the failing rule of an entry's run."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from catalog.vocabulary import QualityDimension, Severity
from yishu.governance.figure_desk import Desk
from yishu.governance.freezing import answers, frozen
from yishu.governance.period import Period
from yishu.governance.report import gather, render
from yishu.governance.scores import Scores, weights_on
from yishu.governance.working_calendar import rules_in_force
from yishu.ledger import Ledger
from yishu.portal.areas.quality_rows import may_see_rows
from yishu.portal.depends import Acting, Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.world import World

router = APIRouter(prefix="/quality", include_in_schema=False)
PAGE_ROWS = 100
LINKS = (Link("数据质量", "/quality", order=50),)


@router.get("")
def overview(
    page: Reading,
    db: Db,
    period: str = "",
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
) -> Response:
    """City, departments and entries of a month, each figure with what it was counted from."""
    month = _month(period, page)
    found = scores_of(page.world, db, month, page.now)
    lines = {name: (own, found.total(own)) for name, own in found.departments.items()}
    return page.render(
        "quality/overview.html",
        month=month,
        scores=found,
        total=found.total(found.city),
        departments=lines,
        dimensions=list(QualityDimension),
        part=Part.cut(found.entries, number, PAGE_ROWS),
        names=page.world.names(),
        ageing={one.entry_id: one for one in Ledger(page.world.engine).ageing()},
        answers=answers(db, month),
        is_frozen=frozen(db, month) is not None,
    )


@router.get("/report/{month}")
def report(month: str, page: Reading, db: Db) -> Response:
    """The report of a month, to be kept: one file that needs nothing."""
    asked = Period.parse(month)
    desk = desk_of(page.world, db, page.now)
    found = gather(db, asked, page.now, catalog=desk.catalog, weights=weights_on, rules=desk.rules)
    kept = {"Content-Disposition": f'attachment; filename="quality-{asked.name}.html"'}
    return Response(render(found), media_type="text/html; charset=utf-8", headers=kept)


@router.get("/entries/{entry_id}")
def entry(entry_id: str, page: Reading, actor: Acting, run: str | None = None) -> Response:
    """The checks of an entry's run, and how the runs before it came out."""
    known = page.world.release().entry(entry_id)
    ledger = Ledger(page.world.engine)
    return page.render(
        "quality/entry.html",
        entry=known,
        verdict=ledger.verdict(entry_id, run),
        trend=ledger.quality_trend(entry_id, 30),
        may_see_rows=may_see_rows(actor, known),
        labels={one.value: one for one in (*QualityDimension, *Severity)},
    )


def _month(name: str, page: Page) -> Period:
    return Period.parse(name or f"{page.world.today():%Y-%m}")


def scores_of(world: World, db: Connection, month: Period, at: datetime) -> Scores:
    """The figures of a month: as they were frozen, else as they are now."""
    return desk_of(world, db, at).scores(month)


def desk_of(world: World, db: Connection, at: datetime) -> Desk:
    """What the figures of the installation are computed from."""
    release = world.release()
    return Desk(db, release, rules_in_force(db, release, world.settings), at)
