"""Filing: drafts, the head's consent, submission, the one return, withdrawal, renewal, change.

The clock of the reply starts when a complete request is received. A return names everything that
is missing and happens once at most; it pauses that clock (a local choice, in neither text).
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, insert

from catalog.errors import NotCataloged
from catalog.materials import needed
from catalog.roles import Action
from catalog.vocabulary import ShareType
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareRequest
from yishu.sharing import clocks
from yishu.sharing.desk import Desk, reason_of
from yishu.sharing.errors import Missing, NotThisState, RequestIncomplete, RequestRefused
from yishu.sharing.form import RequestForm, missing
from yishu.sharing.minimality import Finding, approval_level, check, smallest
from yishu.sharing.objects import SharedObject, shared_object
from yishu.sharing.onward import consents_needed
from yishu.sharing.telling import Told, tell
from yishu.sharing.vocabulary import ApprovalLevel, GrantState, RequestKind, RequestState


def parse(content: Any, name: str = "request") -> RequestForm:
    """A form from plain data (JSON, XLSX, a web form); a fee is refused here already.

    Raises:
        RequestIncomplete: values that the form cannot hold, all of them named.
    """
    try:
        return RequestForm.model_validate(content)
    except ValidationError as error:
        raise RequestIncomplete(name, [fault(one) for one in error.errors()]) from None


def draft(desk: Desk, form: RequestForm, actor: Actor) -> str:
    """Keep a draft; it may lack anything. Returns the request's number."""
    return _keep(desk, form, actor, RequestKind.NEW, None)


def edit(desk: Desk, request_id: str, form: RequestForm, actor: Actor) -> None:
    """Change a draft or a returned request; the head's consent is asked anew."""
    row = desk.request(request_id, RequestState.DRAFT, RequestState.RETURNED)
    require(actor, Action.FILE_REQUEST, request_id, row.consumer_org)
    desk.set_request(request_id, form=form.model_dump(mode="json"), consented_by=None)
    desk.step(actor, Action.FILE_REQUEST, request_id, "edited")


def autosave(desk: Desk, request_id: str, form: RequestForm, actor: Actor) -> None:
    """Keep what is being typed into a draft: no step of its timeline; consent is asked anew."""
    row = desk.request(request_id, RequestState.DRAFT)
    require(actor, Action.FILE_REQUEST, request_id, row.consumer_org)
    desk.set_request(request_id, form=form.model_dump(mode="json"), consented_by=None)


def consent(desk: Desk, request_id: str, actor: Actor) -> None:
    """The head of the department agrees to file (Decree 809 Art.20)."""
    row = desk.request(request_id, RequestState.DRAFT, RequestState.RETURNED)
    require(actor, Action.CONSENT_REQUEST, request_id, row.consumer_org)
    desk.set_request(request_id, consented_by=actor.person)
    desk.step(actor, Action.CONSENT_REQUEST, request_id, "consented")


def submit(desk: Desk, request_id: str, actor: Actor) -> None:
    """Hand the request in: everything missing is said in one reply, else it is received.

    Raises:
        RequestIncomplete: with all missing parts; the request stays where it is.
        RequestRefused: what is asked for is not shared; the legal basis is named.
    """
    row = desk.request(request_id, RequestState.DRAFT, RequestState.RETURNED)
    require(actor, Action.FILE_REQUEST, request_id, row.consumer_org)
    form = RequestForm.model_validate(row.form)
    object_ = object_of(desk, form)
    if object_ is not None:
        _refuse_not_shared(request_id, object_)
    parts = missing(form, object_, consented=row.consented_by is not None)
    if parts or object_ is None:
        raise RequestIncomplete(request_id, parts)
    consents = consents_needed(desk, request_id, object_, actor)
    level = ApprovalLevel.DOUBLE if consents else approval_level(form, object_)
    desk.set_request(
        request_id,
        state=RequestState.SUBMITTED.value,
        received_at=row.received_at or desk.at,
        provider_orgs=[*object_.providers, *consents],
        profiles=list(desk.profiles),
        approval_level=level.value,
    )
    desk.step(actor, Action.FILE_REQUEST, request_id, "received")
    if row.state == RequestState.RETURNED:
        clocks.resume(desk, request_id, actor)
    else:
        clocks.start(desk, request_id, object_, actor)


def return_once(
    desk: Desk, request_id: str, parts: Sequence[str], actor: Actor, action: Action
) -> None:
    """Send it back for completion, naming everything, once at most; the reply clock pauses.

    Raises:
        NotThisState: it was returned before.
        ReasonMissing: nothing is named.
    """
    row = desk.request(request_id, RequestState.SUBMITTED)
    require(actor, action, request_id, _own_object(row, actor, action))
    note = reason_of(request_id, "；".join(part.strip() for part in parts), "a return")
    if row.returned_times:
        raise NotThisState(
            request_id,
            found="a second return",
            expected="one return that names everything (一次性告知, Decree 809 Art.21)",
            remedy="decide it as it is, with the reason",
        )
    desk.set_request(request_id, state=RequestState.RETURNED.value, returned_times=1)
    desk.step(actor, action, request_id, "returned", note)
    clocks.pause(desk, request_id, actor)
    about = row.form["object_id"]
    tell(desk, Told.RETURNED, row.consumer_org, request_id, about=about, note=note)


