"""Deciding: who decides in which order, refusals with reasons, and the grant that comes of it.

The profiles in force name the seats: under ``wuxi_2022`` the authority (S004 Art.18), under
``cn_decree_809`` the providing department (Decree 809 Art.21), with both the provider first and
then the authority. Sensitive personal information in clear always needs both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, insert, select

from catalog.roles import Action
from yishu.governance.accounts import principal_of
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareDecision, ShareGrant
from yishu.sharing import clocks, tokens
from yishu.sharing.desk import BEIJING, Desk, reason_of
from yishu.sharing.errors import ApprovalTooLow, NotThisState, RequestRefused, SameHands
from yishu.sharing.filing import judged
from yishu.sharing.form import REGION_COLUMN, RequestForm, RowScope
from yishu.sharing.minimality import approval_level
from yishu.sharing.objects import SharedObject, shared_object
from yishu.sharing.regions import covers_region, level_of_region
from yishu.sharing.telling import Told, tell
from yishu.sharing.vocabulary import (
    ApprovalLevel,
    GrantState,
    RequestKind,
    RequestState,
    Seat,
    Treatment,
)

AUTHORITY_ORG = "data_authority"
"""What stands for the one authority where a provider's seat names its department."""

_ACTIONS = {Seat.AUTHORITY: Action.DECIDE_REQUEST, Seat.PROVIDER: Action.REVIEW_REQUEST}


@dataclass(frozen=True)
class Chair:
    """A seat and the body that it belongs to."""

    seat: Seat
    org: str


def chairs(desk: Desk, request: Row[Any]) -> list[Chair]:
    """Who decides a request, in order."""
    named = {
        Seat.AUTHORITY if desk.catalog.profiles[one].reply_by == "data_authority" else Seat.PROVIDER
        for one in request.profiles
    }
    if request.approval_level == ApprovalLevel.DOUBLE:
        named = set(Seat)
    providers = [Chair(Seat.PROVIDER, org) for org in request.provider_orgs]
    authority = [Chair(Seat.AUTHORITY, AUTHORITY_ORG)]
    return [
        *(providers if Seat.PROVIDER in named else []),
        *(authority if Seat.AUTHORITY in named else []),
    ]


def next_chair(desk: Desk, request: Row[Any]) -> Chair | None:
    """Whose decision is awaited; None when all have decided."""
    decided = {(row.seat, row.seat_org) for row in decisions(desk, request.request_id)}
    waiting = (c for c in chairs(desk, request) if (c.seat.value, c.org) not in decided)
    return next(waiting, None)


def decisions(desk: Desk, request_id: str) -> Sequence[Row[Any]]:
    """What was decided so far, oldest first."""
    asked = select(ShareDecision.__table__).where(ShareDecision.request_id == request_id)
    return desk.connection.execute(asked.order_by(ShareDecision.decided_at)).all()


def grant(
    desk: Desk,
    request_id: str,
    actor: Actor,
    *,
    strike: Sequence[str] = (),
    note: str = "",
) -> str | None:
    """Consent in the next seat. Returns the grant's number once all seats have consented.

    Elements that no named use justifies are struck, and those that the decider strikes. A deputy
    decides in the seat of the account that they stand in for, which stands on record beside them.

    Raises:
        Forbidden: the actor does not hold the next seat.
        RequestRefused: nothing would be left; refuse it with the reason instead.
        ApprovalTooLow: what is left needs more seats than have consented.
    """
    request = desk.request(request_id, RequestState.SUBMITTED)
    chair = _take_seat(desk, request, actor)
    form = _reduced(desk, request_id, RequestForm.model_validate(request.form), strike)
    desk.set_request(request_id, form=form.model_dump(mode="json"))
    _record(desk, request_id, chair, actor, "granted", reason=note.strip() or None)
    if next_chair(desk, request) is not None:
        return None
    desk.set_request(request_id, state=RequestState.APPROVED.value, decided_at=desk.at)
    clocks.finish(desk, request_id, actor)
    grant_id = _make_grant(desk, request, form, chair)
    desk.step(actor, _ACTIONS[chair.seat], grant_id, "authorised")
    tell(desk, Told.GRANTED, request.consumer_org, request_id, about=form.object_id, note=note)
    if request.kind != RequestKind.RENEWAL:
        clocks.start_delivery(desk, grant_id, list(request.provider_orgs), actor)
    return grant_id


