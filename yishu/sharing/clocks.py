"""The clocks of a request: the reply from receipt, the delivery after consent."""

from yishu.ledger.journal import Actor
from yishu.sharing.desk import Desk
from yishu.sharing.objects import SharedObject


def start(desk: Desk, request_id: str, object_: SharedObject, actor: Actor) -> None:
    """Open the clock of the reply in every profile in force; the day of receipt does not count."""


def pause(desk: Desk, request_id: str, actor: Actor) -> None:
    """Stop it while the request is back for completion."""


def resume(desk: Desk, request_id: str, actor: Actor) -> None:
    """Let it run on from the resubmission."""


def finish(desk: Desk, request_id: str, actor: Actor) -> None:
    """End it: decided or withdrawn."""


def start_delivery(desk: Desk, grant_id: str, request_id: str, actor: Actor) -> None:
    """Open the clock of the delivery after consent, where a profile has that promise."""


def finish_delivery(desk: Desk, grant_id: str, actor: Actor) -> None:
    """End it: the channel is open."""
