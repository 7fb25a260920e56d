"""``yishu items``: service items with their legal basis, claims, conflicts and gaps."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.vocabulary import ListKind
from yishu.cli import world
from yishu.cli.output import AsJson, listed, print_table, reported, show

app = typer.Typer(help="Service items: versions, claims, lists, pages.", no_args_is_help=True)

As = Annotated[str, typer.Option("--as", help="The account that acts.")]
Basis = Annotated[str, typer.Option(help="The law or decision that it follows.")]
City = Annotated[str, typer.Option(help="The body whose published lists count.")]
Code = Annotated[str, typer.Argument(help="Implementation code, 31 characters.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or YAML.")]

_SHOWN = {
    key: key
    for key in (
        "implementation_code", "org", "name", "version", "is_online", "legal_basis", "published_at",
    )
}  # fmt: skip


@app.command()
def change(file: File, *, basis: Basis, account: As, as_json: AsJson = False) -> None:
    """Publish items or changes of them, all of a file or nothing; what is the same stays.

    A record has `implementation_code`, `org`, `name`; everything else is what its guide says.
    `is_online: 否` says that it cannot be handled online.

    Example: yishu items change items.yaml --basis 《医疗机构管理条例》第九条 --as sun.fu
    """
    from yishu.governance import items  # noqa: PLC0415
    from yishu.interchange import records  # noqa: PLC0415

    with reported(as_json):
        found = records.read(file.name, file.read_bytes(), items.RECORD)
        wanted = [items.from_record(one) for one in found]
        with world.engine(world.settings()).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            made = items.change_all(connection, wanted, basis, *by)
    _list("Items", made, as_json)


@app.command()
def cancel(code: Code, *, basis: Basis, account: As, as_json: AsJson = False) -> None:
    """Cancel an item; its versions stay readable.

    Example: yishu items cancel 11320200YQ0001101Q3320101001000 --basis 国务院决定取消 --as sun.fu
    """
    from yishu.governance import items  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        made = items.cancel(connection, code, basis, *by)
    _list("Cancelled", [made], as_json)


@app.command("list")
def list_(
    org: Annotated[str | None, typer.Argument(help="One body; without it: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the items in force.

    Example: yishu items list health
    """
    from yishu.governance import items  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = items.catalog(connection, org)
    _list("Items", found, as_json)


@app.command()
def history(code: Code, as_json: AsJson = False) -> None:
    """List every version of an item, newest first, each with its legal basis.

    Example: yishu items history 11320200YQ0001101Q3320101001000
    """
    from yishu.governance import items  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = items.history(connection, code)
    _list("Versions", found, as_json)


@app.command()
def claim(
    code: Annotated[str, typer.Argument(help="Basic code, 12 characters.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Claim an item for one's own body (认领).

    Example: yishu items claim 320101001000 --as zhou.wei
    """
    from yishu.governance import items  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        actor = world.actor(connection, account)
        items.claim(connection, code, actor, world.clock())
    facts = {"basic_code": code, "org": actor.org, "account": actor.account}
    show(facts, as_json, lambda: print_table("Claimed", [facts]))


@app.command()
def unclaimed(*, city: City, as_json: AsJson = False) -> None:
    """List the items of the power list that no body has claimed.

    Example: yishu items unclaimed --city wuxi
    """
    from yishu.governance import items, lists  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        power = lists.rows_on(connection, ListKind.POWER, city, world.today())
        codes = items.unclaimed(connection, power)
    rows = [{"basic_code": code, **power[code]} for code in codes]
    show(rows, as_json, lambda: print_table("Unclaimed", rows))


@app.command()
def conflicts(
    element: Annotated[list[str] | None, typer.Option(help="Compare this too; repeat it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List items of one basic code of which bodies say different things (同一事项同一标准).

    Example: yishu items conflicts --element legal_days
    """
    from yishu.governance import items  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = items.conflicts(items.catalog(connection), element or ())
    rows = [
        {"basic_code": one.basic_code, "element": one.element, "code": code, "value": value}
        for one in found
        for code, value in one.values.items()
    ]
    show(rows, as_json, lambda: print_table("Conflicts", rows))


@app.command()
def gaps(*, city: City, as_json: AsJson = False) -> None:
    """List by department what its power list has and no item offers online (应上尽上).

    Example: yishu items gaps --city wuxi
    """
    from yishu.governance import items, lists  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        power = lists.rows_on(connection, ListKind.POWER, city, world.today())
        found = items.gap_list(power, items.catalog(connection))
    rows = [
        {"org": org, "basic_code": code, "name": power[code].get("name")}
        for org, codes in sorted(found.items())
        for code in codes
    ]
    show(rows, as_json, lambda: print_table("Gaps", rows))


@app.command()
def materials(*, city: City, as_json: AsJson = False) -> None:
    """List materials that guides ask for and the material catalog does not have.

    Example: yishu items materials --city wuxi
    """
    from yishu.governance import items, lists  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        known = lists.rows_on(connection, ListKind.MATERIAL, city, world.today())
        found = items.unresolved_materials(items.catalog(connection), known)
    rows = [
        {"implementation_code": code, "materials": listed(names)} for code, names in found.items()
    ]
    show(found, as_json, lambda: print_table("Unresolved materials", rows))


def _list(title: str, found: Sequence[Any], as_json: bool) -> None:
    rows = [asdict(one) for one in found]
    show(rows, as_json, lambda: print_table(title, rows, _SHOWN))
