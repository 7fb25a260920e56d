"""Opening: the command centre opens what was granted, suspends, resumes and closes it.

Whoever decided does not open: another person of another body does (S004 Art.18), and an attempt
is refused and on record. Closing ends every token in the same transaction.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from catalog.roles import Action
from yishu.governance.clock_rules import by_rule
from yishu.governance.permission import require
from yishu.ledger import journal
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareGrant, ShareRequest
from yishu.ledger.pins import Holder, unpin
from yishu.sharing import clocks, tokens
from yishu.sharing.desk import Desk, reason_of
from yishu.sharing.errors import GrantStale, SameHands
from yishu.sharing.objects import shared_object
from yishu.sharing.telling import Told, tell
from yishu.sharing.tokens import Issued
from yishu.sharing.vocabulary import GrantState, RequestKind


def open_channel(desk: Desk, grant_id: str, actor: Actor) -> Issued:
    """Open the channel of a grant; its token is shown this once.

    Before the first day of the term the channel is scheduled: open, and serving from that day.

    Raises:
        SameHands: the actor or the actor's body decided the request; the attempt is recorded.
        GrantStale: the catalog has changed since the decision.
    """
    grant = desk.grant(grant_id, GrantState.APPROVED)
    require(actor, Action.OPEN_CHANNEL, grant_id)
    _refuse_same_hands(desk, grant, actor)
    check_fresh(desk, grant)
    desk.set_grant(
        grant_id,
        state=GrantState.OPEN.value,
        opened_by=actor.person,
        opened_by_org=actor.org,
        opened_at=desk.at,
    )
    _hold_newest(desk, grant)
    desk.step(actor, Action.OPEN_CHANNEL, grant_id, "opened")
    tell(desk, Told.OPENED, grant.consumer_org, grant_id, about=grant.object_id)
    clocks.finish_delivery(desk, grant_id, actor)
    _close_replaced(desk, grant, actor)
    return tokens.issue(desk, grant_id, grant.valid_until)


def new_token(desk: Desk, grant_id: str, actor: Actor) -> Issued:
    """Another token for an open grant; the one before ends at once."""
    grant = desk.grant(grant_id, GrantState.OPEN)
    require(actor, Action.OPEN_CHANNEL, grant_id)
    desk.step(actor, Action.OPEN_CHANNEL, grant_id, "token_renewed")
    tell(desk, Told.TOKEN_RENEWED, grant.consumer_org, grant_id, about=grant.object_id)
    return tokens.issue(desk, grant_id, grant.valid_until)


def suspend(desk: Desk, grant_id: str, actor: Actor, reason: str) -> None:
    """Stop serving for now, e.g. after misuse (Decree 809 Art.27)."""
    _change(desk, grant_id, actor, GrantState.SUSPENDED, reason)


def resume(desk: Desk, grant_id: str, actor: Actor, reason: str) -> None:
    """Serve again after a suspension."""
    _change(desk, grant_id, actor, GrantState.OPEN, reason)


def close(desk: Desk, grant_id: str, actor: Actor, reason: str) -> None:
    """End a channel for good; its tokens end in the same transaction."""
    _change(desk, grant_id, actor, GrantState.CLOSED, reason)


def expire(desk: Desk) -> list[str]:
    """End every grant whose term is over; the numbers of those. Safe to run again."""
    living = ShareGrant.state.in_([GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED])
    asked = select(ShareGrant.__table__).where(living, ShareGrant.valid_until <= desk.at)
    due = desk.connection.execute(asked.order_by(ShareGrant.grant_id).with_for_update()).all()
    for grant in due:
        desk.set_grant(grant.grant_id, state=GrantState.EXPIRED.value, ended_at=desk.at)
        _end(desk, grant.grant_id)
        desk.step(by_rule("expiry"), Action.CLOSE_CHANNEL, grant.grant_id, "expired")
        tell(desk, Told.EXPIRED, grant.consumer_org, grant.grant_id, about=grant.object_id)
    return [grant.grant_id for grant in due]


def open_grants(desk: Desk, object_id: str | None = None) -> Sequence[Row[Any]]:
    """Grants that serve or will serve, of one object or of all."""
    asked = select(ShareGrant.__table__).where(ShareGrant.state == GrantState.OPEN)
    if object_id is not None:
        asked = asked.where(ShareGrant.object_id == object_id)
    return desk.connection.execute(asked.order_by(ShareGrant.grant_id)).all()


def check_fresh(desk: Desk, grant: Row[Any]) -> None:
    """Refuse to serve what the catalog does not have any more.

    Raises:
        GrantStale: the object, a granted column or the consumer's department is gone.
    """
    gone = [] if grant.consumer_org in desk.catalog.departments else [grant.consumer_org]
    if grant.object_id in desk.catalog.entries or grant.object_id in desk.catalog.subjects:
        object_ = shared_object(desk.catalog, grant.object_id)
        gone += [column for column in grant.columns if column not in object_.columns]
    else:
        gone.append(grant.object_id)
    if gone:
        raise GrantStale(
            grant.grant_id,
            found=f"no {', '.join(gone)} in the catalog release in force",
            expected="object, columns and consumer as they were granted",
            remedy="close the grant and file a change of scope; nothing is served until then",
        )


_FROM = {
    GrantState.SUSPENDED: (GrantState.OPEN,),
    GrantState.OPEN: (GrantState.SUSPENDED,),
    GrantState.CLOSED: (GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED),
}

_TOLD = {
    GrantState.SUSPENDED: Told.SUSPENDED,
    GrantState.OPEN: Told.RESUMED,
    GrantState.CLOSED: Told.CLOSED,
}


def _change(desk: Desk, grant_id: str, actor: Actor, state: GrantState, reason: str) -> None:
    action = Action.CLOSE_CHANNEL if state is GrantState.CLOSED else Action.SUSPEND_CHANNEL
    grant = desk.grant(grant_id, *_FROM[state])
    require(actor, action, grant_id)
    why = reason_of(grant_id, reason, f"a change to {state.value}")
    ended = desk.at if state is GrantState.CLOSED else None
    desk.set_grant(grant_id, state=state.value, state_reason=why, ended_at=ended)
    desk.step(actor, action, grant_id, state.value, why)
    tell(desk, _TOLD[state], grant.consumer_org, grant_id, about=grant.object_id, note=why)
    if state is GrantState.CLOSED:
        _end(desk, grant_id)


def _end(desk: Desk, grant_id: str) -> None:
    """No token of it serves any more, and no version is kept for it."""
    tokens.revoke_all(desk, grant_id)
    unpin(desk.connection, Holder.GRANT, [grant_id], desk.at)


def _hold_newest(desk: Desk, grant: Row[Any]) -> None:
    table = shared_object(desk.catalog, grant.object_id).table
    version = desk.newest(table)
    if version is not None:
        desk.hold(grant.grant_id, table, version)


def _refuse_same_hands(desk: Desk, grant: Row[Any], actor: Actor) -> None:
    if actor.person not in grant.decided_by and actor.org not in grant.decided_by_orgs:
        return
    # A transaction of its own: the attempt stays on record though the caller's is undone.
    with desk.connection.engine.begin() as apart:
        act = journal.Act(
            actor,
            Action.OPEN_CHANNEL,
            "sharing",
            grant.grant_id,
            desk.at,
            reason="refused: decider and opener are one person or one body",
        )
        journal.append(apart, act)
    raise SameHands(
        grant.grant_id,
        found=f"{actor.org}, which decided the request",
        expected="another person of another body (S004 Art.18)",
        remedy="let the command centre open it",
    )


def _close_replaced(desk: Desk, grant: Row[Any], actor: Actor) -> None:
    asked = select(ShareRequest.grant_id).where(
        ShareRequest.request_id == grant.request_id, ShareRequest.kind == RequestKind.CHANGE
    )
    replaced = desk.connection.scalar(asked)
    if replaced is None:
        return
    state = desk.grant(replaced).state
    if GrantState(state) in _FROM[GrantState.CLOSED]:
        close(desk, replaced, actor, f"replaced by {grant.grant_id}")
