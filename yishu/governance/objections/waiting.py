"""Which steps somebody may take now, and which objections wait for one of theirs."""

from sqlalchemy import Connection

from catalog.roles import may
from yishu.governance.objections.acts import owner
from yishu.governance.objections.rows import ObjectionRow, objections
from yishu.governance.objections.states import DONE, OF_THE_OBJECTOR, STEPS, ObjectionState
from yishu.ledger.journal import Actor


def possible_steps(found: ObjectionRow, actor: Actor) -> list[ObjectionState]:
    """The steps of an objection that an actor may take."""
    return [
        state
        for state, action in STEPS.get(found.state, {}).items()
        if may(actor.role, action, org=actor.org, object_org=owner(found, state, actor))
    ]


def waiting_for(connection: Connection, actor: Actor) -> list[ObjectionRow]:
    """Objections that do not move before an actor takes a step, the oldest first.

    Who watches over all of them may end those of others; these do not wait for the watcher.
    """
    states = [
        state
        for state, steps in STEPS.items()
        if state not in DONE
        and any(may(actor.role, one, org=actor.org, object_org=actor.org) for one in steps.values())
    ]
    if not states:
        return []
    return [found for found in objections(connection, states=states) if _is_theirs(found, actor)]


def _is_theirs(found: ObjectionRow, actor: Actor) -> bool:
    raised = {found.raised_org, *found.joined_orgs}
    steps = possible_steps(found, actor)
    return any(state not in OF_THE_OBJECTOR or actor.org in raised for state in steps)
