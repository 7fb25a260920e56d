"""The REST API, version 1: sources and disputes, demands and duties, rates, lineage."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from catalog.model import Scope
from catalog.roles import Action
from yishu.governance import disputes, sources
from yishu.governance.freezing import Answer, answer_days, answer_figure, answers, sealed
from yishu.governance.period import Period
from yishu.governance.rates import league
from yishu.governance.scores import Figure
from yishu.governance.sources import Claim
from yishu.ledger.journal import Actor
from yishu.portal import figures
from yishu.portal.areas.api import ERRORS, PAGE_ROWS, Json, Number
from yishu.portal.areas.api_office import (
    AtDesk,
    Officer,
    permitted_caller,
)
from yishu.portal.areas.demands import Gaps, gaps
from yishu.portal.areas.lineage import flow_of, graph_of
from yishu.portal.areas.register import CONSULTING_DAYS, RulingForm, ruling_of
from yishu.portal.areas.register import Number as Dispute
from yishu.portal.depends import Caller, Db, Here, Now
from yishu.sharing import lists

router = APIRouter(prefix="/api/v1", responses=ERRORS)

Claimant = Annotated[Actor, permitted_caller(Action.CLAIM_SOURCE)]
Disputant = Annotated[Actor, permitted_caller(Action.OPEN_DISPUTE)]
Compiler = Annotated[Actor, permitted_caller(Action.COMPILE_ENTRY)]
Respondent = Annotated[Actor, permitted_caller(Action.ANSWER_FIGURE)]
Monitor = Annotated[Actor, permitted_caller(Action.FREEZE_PERIOD)]


class Claimed(BaseModel):
    """An entry as the source of an element; without a scope of everything."""

    element: str = Field(max_length=120)
    entry: str = Field(max_length=120)
    scope: Scope | None = None
    since: date
    why: str = Field(max_length=4_000)

    @property
    def claim(self) -> Claim:
        """The claim that is meant."""
        return Claim(self.element, self.entry, self.scope, self.since, self.why)


class Disputed(Claimed):
    """A claim that another one stands against, and the last day of consulting."""

    due: date


class DisputeStep(BaseModel):
    """The next step: to pass on until ``due``; or who is the source, since when and why."""

    step: Literal["escalate", "concede", "decide"]
    due: date | None = None
    winner: str = Field("", max_length=120)
    since: date | None = None
    reason: str = Field("", max_length=4_000)

    def ruling(self, today: date) -> RulingForm:
        """Who is the source; from today on where no day is said."""
        return RulingForm(winner=self.winner, since=self.since or today, reason=self.reason)


class Duty(BaseModel):
    """An entry that a department's duties let it give, and the duty."""

    entry: str = Field(max_length=120)
    basis: str = Field(max_length=4_000)


class Said(BaseModel):
    """What a department says of one of its figures."""

    figure: str = Field(max_length=40)
    text: str = Field(max_length=4_000)


@router.get("/sources", tags=["sources"])
def registered(
    here: Here,
    db: Db,
    _: Caller,
    *,
    element: str | None = None,
    org: str | None = None,
    number: Number = 1,
) -> list[Json]:
    """Who is the source of what today, with the decision that made it so, 50 a page."""
    every = sources.register_of(db, here.today(), element)
    found = [one for one in every if org in (None, one.org)]
    return [_source(one) for one in found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]]


@router.get("/sources/gaps", tags=["sources"])
def uncovered(here: Here, db: Db, _: Caller) -> list[Json]:
    """For which values of an element's scope nobody is the source."""
    every = sources.register_of(db, here.today())
    return [asdict(one) for one in sources.gaps(here.rules().registers, every)]


@router.post("/sources", tags=["sources"])
def claim(db: Db, now: Now, actor: Claimant, given: Claimed) -> Json:
    """Register an entry as a source; an overlap is refused, naming the first claim."""
    sources.claim(db, given.claim, actor, now)
    return {"element": given.element, "entry": given.entry}


@router.get("/disputes", tags=["sources"])
def disputed(db: Db, _: Caller, *, undecided: bool = False) -> list[Json]:
    """Disputes over sources, the nearest deadline first."""
    return [asdict(one) for one in disputes.listed(db, undecided=undecided)]


@router.get("/disputes/{number}", tags=["sources"])
def dispute(db: Db, _: Caller, number: Dispute) -> Json:
    """One dispute: what, between whom, where it is, and how it was decided."""
    return asdict(disputes.find(db, number))


@router.post("/disputes", tags=["sources"])
def open_dispute(db: Db, now: Now, actor: Disputant, given: Disputed) -> Json:
    """Dispute the claim that stands against one's own."""
    return asdict(disputes.open_dispute(db, given.claim, given.due, actor, now))


