"""What a consumer registers of a grant: how the data are used, and what became of them."""

from datetime import date

from sqlalchemy import insert

from catalog.roles import Action
from yishu.governance.permission import require
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareRegister
from yishu.sharing.desk import Desk, reason_of
from yishu.sharing.errors import NotThisState
from yishu.sharing.vocabulary import ENDED


def register_use(desk: Desk, grant_id: str, on_day: date, note: str, actor: Actor) -> None:
    """Register how a grant's data were used (Decree 809 Art.26)."""
    _register(desk, grant_id, actor, kind="use", on_day=on_day, note=note)


def register_disposal(desk: Desk, grant_id: str, on_day: date, note: str, actor: Actor) -> None:
    """Register what became of the data after a grant ended (Decree 809 Art.27).

    Raises:
        NotThisState: the grant has not ended.
    """
    desk.grant(grant_id, *ENDED)
    _register(desk, grant_id, actor, kind="disposal", on_day=on_day, note=note)


def _register(
    desk: Desk, grant_id: str, actor: Actor, *, kind: str, on_day: date, note: str
) -> None:
    grant = desk.grant(grant_id)
    require(actor, Action.FILE_REQUEST, grant_id, grant.consumer_org)
    told = reason_of(grant_id, note, f"a registration of {kind}")
    if grant.opened_at is None:
        raise NotThisState(
            grant_id,
            found="a grant that never served",
            expected="one whose channel was opened",
            remedy="nothing is to be registered",
        )
    values = {"grant_id": grant_id, "kind": kind, "on_day": on_day, "person": actor.person}
    desk.connection.execute(insert(ShareRegister).values(**values, note=told))
    desk.step(actor, Action.FILE_REQUEST, grant_id, f"{kind}_registered", told)
