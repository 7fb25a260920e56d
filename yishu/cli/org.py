"""``yishu org``: bodies of the four levels, who followed whom, contacts, duties, figures."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from catalog.vocabulary import BodyFigure, CodeSystem, ContactDuty, OrgKind, OrgLevel
from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

app = typer.Typer(help="Bodies: levels, kinds, successors, contacts, duties.", no_args_is_help=True)

_DAY = ["%Y-%m-%d"]

As = Annotated[str, typer.Option("--as", help="The account that acts.")]
Org = Annotated[str, typer.Argument(help="The body's id.")]


@app.command()
def adopt(
    city: Annotated[str, typer.Argument(help="Id of the city, above all departments.")],
    *,
    name: Annotated[str, typer.Option(help="The city's name.")],
    region: Annotated[str, typer.Option(help="Its code in GB/T 2260.")],
    since: Annotated[datetime, typer.Option(formats=_DAY, help="First day.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Register the city, and the departments of the rule files below it.

    Example: yishu org adopt wuxi --name 无锡市 --region 320200 --since 2022-01-01 --as root
    """
    from yishu.governance import organisations  # noqa: PLC0415

    body = organisations.Organisation(
        city, name, OrgKind.ORGAN, OrgLevel.CITY, None, CodeSystem.GB2260, region, since.date()
    )
    here = world.settings()
    with reported(as_json):
        departments = world.rules(here).registers.departments.values()
        with world.engine(here).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            count = organisations.adopt(connection, body, departments, *by)
    facts = {"bodies": count}
    show(facts, as_json, lambda: print_table("Registered", [facts]))


@app.command()
def add(
    org: Org,
    *,
    name: Annotated[str, typer.Option(help="Its name.")],
    kind: Annotated[OrgKind, typer.Option(help="Its kind; vertical: by reference.")],
    level: Annotated[OrgLevel, typer.Option(help="Its level.")],
    parent: Annotated[str, typer.Option(help="The body one level above.")],
    region: Annotated[str, typer.Option(help="Its region's code.")],
    since: Annotated[datetime, typer.Option(formats=_DAY, help="First day.")],
    account: As,
    code_system: Annotated[CodeSystem, typer.Option(help="Whose code.")] = CodeSystem.GB2260,
    uscc: Annotated[str | None, typer.Option(help="Unified social credit code.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a body below another one.

    Example: yishu org add binhu --name 滨湖区 --kind organ --level county --parent wuxi --region 320211 --since 2022-01-01 --as root
    """  # noqa: E501 - an example is one line
    from yishu.governance import organisations  # noqa: PLC0415

    body = organisations.Organisation(
        org, name, kind, level, parent, code_system, region, since.date(), uscc
    )
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        organisations.add(connection, body, *by)
    show(asdict(body), as_json, lambda: print_table("Registered", [asdict(body)]))


@app.command()
def succeed(
    org: Org,
    successor: Annotated[str, typer.Argument(help="The body that takes over.")],
    *,
    on: Annotated[datetime, typer.Option(formats=_DAY, help="First day.")],
    basis: Annotated[str, typer.Option(help="The decision on the reform.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put on record that a body was renamed, merged or split: its open work is the successor's.

    Example: yishu org succeed old_bureau new_bureau --on 2026-12-01 --basis 机构改革方案 --as root
    """
    from yishu.governance import organisations  # noqa: PLC0415

    reform = organisations.Succession(org, successor, on.date(), basis)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        organisations.succeed(connection, reform, *by)
    show(asdict(reform), as_json, lambda: print_table("Succession", [asdict(reform)]))


@app.command()
def contact(
    org: Org,
    duty: Annotated[ContactDuty, typer.Argument(help="What the person answers for.")],
    name: Annotated[str, typer.Argument(help="Who answers.")],
    *,
    since: Annotated[datetime, typer.Option(formats=_DAY, help="First day.")],
    telephone: Annotated[str | None, typer.Option(help="Of the office.")] = None,
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put on record who answers for a duty of a body; whoever did before ends with that day.

    Example: yishu org contact health item_guidance 何新 --since 2026-12-01 --as root
    """
    from yishu.governance import organisations  # noqa: PLC0415

    kept = organisations.Contact(org, duty, name, since.date(), telephone)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        organisations.keep_contact(connection, kept, *by)
    show(asdict(kept), as_json, lambda: print_table("Contact", [asdict(kept)]))


@app.command()
def contacts(org: Org, as_json: AsJson = False) -> None:
    """List who answers for a body today.

    Example: yishu org contacts health
    """
    from yishu.governance import organisations  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in organisations.contacts(connection, org, world.today())]
    show(rows, as_json, lambda: print_table("Contacts", rows))


@app.command()
def duty(
    task: Annotated[str, typer.Argument(help="Id of the task or system.")],
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    *,
    lead: Annotated[str, typer.Option(help="The body that leads.")],
    basis: Annotated[str, typer.Option(help="The decision that gives the task.")],
    cooperating: Annotated[list[str] | None, typer.Option(help="Repeat it.")] = None,
    responsible: Annotated[list[str] | None, typer.Option(help="Repeat it.")] = None,
    account: As,
    as_json: AsJson = False,
) -> None:
    """Put a task and its lead, cooperating and responsible bodies on record.

    Example: yishu org duty portal 一体化平台 --lead big_data_bureau --basis 锡政办〔2026〕1号 --as root
    """  # noqa: E501 - an example is one line
    from yishu.governance import organisations  # noqa: PLC0415

    parties = (tuple(cooperating or ()), tuple(responsible or ()))
    kept = organisations.Duty(task, title, basis, lead, *parties)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        organisations.keep_duty(connection, kept, *by)
    show(asdict(kept), as_json, lambda: print_table("Duty", [asdict(kept)]))


@app.command()
def duties(
    org: Annotated[str | None, typer.Argument(help="One body; without it: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks of a body, in whatever part, or of all.

    Example: yishu org duties health
    """
    from yishu.governance import organisations  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in organisations.duties(connection, org)]
    show(rows, as_json, lambda: print_table("Duties", rows))


@app.command("roll-up")
def roll_up(
    figure: Annotated[BodyFigure, typer.Argument(help="What is counted.")], as_json: AsJson = False
) -> None:
    """Count something by body, its own and with all below it: the city's is the sum of all.

    Example: yishu org roll-up entries
    """
    from yishu.governance import figures  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in figures.by_body(connection, figure, world.today())]
    show(rows, as_json, lambda: print_table(figure.label_zh, rows))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every body of today, upper levels first.

    Example: yishu org list
    """
    from yishu.governance import organisations  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = [asdict(one) for one in organisations.tree(connection, world.today())]
    shown = {key: key for key in ("org", "name", "kind", "level", "parent", "region_code")}
    show(rows, as_json, lambda: print_table("Bodies", rows, shown))
