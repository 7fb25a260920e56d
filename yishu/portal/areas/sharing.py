"""Share requests: the form, the timeline that both sides see, decisions, and channels."""

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy import Connection, select
from starlette.background import BackgroundTask

from catalog.errors import NotCataloged
from catalog.roles import Action, Role
from catalog.vocabulary import ShareType
from yishu.governance.working_calendar import calendar_in_force
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareGrant
from yishu.ledger.statements import query
from yishu.portal.depends import Acting, Db
from yishu.portal.errors import NotFound
from yishu.portal.grants import SEE_EVERY_GRANT, last_uses, registered, seen_grant
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import COUNTED, Part
from yishu.portal.share_form import chosen_items, content_of, found_items, proposed, values
from yishu.portal.snippets import profile_text, snippets
from yishu.sharing import deciding, filing, opening
from yishu.sharing.desk import Desk
from yishu.sharing.errors import RequestIncomplete
from yishu.sharing.form import RequestForm, missing
from yishu.sharing.house import House
from yishu.sharing.housekeeping import clear
from yishu.sharing.installed import house_of
from yishu.sharing.minimality import Finding
from yishu.sharing.objects import SharedObject, shared_object
from yishu.sharing.timeline import StepKind, timeline
from yishu.sharing.vocabulary import (
    ENDED,
    GrantState,
    Purpose,
    RegisterKind,
    RequestKind,
    RequestState,
    Seat,
    ShareFormat,
    Treatment,
)

router = APIRouter(prefix="/sharing", include_in_schema=False)
LINKS = (Link("数据共享", "/sharing", 20),)

Reason = Annotated[str, Form()]

PAGE_ROWS = 50
OFFERED_ROWS = 60
_STRIKE = "strike-"
OF_A_BODY = frozenset({Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD, Role.PROVIDER_REVIEWER})
"""They see what their own body asks for or gives; others see all that was received."""


@router.get("")
def list_of(
    page: Reading, db: Db, actor: Acting, number: Annotated[int, Query(alias="page", ge=1)] = 1
) -> Response:
    """The requests that concern the reader, those that wait for a decision first."""
    asked = {
        "org": actor.org if actor.role in OF_A_BODY else None,
        "own": actor.org,
        "limit": PAGE_ROWS,
        "offset": (number - 1) * PAGE_ROWS,
        "counted": COUNTED + 1,
    }
    rows = db.execute(query("share_requests_page"), asked).all()
    offered = (
        one
        for one in page.world.release().entries.values()
        if one.provider_org != actor.org and one.share.type is not ShareType.NOT_SHARED
    )
    return page.render(
        "sharing/list.html",
        part=Part.of(rows, rows[0].total if rows else 0, number, PAGE_ROWS),
        offered=list(islice(offered, OFFERED_ROWS)),
        decides=page.may(Action.DECIDE_REQUEST) or page.may(Action.REVIEW_REQUEST),
        names=page.world.names(),
        states={one.value: one for one in RequestState},
        grant_states={one.value: one for one in GrantState},
    )


@router.get("/new/{object_id}")
def ask(page: Reading, db: Db, actor: Acting, object_id: str) -> Response:
    """The empty form of a request, with what is told before filing."""
    return form_page(page, db, actor, RequestForm(object_id=object_id))


async def sent(request: Request) -> dict[str, str]:
    """Every field that the form sent, whatever their number."""
    return {name: str(text) for name, text in (await request.form()).items()}


@router.post("/new/{object_id}")
def keep(
    page: Reading,
    db: Db,
    actor: Acting,
    object_id: str,
    given: Annotated[dict[str, str], Depends(sent)],
) -> Response:
    """Keep the draft; everything that is missing is listed at once, and nothing is lost."""
    desk = desk_of(page, db)
    if given.get("propose"):
        given = proposed(desk, shared_object(desk.catalog, object_id), given)
    try:
        form = filing.parse(content_of(object_id, given))
    except RequestIncomplete as wrong:
        empty = RequestForm(object_id=object_id)
        return form_page(page, db, actor, empty, given=given, error=wrong)
    if given.get("propose"):
        return form_page(page, db, actor, form, given=given)
    lacking = missing(form, filing.object_of(desk, form), consented=True)
    if lacking and not given.get("draft"):
        error = RequestIncomplete(object_id, lacking)
        return form_page(page, db, actor, form, given=given, error=error)
    request_id = given.get("request_id") or filing.draft(desk, form, actor)
    if given.get("request_id"):
        filing.edit(desk, request_id, form, actor)
    return page.done(f"/sharing/{request_id}", "已保存")


