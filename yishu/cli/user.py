"""``yishu user``: accounts of people, and who stands in for whom."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from catalog.roles import Role
from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

app = typer.Typer(help="Accounts: a person, in a role, for a body.", no_args_is_help=True)

_DAY = ["%Y-%m-%d"]


@app.command()
def add(
    account: Annotated[str, typer.Argument(help="The account's name, e.g. li.an.")],
    *,
    person: Annotated[str, typer.Option(help="Whose it is; one person may have several.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[Role, typer.Option(help="In which role it acts.")],
    org: Annotated[str, typer.Option(help="For which body it acts.")],
    by: Annotated[
        str | None, typer.Option("--as", help="The administrator; none for the first account.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an account.

    Example: yishu user add li.an --person p1 --name 李安 --role department_officer --org taxation --as root
    """  # noqa: E501 - an example is one line
    from yishu.governance import accounts  # noqa: PLC0415
    from yishu.ledger.journal import Actor  # noqa: PLC0415

    made = Actor(person, account, role, org)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        actor = world.actor(connection, by) if by else None
        accounts.register(connection, made, name, actor, world.clock())
    show(asdict(made), as_json, lambda: print_table("Account", [asdict(made)]))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every account with its role, body and days.

    Example: yishu user list
    """
    from yishu.governance import accounts  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = accounts.listed(connection)
    show(rows, as_json, lambda: print_table("Accounts", rows))


@app.command()
def deputy(
    account: Annotated[str, typer.Argument(help="The account that is away.")],
    deputy: Annotated[str, typer.Argument(help="The account that stands in for it.")],
    *,
    by: Annotated[str, typer.Option("--as", help="The head of the body, or the administrator.")],
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First day.")],
    last: Annotated[datetime, typer.Option("--until", formats=_DAY, help="Last day.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Let an account stand in for another one; it then acts with `--as deputy:account`.

    Example: yishu user deputy sun.ya li.an --as root --from 2026-11-01 --until 2026-11-15 --reason 休假
    """  # noqa: E501 - an example is one line
    from yishu.governance import accounts  # noqa: PLC0415

    wanted = accounts.Deputation(account, deputy, first.date(), last.date(), reason)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        accounts.appoint(connection, wanted, world.actor(connection, by), world.clock())
    show(asdict(wanted), as_json, lambda: print_table("Deputy", [asdict(wanted)]))


@app.command()
def password(
    account: Annotated[str, typer.Argument(help="The account that gets a first password.")],
    *,
    by: Annotated[
        str | None, typer.Option("--as", help="The administrator; none for the first account.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a first password, told once; it is changed at the first sign-in.

    Example: yishu user password li.an --as root
    """
    from yishu.governance import accounts  # noqa: PLC0415
    from yishu.portal import credentials  # noqa: PLC0415

    now = world.clock()
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        accounts.find(connection, account, now.date())
        actor = world.actor(connection, by) if by else None
        given = credentials.reset(connection, account, actor, now)
    told = {"account": account, "first_password": given}
    show(told, as_json, lambda: print_table("First password", [told]))


@app.command()
def link(
    account: Annotated[str, typer.Argument(help="The account to act through.")],
    subject: Annotated[str, typer.Argument(help="The person, as the OpenID provider calls them.")],
    *,
    by: Annotated[str, typer.Option("--as", help="The administrator.")],
) -> None:
    """Let a person of the city's OpenID provider act through an account.

    Example: yishu user link li.an 4711 --as root
    """
    from yishu.portal import openid  # noqa: PLC0415

    here = world.settings()
    with reported(False), world.engine(here).begin() as connection:
        openid.link_by(
            connection,
            openid.OutsidePerson(here.openid_issuer or "", subject),
            account,
            world.actor(connection, by),
            world.clock(),
        )
