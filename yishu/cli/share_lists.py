"""``yishu share demand`` and ``duty``: what a department needs, and what its duties let it give."""

from typing import Annotated

import typer

from catalog.vocabulary import ShareMode, UpdateCycle
from yishu.cli.output import AsJson, print_table, reported, show
from yishu.cli.share import As, done
from yishu.cli.share_world import acting, open_house

demand_app = typer.Typer(help="The demand list of each department.", no_args_is_help=True)
duty_app = typer.Typer(help="The responsibility list of each department.", no_args_is_help=True)

Org = Annotated[str | None, typer.Option(help="Of this department; without it: of all.")]


@demand_app.command("add")
def add_demand(
    title: Annotated[str, typer.Argument(help="What the data are needed for, in short.")],
    account: As,
    *,
    want: Annotated[list[str], typer.Option(help="Wanted data, in own words; repeat.")],
    scenario: Annotated[str, typer.Option(help="The scenario that they are used in.")],
    item: Annotated[list[str], typer.Option(help="Code of a service item; repeat.")],
    mode: Annotated[ShareMode, typer.Option(help="How they are to be shared.")] = ShareMode.API,
    cycle: Annotated[UpdateCycle, typer.Option(help="How often.")] = UpdateCycle.DAILY,
    as_json: AsJson = False,
) -> None:
    """Put a demand on the department's list.

    Example: yishu share demand add 核对 --want 企业名称 --scenario 参保 --item 320106 --as a@hr
    """
    from yishu.sharing import lists  # noqa: PLC0415

    with acting(account, as_json) as (desk, actor):
        given = {"title": title, "wanted": want, "scenario": scenario, "service_items": item}
        wanted = lists.demand_of({**given, "mode": mode, "cycle": cycle})
        demand_id = lists.list_demand(desk, wanted, actor)
    done(demand_id, "listed; see `yishu share matches`", as_json)


@demand_app.command("list")
def list_demands(org: Org = None, as_json: AsJson = False) -> None:
    """List demands; `yishu share matches` says what meets them."""
    from yishu.sharing import lists  # noqa: PLC0415

    with reported(as_json):
        house = open_house()
        with house.engine.begin() as connection:
            rows = [dict(row._mapping) for row in lists.demands(house.desk(connection), org)]
    show(rows, as_json, lambda: print_table("Demand list", rows))


@duty_app.command("add")
def add_duty(
    entry_id: Annotated[str, typer.Argument(help="An entry of the own department.")],
    account: As,
    basis: Annotated[str, typer.Option(help="The duty and its legal basis.")],
    as_json: AsJson = False,
) -> None:
    """Put an entry on the department's responsibility list, with the duty.

    Example: yishu share duty add taxation.taxpayer --basis 《税收征收管理法》 --as wu@tax
    """
    from yishu.sharing import lists  # noqa: PLC0415

    with acting(account, as_json) as (desk, actor):
        lists.list_responsibility(desk, entry_id, basis, actor)
    done(entry_id, "on the responsibility list", as_json)


@duty_app.command("list")
def list_duties(org: Org = None, as_json: AsJson = False) -> None:
    """List what departments' duties let them give."""
    from yishu.sharing import lists  # noqa: PLC0415

    with reported(as_json):
        house = open_house()
        with house.engine.begin() as connection:
            found = lists.responsibilities(house.desk(connection), org)
            rows = [dict(row._mapping) for row in found]
    show(rows, as_json, lambda: print_table("Responsibility list", rows))
