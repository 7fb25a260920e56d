"""The one place that asks the table of roles (`catalog.roles`) before somebody acts."""

from catalog.roles import OWN_ORG, PERMITTED, Action, may
from yishu.governance.errors import Forbidden
from yishu.ledger.journal import Actor


def require(actor: Actor, action: Action, object_id: str, object_org: str | None = None) -> None:
    """Let an actor do an action to an object of a body, or refuse.

    Raises:
        Forbidden: the role may not do it, or not to an object of another body.
    """
    if may(actor.role, action, org=actor.org, object_org=object_org):
        return
    roles = " or ".join(sorted(PERMITTED.get(action, frozenset()))) or "nobody"
    of = f" of {object_org}" if action in OWN_ORG else ""
    raise Forbidden(
        object_id,
        found=f"{action.value} asked by the {actor.role.value} of {actor.org}",
        expected=f"{roles}{of}",
        remedy="sign in with the account of that role, or hand the task to whoever holds it",
    )