@router.post("/disputes/{number}/steps", tags=["sources"])
def step(
    here: Here, db: Db, now: Now, actor: Caller, *, number: Dispute, given: DisputeStep
) -> Json:
    """Pass it on, give way while the bodies consult, or decide it."""
    if given.step == "escalate":
        until = given.due or here.today() + timedelta(days=CONSULTING_DAYS)
        return asdict(disputes.escalate(db, number, until, actor, now))
    ruling = ruling_of(here, db, number, given.ruling(here.today()))
    settle = disputes.concede if given.step == "concede" else disputes.decide
    return asdict(settle(db, number, ruling, actor, now))


@router.get("/demands", tags=["sharing"])
def demanded(
    here: Here, desk: AtDesk, _: Caller, org: str | None = None, number: Number = 1
) -> list[Json]:
    """What departments need, with the entries that meet it, 50 a page."""
    first = (number - 1) * PAGE_ROWS
    found = lists.matches(desk, org, supply=here.supply(), offset=first, limit=PAGE_ROWS)
    return [asdict(one) for one in found]


@router.get("/demands/gaps", tags=["sharing"])
def unmet(here: Here, desk: AtDesk, _: Caller) -> Gaps:
    """What stands on no responsibility list, and how much is not shared at all."""
    return gaps(here, desk)


@router.post("/demands", tags=["sharing"])
def demand(desk: AtDesk, actor: Officer, given: Json) -> Json:
    """Put a demand on the caller's list; all that is missing is said at once."""
    return {"demand_id": lists.list_demand(desk, lists.demand_of(given), actor)}


@router.get("/duties", tags=["sharing"])
def duties(desk: AtDesk, _: Caller, org: str | None = None, number: Number = 1) -> list[Json]:
    """Which entries departments' duties let them give, 50 a page."""
    first = (number - 1) * PAGE_ROWS
    rows = lists.responsibilities(desk, org, offset=first, limit=PAGE_ROWS)
    return [dict(row._mapping) for row in rows]


@router.post("/duties", tags=["sharing"])
def duty(desk: AtDesk, actor: Compiler, given: Duty) -> Json:
    """Put an entry on the list of what the caller's duties let them give."""
    lists.list_responsibility(desk, given.entry, given.basis, actor)
    return {"entry": given.entry}


@router.get("/rates/{period}", tags=["quality"])
def rates(here: Here, db: Db, now: Now, _: Caller, period: str) -> Json:
    """The rates of departments in a month or quarter: kept over due, and what was said of them."""
    asked, desk = Period.parse(period), figures.desk_of(here, db, now)
    frozen = sealed(db, asked)
    return {
        "period": asked.name,
        "league": [
            {
                "rank": one.rank,
                "department_id": one.department_id,
                "rates": {rate.value: _figure(figure) for rate, figure in one.figures.items()},
            }
            for one in league(desk.rates(asked))
        ],
        "answers": [asdict(one) for one in answers(db, asked)],
        "answer_days": answer_days(asked, desk.rules),
        "frozen": None if frozen is None else asdict(frozen),
    }


@router.get("/rates/{period}/{org}/cases", tags=["quality"])
def cases(here: Here, db: Db, now: Now, _: Caller, *, period: str, org: str) -> list[Json]:
    """What a department's rates were counted from."""
    every = figures.desk_of(here, db, now).cases(Period.parse(period))
    return [asdict(one) for one in every if one.department_id == org]


@router.post("/rates/{period}/answers", tags=["quality"])
def answer(here: Here, db: Db, now: Now, actor: Respondent, *, period: str, given: Said) -> Json:
    """Answer a figure of the own department; the answer is printed beside it."""
    told = Answer(period, actor.org, given.figure, given.text, now, actor.account)
    answer_figure(db, told, actor, figures.desk_of(here, db, now).rules)
    return asdict(told)


@router.post("/rates/{period}/freeze", tags=["quality"])
def freeze(here: Here, db: Db, now: Now, actor: Monitor, period: str) -> Json:
    """Make the figures of a period final."""
    asked = Period.parse(period)
    figures.desk_of(here, db, now).freeze(asked, actor)
    return {"period": asked.name}


@router.get("/lineage", tags=["lineage"])
def lineage(here: Here, db: Db, _: Caller, data_set: str = "", column: str = "") -> Json:
    """Which table (or column, ``table#column``) flows into which; of all where none is named."""
    drawn = flow_of(graph_of(here, db), data_set, column)
    return {
        "data_sets": sorted(box.name for box in drawn.boxes),
        "flows": sorted((one.name, two.name) for one, two in drawn.lines),
    }


def _source(one: sources.Registered) -> Json:
    return asdict(one) | {"scope": None if one.scope is None else one.scope.model_dump()}


def _figure(figure: Figure) -> Json:
    return {"kept": figure.right, "due": figure.counted, "percent": figure.percent}
