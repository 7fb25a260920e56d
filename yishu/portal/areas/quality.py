"""Quality: from the city's score by department down to the failing rule of an entry's run."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from catalog.vocabulary import QualityDimension, Severity
from yishu.governance.freezing import answers, sealed
from yishu.governance.months import CITY, MonthScore, Of, months, with_running
from yishu.governance.period import Period
from yishu.governance.report import gather, render
from yishu.governance.scores import (
    EntryFigures,
    FailingRule,
    Figure,
    Scores,
    Volume,
    days_of_rows,
    weights_on,
)
from yishu.ledger import Ledger
from yishu.portal.areas.quality_rows import may_see_rows
from yishu.portal.depends import Acting, Db
from yishu.portal.errors import NotFound
from yishu.portal.figures import desk_of
from yishu.portal.messages import label
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.quality_charts import (
    days_chart,
    department_path,
    heat_height,
    heat_map,
    months_chart,
)
from yishu.portal.world import World

router = APIRouter(prefix="/quality", include_in_schema=False)
PAGE_ROWS = 50
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
    desk = desk_of(page.world, db, page.now)
    figures = desk.figures(month)
    found = figures.scores
    return page.render(
        "quality/overview.html",
        month=month,
        scores=found,
        total=found.total(found.city),
        departments=_totals(found),
        dimensions=list(QualityDimension),
        days=figures.days,
        days_chart=days_chart(figures.days, page.say),
        heat=_heat(page, found),
        **_trend(page, db, (Of.CITY, CITY), MonthScore.running(found, found.city)),
        heat_height=heat_height(found),
        path=department_path,
        part=Part.cut(found.entries, number, PAGE_ROWS),
        names=page.world.names(),
        ageing={one.entry_id: one for one in Ledger(db).ageing()},
        answers=answers(db, month),
        is_frozen=sealed(db, month) is not None,
    )


@router.get("/departments/{org}")
def department(
    org: str,
    page: Reading,
    db: Db,
    *,
    period: str = "",
    dimension: QualityDimension | None = None,
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
    listed: Annotated[int, Query(alias="entries", ge=1)] = 1,
) -> Response:
    """A department's month: the rules that its data failed, the worst first.

    ``page`` is that of the rules, ``entries`` that of the entries.
    """
    month = _month(period, page)
    figures = desk_of(page.world, db, page.now).figures(month)
    found, entries = figures.scores, figures.entries_of.get(org, [])
    if not entries and org not in page.world.release().departments:
        raise _no_department(org)
    failing = [
        rule for one in entries for rule in one.failing if dimension in (None, rule.dimension)
    ]
    days = days_of_rows(db, month, found.until, [one.entry_id for one in entries])
    own = found.departments.get(org, {})
    return page.render(
        "quality/department.html",
        org=org,
        month=month,
        scores=found,
        own=own,
        total=found.total(own),
        volume=found.volumes.get(org, Volume()),
        entries=Part.cut(
            sorted(entries, key=lambda one: _most_wrong(one, dimension)), listed, PAGE_ROWS
        ),
        dimension=dimension,
        dimensions=list(QualityDimension),
        part=Part.cut(sorted(failing, key=_worst), number, PAGE_ROWS),
        days=days,
        days_chart=days_chart(days, page.say),
        **_trend(page, db, (Of.DEPARTMENT, org), MonthScore.running(found, own)),
        names=page.world.names(),
        answers=[one for one in answers(db, month) if one.department_id == org],
        path=department_path,
    )


@router.get("/report/{month}")
def report(month: str, page: Reading, db: Db) -> Response:
    """The report of a month, to be kept: one file that needs nothing."""
    return report_of(page.world, db, Period.parse(month), page.now)


def report_of(world: World, db: Connection, asked: Period, now: datetime) -> Response:
    """The report of a month as a file, to be saved."""
    desk = desk_of(world, db, now)
    found = gather(db, asked, now, catalog=desk.catalog, weights=weights_on, rules=desk.rules)
    kept = {"Content-Disposition": f'attachment; filename="quality-{asked.name}.html"'}
    return Response(render(found), media_type="text/html; charset=utf-8", headers=kept)


@router.get("/entries/{entry_id}")
def entry(entry_id: str, page: Reading, db: Db, actor: Acting, run: str | None = None) -> Response:
    """The checks of an entry's run, how the runs before it came out, and its months."""
    known = page.world.release().entry(entry_id)
    ledger, month = Ledger(db), _month("", page)
    found = desk_of(page.world, db, page.now).scores_of(month, entry_id)
    own = found.entries[0].dimensions if found.entries else {}
    return page.render(
        "quality/entry.html",
        entry=known,
        verdict=ledger.verdict(entry_id, run),
        trend=ledger.quality_trend(entry_id, 30),
        may_see_rows=may_see_rows(actor, known),
        dimensions=list(QualityDimension),
        **_trend(page, db, (Of.ENTRY, entry_id), MonthScore.running(found, own)),
        labels={one.value: one for one in (*QualityDimension, *Severity)},
    )


def _trend(page: Page, db: Connection, of: tuple[Of, str], running: MonthScore) -> dict[str, Any]:
    """The months up to one, that one as it stands, with their chart."""
    known = trend_of(db, of, running)
    return {"months": known, "months_chart": months_chart(known, page.say)}


def trend_of(db: Connection, of: tuple[Of, str], running: MonthScore) -> list[MonthScore]:
    """The months up to one, that one as it stands."""
    return with_running(months(db, *of, last=Period.parse(running.month)), running)


def _totals(scores: Scores) -> dict[str, tuple[dict[str, Figure], Decimal | None]]:
    """Figures and total of each department."""
    return {name: (own, scores.total(own)) for name, own in scores.departments.items()}


def _heat(page: Page, scores: Scores) -> dict[str, Any]:
    labels = {one.value: label(one, page.language) for one in QualityDimension}
    return heat_map(scores, page.world.org_name, page.say, labels)


def _worst(rule: FailingRule) -> tuple[int, str, str]:
    return -rule.failed, rule.entry_id, rule.check_id


def _most_wrong(entry: EntryFigures, dimension: QualityDimension | None) -> tuple[int, str]:
    chosen = [one for name, one in entry.dimensions.items() if dimension in (None, name)]
    return sum(one.right - one.counted for one in chosen), entry.entry_id


def _no_department(org: str) -> NotFound:
    return NotFound(
        org,
        found="no department of that id in the catalog in force",
        expected="a department that provides data",
        remedy="choose one on the page of the city's quality",
    )


def _month(name: str, page: Page) -> Period:
    return Period.parse(name or f"{page.world.today():%Y-%m}")