@router.post("/autosave/{object_id}")
def autosave(
    page: Reading,
    db: Db,
    actor: Acting,
    object_id: str,
    given: Annotated[dict[str, str], Depends(sent)],
) -> Response:
    """Keep what was typed so far; the answer says when, and carries the draft's number."""
    desk, request_id = desk_of(page, db), given.get("request_id", "")
    try:
        form = filing.parse(content_of(object_id, given))
    except RequestIncomplete as wrong:
        return page.render("sharing/saved.html", request_id=request_id, lacking=wrong.parts)
    if request_id:
        filing.autosave(desk, request_id, form, actor)
    else:
        request_id = filing.draft(desk, form, actor)
    return page.render("sharing/saved.html", request_id=request_id, lacking=())


@router.post("/items")
def items_of(
    page: Reading, db: Db, _: Acting, given: Annotated[dict[str, str], Depends(sent)]
) -> Response:
    """Service items that fit a search, beside those that are ticked."""
    chosen = chosen_items(db, given)
    codes = {one.code for one in chosen}
    asked = given.get("item_search", "")
    hits = [one for one in found_items(db, asked) if one.code not in codes]
    return page.render("sharing/items.html", chosen=chosen, hits=hits, asked=asked)


@router.get("/channel/{grant_id}")
def channel(page: Reading, db: Db, actor: Acting, grant_id: str) -> Response:
    """A grant and its channel: what may be read, by whom, until when, and its last uses."""
    return _channel(page, db, actor, grant_id)


@router.post("/channel/{grant_id}/{step}")
def change(
    page: Reading, db: Db, actor: Acting, grant_id: str, *, step: str, reason: Reason = ""
) -> Response:
    """Open, suspend, resume or close a channel; a token is shown once, on this answer alone."""
    desk = desk_of(page, db)
    if step == "open":
        issued = opening.open_channel(desk, grant_id, actor)
        return _channel(page, db, actor, grant_id, issued.token)
    steps = {"suspend": opening.suspend, "resume": opening.resume, "close": opening.close}
    if step not in steps:
        raise _no_step(grant_id, step)
    steps[step](desk, grant_id, actor, reason)
    answer = page.done(f"/sharing/channel/{grant_id}", "已办理")
    if step == "close":
        # After the answer, so that the closing is committed and nobody builds the bytes again.
        answer.background = BackgroundTask(clear, house_at(page))
    return answer


@router.get("/{request_id}")
def show(page: Reading, db: Db, actor: Acting, request_id: str) -> Response:
    """A request with its timeline, the check of its elements, and what the reader can do now."""
    desk = desk_of(page, db)
    request = desk.request(request_id, lock=False)
    form = RequestForm.model_validate(request.form)
    object_ = filing.object_of(desk, form)
    only_for_parties(request, actor)
    days = calendar_in_force(db, page.world.settings.catalog_dir / "working_days")
    findings = findings_of(desk, form, object_)
    grants = db.scalars(
        select(ShareGrant.grant_id).where(ShareGrant.request_id == request_id)
    ).all()
    return page.render(
        "sharing/request.html",
        request_=request,
        form_=form,
        object_=object_,
        findings={one.field: one for one in findings},
        column_names={one.field: one.name for one in object_.columns.values()} if object_ else {},
        treatments={one.field: form.treatment(one.field, object_) for one in findings}
        if object_
        else {},
        kind=RequestKind(request.kind),
        told=timeline(desk, request_id, days),
        steps={one.value: one for one in StepKind},
        grants=grants,
        may_decide=_may_decide(desk, request, actor),
    )


@router.post("/{request_id}/{step}")
def act(
    page: Reading,
    db: Db,
    actor: Acting,
    request_id: str,
    *,
    step: str,
    given: Annotated[dict[str, str], Depends(sent)],
) -> Response:
    """One step of a request: consent, submit, withdraw, return, grant (all or less), refuse."""
    desk, reason = desk_of(page, db), given.get("reason", "")
    is_authority = actor.role is Role.AUTHORITY_REVIEWER
    action = Action.DECIDE_REQUEST if is_authority else Action.REVIEW_REQUEST
    steps: dict[str, Callable[[], object]] = {
        "consent": lambda: filing.consent(desk, request_id, actor),
        "submit": lambda: filing.submit(desk, request_id, actor),
        "withdraw": lambda: filing.withdraw(desk, request_id, actor),
        "return": lambda: filing.return_once(desk, request_id, reason.splitlines(), actor, action),
        "grant": lambda: deciding.grant(
            desk, request_id, actor, strike=_struck(given), note=reason
        ),
        "refuse": lambda: deciding.refuse(desk, request_id, actor, reason),
    }
    if step not in steps:
        raise _no_step(request_id, step)
    steps[step]()
    return page.done(f"/sharing/{request_id}", "已办理")


