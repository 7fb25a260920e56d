"""``yishu security``: protection levels, assessments that fall due, incidents and their phases."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from catalog.vocabulary import IncidentPhase
from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

app = typer.Typer(help="The security register: levels, filings, incidents.", no_args_is_help=True)

_DAY = ["%Y-%m-%d"]

As = Annotated[str, typer.Option("--as", help="The account that acts.")]
System = Annotated[str, typer.Argument(help="The system's id.")]


@app.command()
def keep(
    system: System,
    *,
    name: Annotated[str, typer.Option(help="Its name.")],
    org: Annotated[str, typer.Option(help="The body that answers for it.")],
    level: Annotated[int, typer.Option(help="Protection level, 1 to 5.")],
    filing: Annotated[str | None, typer.Option(help="Number of its filing, from level 2.")] = None,
    assessed_on: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Last assessment; without it: never.")
    ] = None,
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put a system on the register, or what is new of it.

    Example: yishu security keep yishu --name 一数平台 --org command_centre --level 3 --filing 32020099001 --assessed-on 2026-03-01 --as he.an
    """  # noqa: E501 - an example is one line
    from yishu.governance import security  # noqa: PLC0415

    day = assessed_on.date() if assessed_on else None
    wanted = security.System(system, name, org, level, filing, day)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        security.keep(connection, wanted, *by)
    show(asdict(wanted), as_json, lambda: print_table("Registered", [asdict(wanted)]))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the systems on the register.

    Example: yishu security list
    """
    from yishu.governance import security  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in security.systems(connection)]
    show(rows, as_json, lambda: print_table("Systems", rows))


@app.command()
def alerts(
    lead: Annotated[int, typer.Option(min=0, help="Days ahead.")] = 30, as_json: AsJson = False
) -> None:
    """List systems whose assessment is missing, over, or due soon.

    Example: yishu security alerts --lead 60
    """
    from yishu.governance import security  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in security.alerts(connection, world.today(), lead)]
    show(rows, as_json, lambda: print_table("Alerts", rows))


@app.command()
def incident(
    system: System,
    title: Annotated[str, typer.Argument(help="What happened.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put an incident on record; its five phases follow.

    Example: yishu security incident yishu 夜间批量下载 --as he.an
    """
    from yishu.governance import security  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        made = security.open_incident(connection, system, title, *by)
    _say(made, as_json)


@app.command()
def phase(
    number: Annotated[int, typer.Argument(help="Number of the incident.")],
    which: Annotated[IncidentPhase, typer.Argument(help="The phase, in their order.")],
    text: Annotated[str, typer.Argument(help="What was done.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put on record what was done in the next phase of an incident.

    Example: yishu security phase 1 prevention 已限制夜间下载 --as he.an
    """
    from yishu.governance import security  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        actor, at = world.actor(connection, account), world.clock()
        made = security.record_phase(connection, number, which, text, by=actor, at=at)
    _say(made, as_json)


@app.command()
def incidents(as_json: AsJson = False) -> None:
    """List the incidents, newest first, each with the phase that comes next.

    Example: yishu security incidents
    """
    from yishu.governance import security  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [_facts(one) for one in security.incidents(connection)]
    show(rows, as_json, lambda: print_table("Incidents", rows))


@app.command("data-sets")
def data_sets(as_json: AsJson = False) -> None:
    """List every data set of the city with its place, owner and custodian.

    Example: yishu security data-sets
    """
    from yishu.governance import inventory  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).connect() as connection:
        found = inventory.data_sets(connection, here.data_operator)
    rows = [asdict(one) for one in found]
    show(rows, as_json, lambda: print_table("Data sets", rows))


def _facts(incident: Any) -> dict[str, Any]:
    return {**asdict(incident), "next_phase": incident.next_phase}


def _say(made: Any, as_json: bool) -> None:
    facts = _facts(made)
    show(facts, as_json, lambda: print_table("Incident", [facts]))
