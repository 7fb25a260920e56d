"""Which steps somebody may take now, and which objections wait for one of theirs."""

from dataclasses import dataclass

from catalog.roles import may
from yishu.governance.objections.acts import owner
from yishu.governance.objections.rows import ObjectionRow
from yishu.governance.objections.states import (
    DONE,
    OF_THE_OBJECTOR,
    OF_THE_SOURCE,
    STEPS,
    ObjectionState,
)
from yishu.ledger.journal import Actor


def possible_steps(found: ObjectionRow, actor: Actor) -> list[ObjectionState]:
    """The steps of an objection that an actor may take."""
    return [
        state
        for state, action in STEPS.get(found.state, {}).items()
        if may(actor.role, action, org=actor.org, object_org=owner(found, state, actor))
    ]


@dataclass(frozen=True)
class Waits:
    """In which states an objection does not move before an actor takes a step.

    Attributes:
        anybodys: Whoever raised it, against whomever.
        source: Where the actor's body is the source of the data.
        objector: Where the actor's body raised it, or one that was merged into it.
    """

    anybodys: frozenset[ObjectionState]
    source: frozenset[ObjectionState]
    objector: frozenset[ObjectionState]


def waits(actor: Actor) -> Waits:
    """What waits for an actor.

    Who watches over all of them may end those of others; these do not wait for the watcher.
    """
    steps = [
        (state, step)
        for state, of in STEPS.items()
        for step, action in of.items()
        if state not in DONE and may(actor.role, action, org=actor.org, object_org=actor.org)
    ]
    return Waits(
        frozenset(s for s, step in steps if step not in OF_THE_OBJECTOR | OF_THE_SOURCE),
        frozenset(s for s, step in steps if step in OF_THE_SOURCE),
        frozenset(s for s, step in steps if step in OF_THE_OBJECTOR),
    )
