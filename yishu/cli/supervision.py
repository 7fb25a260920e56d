"""``yishu cards`` and ``yishu notices``: cards, supervision orders, and who was told."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from catalog.roles import Role
from yishu.cli import remote, world
from yishu.cli.clocks import Org
from yishu.cli.lifecycle import As
from yishu.cli.output import AsJson, console, print_table, reported, show
from yishu.cli.share_world import AsThere

cards_app = typer.Typer(help="Yellow and red cards, and supervision orders.", no_args_is_help=True)
notices_app = typer.Typer(help="Notices: the outbox and its addresses.", no_args_is_help=True)

_CARDS = {
    "issued_on": "issued",
    "colour": "colour",
    "due_on": "due",
    "promise": "promise",
    "object_id": "object",
    "holder_org": "to",
    "withdrawn_why": "withdrawn",
    "clock_id": "clock",
}
_ORDERS = {
    "order_no": "order",
    "case_no": "case",
    "org_name": "to",
    "content": "content",
    "result": "result",
    "sent_at": "sent (UTC)",
    "feedback": "feedback",
}
_NOTICES = {
    "at": "at (UTC)",
    "org": "to",
    "role": "role",
    "subject": "subject",
    "waiting": "waiting",
    "sent": "sent",
    "last_error": "last error",
}


@cards_app.command("list")
def list_cards(org: Org = None, as_json: AsJson = False) -> None:
    """List cards, the newest first; each names whoever holds the file.

    Example: yishu cards list --org taxation
    """
    from yishu.governance.cards import cards  # noqa: PLC0415

    with reported(as_json):
        rows = _rows("/cards", cards, org)
    show(rows, as_json, lambda: print_table("Cards", rows, _CARDS))


@cards_app.command("orders")
def list_orders(org: Org = None, as_json: AsJson = False) -> None:
    """List supervision orders (GB/T 39046-2020 table 11) and their answers, the newest first.

    Example: yishu cards orders
    """
    from yishu.governance.cards import orders  # noqa: PLC0415

    with reported(as_json):
        rows = _rows("/orders", orders, org)
    show(rows, as_json, lambda: print_table("Supervision orders", rows, _ORDERS))


def _rows(path: str, read: Callable[..., Iterable[Any]], org: str | None) -> list[dict[str, Any]]:
    """What a portal tells under a path, else what the own ledger has."""
    far = remote.portal()
    if far is not None:
        return far.pages(path, org=org)
    with world.engine(world.settings()).connect() as connection:
        return [asdict(one) for one in read(connection, org=org)]


@cards_app.command("answer")
def answer(
    order_no: Annotated[str, typer.Argument(help="Number of the order.")],
    feedback: Annotated[str, typer.Option(help="What was done about it.")],
    account: AsThere,
    as_json: AsJson = False,
) -> None:
    """Answer a supervision order, as the body it names; its clock ends.

    Example: yishu cards answer DB-20261022-0123 --feedback 已更新 --as li.an
    """
    from yishu.governance.cards import answer_order  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            far.post(f"/orders/{order_no}/answer", {"feedback": feedback})
        else:
            with world.engine(world.settings()).begin() as connection:
                by = world.actor(connection, account)
                answer_order(connection, order_no, feedback, actor=by, now=world.clock())
    show({"answered": order_no}, as_json, lambda: console.print(f"{order_no} answered"))


@notices_app.command("list")
def list_notices(
    org: Org = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only those nobody has read.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List notices, the newest first: to whom, whether they were sent, and why not.

    Example: yishu notices list --org taxation
    """
    from yishu.governance.notices import inbox  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = inbox(connection, org=org, is_unread=unread, limit=limit)
    rows = [asdict(one) for one in found]
    show(rows, as_json, lambda: print_table("Notices", rows, _NOTICES))


@notices_app.command("send")
def send(as_json: AsJson = False) -> None:
    """Send what is due by mail and webhook now; what fails is tried again later.

    Example: yishu notices send
    """
    from yishu.governance.delivery import deliver, open_senders  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), open_senders(here) as senders:
        done = asdict(deliver(world.engine(here), senders, world.clock()))
    show(done, as_json, lambda: print_table("Sent", [done]))


@notices_app.command("address")
def address(
    org: Annotated[str, typer.Argument(help="Department id.")],
    role: Annotated[Role, typer.Argument(help="The role that is told.")],
    to: Annotated[str, typer.Argument(help="Mail address, or the URL of a webhook.")],
    account: As,
    *,
    drop: Annotated[bool, typer.Option("--drop", help="Send nothing there any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send notices to a role of a department to an address, besides the portal.

    Example: yishu notices address taxation department_officer li.an@example.org --as admin
    """
    from catalog.roles import Action  # noqa: PLC0415
    from yishu.governance.notices import Channel, drop_address, set_address  # noqa: PLC0415
    from yishu.governance.permission import require  # noqa: PLC0415

    is_url = to.startswith(("http://", "https://"))
    channel = Channel.WEBHOOK if is_url else Channel.MAIL
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        require(world.actor(connection, account), Action.MANAGE_ACCOUNTS, f"{org} {role}")
        change = drop_address if drop else set_address
        change(connection, org, role, channel, to)
    facts = {"org": org, "role": role.value, "channel": channel.value, "dropped": drop}
    show(facts, as_json, lambda: print_table("Address", [facts]))