def grant_all(
    desk: Desk,
    request_ids: Iterable[str],
    actor: Actor,
    *,
    strike: Sequence[str] = (),
    note: str = "",
) -> dict[str, str | None]:
    """Consent to several requests like ``grant``: to all in the caller's transaction, or to none.

    Taken in one order, so that two deciders of the same requests do not wait for each other.
    """
    return {
        one: grant(desk, one, actor, strike=strike, note=note) for one in sorted(set(request_ids))
    }


def refuse(
    desk: Desk,
    request_id: str,
    actor: Actor,
    reason: str,
    *,
    basis: str | None = None,
) -> None:
    """Refuse in the next seat, with the reason; the request ends there.

    Raises:
        ReasonMissing: no reason (the database would not keep it either).
    """
    request = desk.request(request_id, RequestState.SUBMITTED)
    chair = _take_seat(desk, request, actor)
    why = reason_of(request_id, reason, "a refusal")
    _record(desk, request_id, chair, actor, "refused", reason=why, basis=basis)
    desk.set_request(request_id, state=RequestState.REFUSED.value, decided_at=desk.at)
    clocks.finish(desk, request_id, actor)
    about = request.form["object_id"]
    tell(desk, Told.REFUSED, request.consumer_org, request_id, about=about, note=why)


def begins(day: date) -> datetime:
    """The first moment of a day in Beijing, UTC."""
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)


def _take_seat(desk: Desk, request: Row[Any], actor: Actor) -> Chair:
    chair = next_chair(desk, request)
    if chair is None:
        raise NotThisState(
            request.request_id,
            found="every seat has decided",
            expected="a seat that has not decided yet",
            remedy="look at its timeline",
        )
    org = chair.org if chair.seat is Seat.PROVIDER else None
    require(actor, _ACTIONS[chair.seat], request.request_id, org)
    if actor.person in (request.filed_by, request.consented_by):
        raise SameHands(
            request.request_id,
            found="a decision by whoever filed the request or consented to it",
            expected="another person, also where a deputy decides (S004 Art.18)",
            remedy="let the account's holder or another deputy decide",
        )
    return chair


def _reduced(desk: Desk, request_id: str, form: RequestForm, strike: Sequence[str]) -> RequestForm:
    findings, _ = judged(desk, form)
    struck = {one.field for one in findings if one.verdict == "struck"} | set(strike)
    left = tuple(one for one in form.elements if one.field not in struck)
    if not left:
        raise RequestRefused(
            request_id,
            found="no element that a named use justifies",
            expected="at least one (最小够用, S004 Art.18)",
            remedy="refuse it with this reason, or return it for completion",
        )
    return form.model_copy(update={"elements": left})


def _record(
    desk: Desk, request_id: str, chair: Chair, actor: Actor, outcome: str, **said: str | None
) -> None:
    desk.connection.execute(
        insert(ShareDecision).values(
            request_id=request_id,
            seat=chair.seat.value,
            seat_org=chair.org,
            outcome=outcome,
            person=actor.person,
            account=actor.account,
            org=actor.org,
            deputy_for=principal_of(actor),
            decided_at=desk.at,
            **said,
        )
    )
    desk.step(actor, _ACTIONS[chair.seat], request_id, outcome, said.get("reason"))


def _make_grant(desk: Desk, request: Row[Any], form: RequestForm, chair: Chair) -> str:
    object_ = shared_object(desk.catalog, form.object_id)
    made = decisions(desk, request.request_id)
    _need_level(request, form, object_, {Seat(row.seat) for row in made})
    values = {
        **_granted(desk, request, form, object_),
        "request_id": request.request_id,
        "approved_seat": chair.seat.value,
        "approved_org": chair.org,
        "decided_by": [row.person for row in made],
        "decided_by_orgs": [row.org for row in made],
        "decided_at": desk.at,
    }
    if request.kind == RequestKind.RENEWAL:
        return _prolong(desk, request.grant_id, values)
    grant_id = desk.number("GT")
    state = GrantState.APPROVED.value
    desk.connection.execute(insert(ShareGrant).values(grant_id=grant_id, state=state, **values))
    return grant_id


