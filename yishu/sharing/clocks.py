"""The clocks of a request: the reply from receipt, the opening and delivery after consent."""

from catalog.promise import ClockCause
from catalog.vocabulary import ShareType
from yishu.clocks import ClockEvent, EventKind
from yishu.governance import promises
from yishu.governance.promises import NewClock
from yishu.ledger.journal import Actor
from yishu.sharing.desk import Desk
from yishu.sharing.objects import SharedObject

REQUEST, GRANT = "share_request", "share_grant"
"""Kinds of object under which these clocks stand."""

_OPENING, _DELIVERY = "channel_opening", "deliver_after_consent"


def start(desk: Desk, request_id: str, object_: SharedObject, actor: Actor) -> None:
    """Open the clock of the reply in every profile in force; the day of receipt does not count."""
    is_free = object_.share_type is ShareType.UNCONDITIONAL
    promise = f"request_reply_{'unconditional' if is_free else 'conditional'}"
    for profile in desk.profiles:
        by_authority = desk.catalog.profiles[profile].reply_by == "data_authority"
        for holder in (desk.authority,) if by_authority else object_.providers:
            _open(desk, promise, profile, REQUEST, request_id, holder=holder, actor=actor)


def pause(desk: Desk, request_id: str, actor: Actor) -> None:
    """Stop it while the request is back for completion (a local choice)."""
    cause, consent = ClockCause.RETURNED_FOR_COMPLETION, actor.account
    paused = ClockEvent(EventKind.PAUSED, desk.at, cause=cause, consent_by=consent)
    _tell(desk, request_id, paused, actor)


def resume(desk: Desk, request_id: str, actor: Actor) -> None:
    """Let it run on from the resubmission."""
    _tell(desk, request_id, ClockEvent(EventKind.RESUMED, desk.at), actor)


def finish(desk: Desk, request_id: str, actor: Actor, *, withdrawn: bool = False) -> None:
    """End it: decided or withdrawn."""
    kind = EventKind.WITHDRAWN if withdrawn else EventKind.FULFILLED
    _tell(desk, request_id, ClockEvent(kind, desk.at), actor)


def start_delivery(desk: Desk, grant_id: str, providers: list[str], actor: Actor) -> None:
    """Open the clocks that run from consent: the centre's opening, and the decree's delivery."""
    for profile in desk.profiles:
        _open(desk, _OPENING, profile, GRANT, grant_id, holder=desk.operator, actor=actor)
        if _DELIVERY in desk.catalog.profiles[profile].promises:
            for holder in providers:
                _open(desk, _DELIVERY, profile, GRANT, grant_id, holder=holder, actor=actor)


def finish_delivery(desk: Desk, grant_id: str, actor: Actor) -> None:
    """End them: the channel is open."""
    _tell(desk, grant_id, ClockEvent(EventKind.FULFILLED, desk.at), actor)


def _open(
    desk: Desk, promise: str, profile: str, kind: str, object_id: str, *, holder: str, actor: Actor
) -> None:
    cause = f"{profile}:{holder}"
    new = NewClock(promise, profile, kind, object_id, holder, cause, desk.at)
    promises.open_clock(desk.connection, new, actor)


def _tell(desk: Desk, object_id: str, event: ClockEvent, actor: Actor) -> None:
    for row in promises.clock_rows(desk.connection, is_open=True, object_id=object_id):
        promises.record_event(desk.connection, row.clock_id, event, actor)