def withdraw(desk: Desk, request_id: str, actor: Actor) -> None:
    """Take a request back before it is decided."""
    states = (RequestState.DRAFT, RequestState.SUBMITTED, RequestState.RETURNED)
    row = desk.request(request_id, *states)
    require(actor, Action.FILE_REQUEST, request_id, row.consumer_org)
    # A draft that is withdrawn was never received; the table wants every other state to be.
    received = row.received_at or desk.at
    desk.set_request(request_id, state=RequestState.WITHDRAWN.value, received_at=received)
    desk.step(actor, Action.FILE_REQUEST, request_id, "withdrawn")
    if row.received_at is not None:
        clocks.finish(desk, request_id, actor, withdrawn=True)


def renew(desk: Desk, grant_id: str, form: RequestForm, actor: Actor) -> str:
    """Ask for a further term of a grant, with the same scope; a draft like any other."""
    return _about_grant(desk, grant_id, form, actor, RequestKind.RENEWAL)


def change_scope(desk: Desk, grant_id: str, form: RequestForm, actor: Actor) -> str:
    """Ask for another scope of a grant: a new decision; the grant serves as before until then."""
    return _about_grant(desk, grant_id, form, actor, RequestKind.CHANGE)


def object_of(desk: Desk, form: RequestForm) -> SharedObject | None:
    """What a form asks for, or None when the catalog has nothing of that name."""
    try:
        return shared_object(desk.catalog, form.object_id)
    except NotCataloged:
        return None


def judged(desk: Desk, form: RequestForm) -> tuple[list[Finding], tuple[str, ...]]:
    """The minimality check of a complete form, and the smallest set that it proposes."""
    object_ = shared_object(desk.catalog, form.object_id)
    wanted = needed(dict(desk.materials), form.service_items)
    return check(form, object_, wanted), smallest(object_, wanted)


def _own_object(row: Row[Any], actor: Actor, action: Action) -> str | None:
    """The body whose object the request is for an action: a provider's own one is the actor's."""
    is_provider = action is Action.REVIEW_REQUEST and actor.org in row.provider_orgs
    return actor.org if is_provider else None


def _keep(
    desk: Desk, form: RequestForm, actor: Actor, kind: RequestKind, grant_id: str | None
) -> str:
    require(actor, Action.FILE_REQUEST, form.object_id or "request", actor.org)
    request_id = desk.number("SQ")
    desk.connection.execute(
        insert(ShareRequest).values(
            request_id=request_id,
            kind=kind.value,
            grant_id=grant_id,
            consumer_org=actor.org,
            state=RequestState.DRAFT.value,
            form=form.model_dump(mode="json"),
            profiles=list(desk.profiles),
            provider_orgs=[],
            filed_by=actor.person,
            filed_at=desk.at,
        )
    )
    desk.step(actor, Action.FILE_REQUEST, request_id, "drafted")
    return request_id


def _about_grant(
    desk: Desk, grant_id: str, form: RequestForm, actor: Actor, kind: RequestKind
) -> str:
    grant = desk.grant(grant_id, GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED)
    require(actor, Action.FILE_REQUEST, grant_id, grant.consumer_org)
    if form.object_id != grant.object_id:
        part = Missing("REQ_OTHER_OBJECT", "object_id", f"该授权的数据是 {grant.object_id}。")
        raise RequestIncomplete(grant_id, [part])
    return _keep(desk, form, actor, kind, grant_id)


def _refuse_not_shared(request_id: str, object_: SharedObject) -> None:
    if object_.share_type is ShareType.NOT_SHARED:
        raise RequestRefused(
            request_id,
            found=f"{object_.id} ({object_.name}), which is not shared (不予共享)",
            expected="data that are shared, unconditionally or on conditions",
            remedy=f"its basis: {object_.basis or 'see the entry'}; in doubt, open a dispute",
        )


def fault(error: Any) -> Missing:
    """What pydantic found wrong, as a part to complete."""
    part = ".".join(str(one) for one in error["loc"]) or "form"
    kind = error["type"]
    code = "REQ_FEE" if kind == "fee" else "REQ_VALUE"
    family = next((one for one in _FAULTS if kind.startswith(one)), None)
    return Missing(code, part, _FAULTS[family] if family else f"{part} 的内容无法识别，请改正。")


_FAULTS = {
    "fee": "政务数据无偿共享，不得填写费用。",
    "region": "行政区划代码为六位数字，多个用逗号分开。",
    "period": "限定期间时请选择日期项，且截止日不得早于起始日。",
    "enum": "请从所列选项中选择。",
    "date": "请填写日期，例如 2026-11-25。",
}
"""What to do about a value that the form cannot hold, by the beginning of pydantic's error type."""