def _prolong(desk: Desk, grant_id: str, values: dict[str, Any]) -> str:
    """A renewal keeps channel, token and scope: only term and decision are new.

    Raises:
        RequestRefused: another scope is asked for, or some of it was struck.
    """
    before = desk.grant(grant_id, GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED)
    other = [name for name in _SCOPE if getattr(before, name) != values[name]]
    if other:
        raise RequestRefused(
            grant_id,
            found=f"a renewal with other {', '.join(other)} than were granted",
            expected="the scope of the grant, for a further term",
            remedy="refuse it with this reason; another scope is a change of scope, decided anew",
        )
    kept = ("request_id", "approved_seat", "approved_org", "valid_until")
    decided = ("decided_by", "decided_by_orgs", "decided_at")
    desk.set_grant(grant_id, **{name: values[name] for name in (*kept, *decided)})
    tokens.prolong(desk, grant_id, values["valid_until"])
    return grant_id


_SCOPE = ("columns", "row_scope", "masks", "purpose_code", "mode", "format", "destination")
"""What a renewal leaves as it is."""


def _need_level(
    request: Row[Any], form: RequestForm, object_: SharedObject, seats: set[Seat]
) -> None:
    if approval_level(form, object_) is ApprovalLevel.DOUBLE and seats != set(Seat):
        raise ApprovalTooLow(
            request.request_id,
            found=f"consent of {' and '.join(sorted(seats))}",
            expected="consent of provider and authority for sensitive personal information",
            remedy="ask for it masked, or let both decide",
        )


def _granted(
    desk: Desk, request: Row[Any], form: RequestForm, object_: SharedObject
) -> dict[str, Any]:
    consumer = desk.catalog.departments[request.consumer_org]
    if form.valid_from is None or form.valid_until is None or form.purpose_code is None:
        raise ValueError(f"{request.request_id} was received without term or purpose")
    return {
        "object_id": object_.id,
        "consumer_org": request.consumer_org,
        "consumer_level": level_of_region(consumer.region_code),
        "consumer_region": consumer.region_code,
        "provider_orgs": list(object_.providers),
        "columns": list(form.fields),
        "row_scope": _rows(request.request_id, form.rows, object_, consumer.region_code).model_dump(
            mode="json"
        ),
        "masks": _masks(form, object_),
        "purpose_code": form.purpose_code.value,
        "purpose": form.purpose,
        "service_items": list(form.service_items),
        "mode": form.mode,
        "format": form.format,
        "cycle": form.cycle,
        "destination": form.destination,
        "valid_from": begins(form.valid_from),
        "valid_until": begins(form.valid_until + timedelta(days=1)),
    }


def _masks(form: RequestForm, object_: SharedObject) -> dict[str, str]:
    masks = {}
    for field in form.fields:
        treatment = form.treatment(field, object_)
        if treatment is Treatment.TOKEN:
            masks[field] = Treatment.TOKEN.value
        elif treatment is Treatment.MASKED:
            # Personal data without a mask of their own are hidden whole.
            mask = object_.columns[field].mask
            masks[field] = "full" if mask == "none" else mask.value
    return masks


def _rows(request_id: str, rows: RowScope, object_: SharedObject, region: str) -> RowScope:
    """The rows asked for, and of another district's none (S002 二(六), S001 一(二)2)."""
    if level_of_region(region) != "district" or REGION_COLUMN not in object_.columns:
        return rows
    own = tuple(code for code in rows.regions or (region,) if covers_region(region, code))
    if not own:
        raise RequestRefused(
            request_id,
            found=f"rows of {', '.join(rows.regions)} asked by a body of {region}",
            expected=f"rows of {region}",
            remedy="ask through the city's department, or for the rows of the own region",
        )
    return rows.model_copy(update={"regions": own})
