"""The five rates of departments, each opening to its cases; answers to figures, and the freeze."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from catalog.roles import Action
from catalog.vocabulary import QualityDimension
from yishu.governance.freezing import (
    FIGURES,
    Answer,
    answer_days,
    answer_figure,
    answers,
    sealed,
)
from yishu.governance.period import Period
from yishu.governance.rates import Rate, indicators, league
from yishu.governance.scores import Figure
from yishu.ledger.journal import Actor
from yishu.portal.depends import Db, permitted
from yishu.portal.figures import desk_of
from yishu.portal.pages import Page, Reading
from yishu.portal.tables import workbook

router = APIRouter(prefix="/quality-rates", include_in_schema=False)

PATHS = {
    "entry": "/quality/entries/",
    "catalog_entry": "/catalog/entries/",
    "objection": "/objections/",
    "share_request": "/sharing/",
}
"""Where the object of a case is looked at."""

Respondent = Annotated[Actor, Depends(permitted(Action.ANSWER_FIGURE))]
Monitor = Annotated[Actor, Depends(permitted(Action.FREEZE_PERIOD))]


@router.get("")
def look(page: Reading, db: Db, period: str = "") -> Response:
    """The league of a quarter or month: the kept and the due of each rate, and what was said."""
    asked, desk = _period(page, period), desk_of(page.world, db, page.now)
    refreshed = indicators(db, asked)
    return page.render(
        "quality/rates.html",
        period=asked,
        league=league(desk.rates(asked)),
        rates=tuple(Rate),
        answers=answers(db, asked),
        answer_days=answer_days(asked, desk.rules),
        figures=[(one, page.say(_name(one))) for one in sorted(FIGURES)],
        names={one: _name(one) for one in FIGURES},
        frozen=sealed(db, asked),
        refreshed=max(refreshed, key=lambda one: one.at, default=None),
        month=f"{page.world.today():%Y-%m}",
        quarter=Period.quarter_of(page.world.today()).name,
    )


@router.get("/export.xlsx")
def export(page: Reading, db: Db, period: str = "") -> Response:
    """The league as a workbook, numerators beside denominators."""
    asked = _period(page, period)
    places = league(desk_of(page.world, db, page.now).rates(asked))
    said = answers(db, asked)
    headings = [f"{rate.label_zh}{part}" for rate in Rate for part in ("", "（分子）", "（分母）")]
    rows = (
        [one.rank, page.world.org_name(one.department_id),
         *(cell for rate in Rate for cell in _cells(one.figures[rate])),
         "；".join(each.answer for each in said if each.department_id == one.department_id)]
        for one in places
    )  # fmt: skip
    return workbook(f"供数考核{asked.name}", ("名次", "部门", *headings, "部门说明"), rows)


@router.get("/{org}")
def cases(page: Reading, db: Db, org: str, period: str = "", rate: Rate | None = None) -> Response:
    """The cases that a department's rates were counted from."""
    asked = _period(page, period)
    every = desk_of(page.world, db, page.now).cases(asked)
    own = [one for one in every if one.department_id == org]
    return page.render(
        "quality/rate_cases.html",
        period=asked,
        org=org,
        rate=rate,
        rows=[one for one in own if rate in (None, one.rate)],
        paths=PATHS,
    )


@router.get("/{org}/export.xlsx")
def export_cases(page: Reading, db: Db, org: str, period: str = "") -> Response:
    """The same as a workbook."""
    asked = _period(page, period)
    rows = (
        [one.rate.label_zh, one.object_kind, one.object_id, one.kept, one.due]
        for one in desk_of(page.world, db, page.now).cases(asked)
        if one.department_id == org
    )
    return workbook(f"供数考核{asked.name}", ("指标", "类别", "对象", "分子", "分母"), rows)


@router.post("/answers")
def answer(
    page: Reading,
    db: Db,
    actor: Respondent,
    *,
    period: Annotated[str, Form()],
    figure: Annotated[str, Form()],
    text: Annotated[str, Form()] = "",
) -> Response:
    """Answer a figure of the own department; the answer is printed beside it."""
    given = Answer(period, actor.org, figure, text, page.now, actor.account)
    answer_figure(db, given, actor, desk_of(page.world, db, page.now).rules)
    return page.done(f"/quality-rates?period={period}", "说明已提交")


@router.post("/freeze")
def freeze(page: Reading, db: Db, actor: Monitor, period: Annotated[str, Form()]) -> Response:
    """Make the figures of a period final."""
    desk_of(page.world, db, page.now).freeze(Period.parse(period), actor)
    return page.done(f"/quality-rates?period={period}", "期间已冻结")


def _period(page: Page, name: str) -> Period:
    return Period.parse(name) if name else Period.quarter_of(page.world.today())


def _cells(figure: Figure) -> tuple[str, int, int]:
    return ("—" if figure.percent is None else f"{figure.percent}%", figure.right, figure.counted)


def _name(figure: str) -> str:
    known: dict[str, str] = {one.value: one.label_zh for one in (*Rate, *QualityDimension)}
    return known.get(figure, "总分")