def findings_of(desk: Desk, form: RequestForm, object_: SharedObject | None) -> list[Finding]:
    """The check of a request's elements; none while it asks for what the catalog has not."""
    is_known = object_ is not None and all(one in object_.columns for one in form.fields)
    return filing.judged(desk, form)[0] if is_known else []


def _struck(given: dict[str, str]) -> list[str]:
    return [name.removeprefix(_STRIKE) for name in given if name.startswith(_STRIKE)]


def house_at(page: Page) -> House:
    """The house of the portal's installation, at the moment of the page."""
    world = page.world
    return house_of(world.settings, world.engine, lambda: page.now, world.release())


def desk_of(page: Page, db: Connection) -> Desk:
    """A desk of that house, in the page's transaction."""
    return house_at(page).desk(db)


def form_page(
    page: Page,
    db: Connection,
    actor: Actor,
    form: RequestForm,
    *,
    given: dict[str, str] | None = None,
    error: RequestIncomplete | None = None,
    action: str | None = None,
    marked: str | None = None,
) -> Response:
    """The form of a request: what was typed, what is missing, and where it is sent to.

    ``marked`` is the workbook that it was read from with all that is missing, in Base64.
    """
    known = values(page, desk_of(page, db), actor, form, given)
    return page.render(
        "sharing/form.html",
        200 if error is None else 422,
        action=action or f"/sharing/new/{form.object_id}",
        lacking=error.parts if error else (),
        marked=marked,
        **known,
    )


def only_for_parties(request: Any, actor: Actor) -> None:
    """Let see a request who files, gives, decides, opens or audits; a draft is its filer's alone.

    Raises:
        NotFound: for everybody else there is no such request.
    """
    is_own = actor.org == request.consumer_org
    is_party = actor.org in (request.provider_orgs or ()) or actor.role in SEE_EVERY_GRANT
    if not is_own and (request.state == RequestState.DRAFT or not is_party):
        raise NotFound(
            request.request_id,
            found="a request between other departments, or their draft",
            expected="a request of or to the own department",
            remedy="ask the big-data authority",
        )


def _may_decide(desk: Desk, request: Any, actor: Actor) -> bool:
    if request.state != RequestState.SUBMITTED:
        return False
    chair = deciding.next_chair(desk, request)
    if chair is None:
        return False
    if chair.seat is Seat.PROVIDER:
        return actor.role is Role.PROVIDER_REVIEWER and actor.org == chair.org
    return actor.role is Role.AUTHORITY_REVIEWER


def _channel(
    page: Page, db: Connection, actor: Actor, grant_id: str, token: str | None = None
) -> Response:
    desk = desk_of(page, db)
    grant = seen_grant(desk, grant_id, actor)
    object_ = _object(page, grant.object_id)
    base = page.world.settings.sharing_url
    return page.render(
        "sharing/channel.html",
        grant=grant,
        object_=object_,
        uses=last_uses(desk, grant_id, actor, PAGE_ROWS),
        token=token,
        profile=profile_text(base, token, grant) if token else None,
        snippets=snippets(grant, object_, page.world.release(), base) if object_ else [],
        state=GrantState(grant.state),
        purpose=Purpose(grant.purpose_code),
        purposes={one.value: one for one in Purpose},
        format=ShareFormat(grant.format),
        treatments={one.value: one for one in Treatment},
        registered=registered(desk, grant_id),
        all_kinds={one.value: one for one in RegisterKind},
        register_kinds=tuple(RegisterKind)[: 1 + (grant.state in ENDED)],
    )


def _object(page: Page, object_id: str) -> SharedObject | None:
    try:
        return shared_object(page.world.release(), object_id)
    except NotCataloged:
        return None


def _no_step(object_id: str, step: str) -> NotFound:
    return NotFound(
        object_id,
        found=f"a step called {step[:20]}",
        expected="a step of the page",
        remedy="open the page again",
    )
