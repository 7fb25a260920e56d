"""``yishu clocks cases`` and ``case``: service cases under supervision."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.clocks import Org, opened
from yishu.cli.output import AsJson, print_table, reported, show

_COLUMNS = {
    "due": "due",
    "remaining": "days left",
    "state": "state",
    "promise_name": "limit",
    "object_id": "case",
    "department": "department",
    "clock_id": "clock",
}


def cases(
    org: Org = None,
    late: Annotated[bool, typer.Option("--late", help="Only those overdue.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List service cases under supervision, the earliest last day first.

    Example: yishu clocks cases --late --org administrative_approval
    """
    from yishu.clocks import ClockState  # noqa: PLC0415
    from yishu.governance.board import board  # noqa: PLC0415
    from yishu.governance.cases import CASE  # noqa: PLC0415

    states = (ClockState.RED, ClockState.MET_LATE) if late else ()
    with reported(as_json), opened() as (connection, rules):
        lines = board(
            connection,
            rules,
            world.clock(),
            org=org,
            object_kind=CASE,
            states=states,
            with_ended=everything,
        )
    rows = [{**asdict(line), "due": line.due_text} for line in lines]
    show(rows, as_json, lambda: print_table("Cases", rows, _COLUMNS))


def case(
    number: Annotated[str, typer.Argument(metavar="CASE", help="Case number.")],
    as_json: AsJson = False,
) -> None:
    """Show the whole course of one case: steps, limits, events, cards and orders.

    Example: yishu clocks case 11320200MB0A1234567890120260301
    """
    from yishu.governance.cases import history  # noqa: PLC0415
    from yishu.pipeline.cases import steps_of  # noqa: PLC0415

    with reported(as_json), opened() as (connection, rules):
        found = history(connection, number, rules, world.clock())
        here = world.settings()
        steps = [asdict(one) for one in steps_of(here.library_dir, world.release(here), number)]
    plain = {"case": number, "steps": steps, **asdict(found)}
    show(plain, as_json, lambda: _print(plain))


def _print(plain: dict[str, Any]) -> None:
    for name in ("steps", "limits", "events", "cards", "orders"):
        print_table(name.capitalize(), plain[name])


COMMANDS = (cases, case)
