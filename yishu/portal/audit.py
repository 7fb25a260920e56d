"""Sign-ins and looks at personal data, on record (S004 Art.32; ASVS V16)."""

from datetime import datetime

from sqlalchemy import Connection

from catalog.roles import Action
from yishu.governance.errors import ReasonMissing
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append


def signed_in(connection: Connection, actor: Actor, at: datetime, *, by: str, outcome: str) -> None:
    """Record that somebody came in, or was refused; ``by`` is the way: password, openid, demo."""
    told = {"by": by, "outcome": outcome}
    append(connection, Act(actor, Action.SIGN_IN, "account", actor.account, at, after=told))


def looked(
    connection: Connection, actor: Actor, at: datetime, *, object_kind: str, object_id: str
) -> None:
    """Record that somebody looked at personal data, masked: every page that shows some calls it."""
    require(actor, Action.VIEW_PERSONAL, object_id, actor.org)
    append(connection, Act(actor, Action.VIEW_PERSONAL, object_kind, object_id, at))


def traced(
    connection: Connection,
    actor: Actor,
    at: datetime,
    *,
    object_kind: str,
    object_id: str,
    purpose: str,
) -> None:
    """Record for what somebody follows a row, before its story is shown; values stay masked.

    Raises:
        ReasonMissing: no purpose.
    """
    require(actor, Action.VIEW_PERSONAL, object_id, actor.org)
    _require_purpose(object_id, purpose, "for what the row is followed")
    append(connection, Act(actor, Action.VIEW_PERSONAL, object_kind, object_id, at, purpose))


def unmasked(
    connection: Connection,
    actor: Actor,
    at: datetime,
    *,
    object_kind: str,
    object_id: str,
    purpose: str,
) -> None:
    """Record for what somebody looks at a value in clear, before it is shown.

    Raises:
        Forbidden: the role may not.
        ReasonMissing: no purpose.
    """
    require(actor, Action.UNMASK, object_id, actor.org)
    _require_purpose(object_id, purpose, "for what the value is needed in clear")
    append(connection, Act(actor, Action.UNMASK, object_kind, object_id, at, purpose))


def _require_purpose(object_id: str, purpose: str, expected: str) -> None:
    if not purpose.strip():
        raise ReasonMissing(
            object_id,
            found="no purpose",
            expected=expected,
            remedy="say the purpose; it goes on record with your name",
        )
