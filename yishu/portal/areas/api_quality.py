"""The REST API, version 1: months, days and reports of the figures, runs of entries, quarantine."""

from fastapi import APIRouter, Response

from yishu.governance.months import CITY, MonthScore, Of
from yishu.governance.period import Period
from yishu.governance.scores import DayOfRows
from yishu.ledger import Ledger
from yishu.ledger.quarantine import AgeingFacts
from yishu.ledger.rows import RunQuality
from yishu.portal.areas.api import ERRORS, Json, saved
from yishu.portal.areas.api_office import verdict_of
from yishu.portal.areas.quality import report_of, trend_of
from yishu.portal.depends import Caller, Db, Here, Now
from yishu.portal.figures import desk_of

router = APIRouter(prefix="/api/v1", tags=["quality"], responses=ERRORS)


@router.get("/quality/{month}/months")
def by_month(
    here: Here, db: Db, now: Now, _: Caller, *, month: str, of: Of = Of.CITY, of_id: str = CITY
) -> list[MonthScore]:
    """The scores of twelve months up to one, of the city, a department or an entry.

    A month that nobody froze has none; the last one is as it stands.
    """
    period, desk = Period.parse(month), desk_of(here, db, now)
    if of is Of.ENTRY:
        found = desk.scores_of(period, here.release().entry(of_id).id)
        own = found.entries[0].dimensions if found.entries else {}
    else:
        found = desk.scores(period)
        own = found.city if of is Of.CITY else found.departments.get(of_id, {})
    object_id = CITY if of is Of.CITY else of_id
    return trend_of(db, (of, object_id), MonthScore.running(found, own))


@router.get("/quality/{period}/days")
def by_day(here: Here, db: Db, now: Now, _: Caller, period: str) -> tuple[DayOfRows, ...]:
    """Rows that were validated on each day of a period, and those that were set aside."""
    return desk_of(here, db, now).figures(Period.parse(period)).days


@router.get("/quality/{month}/report", **saved("text/html"))
def report(here: Here, db: Db, now: Now, _: Caller, month: str) -> Response:
    """The report of a month: one file that needs nothing."""
    return report_of(here, db, Period.parse(month), now)


@router.get("/quarantine")
def quarantine(db: Db, _: Caller) -> list[AgeingFacts]:
    """How the quarantine of each entry stands, the oldest row first; empty ones are left out."""
    return Ledger(db).ageing()


@router.get("/entries/{entry_id}/runs")
def runs(here: Here, db: Db, _: Caller, entry_id: str) -> list[RunQuality]:
    """How the latest validated runs of an entry came out, oldest first, at most 30."""
    return Ledger(db).quality_trend(here.release().entry(entry_id).id, 30)


@router.get("/entries/{entry_id}/verdicts/{run}")
def verdict(here: Here, db: Db, _: Caller, entry_id: str, run: str) -> Json:
    """The checks of one validated run of an entry."""
    return verdict_of(here, db, entry_id, run)
