"""``yishu source``: probe a department system, draft an entry from a table, list what is docked."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, cell, console, listed, print_table, reported, show

if TYPE_CHECKING:
    from yishu.sources.protocol import Connection

app = typer.Typer(help="Department systems: probe, draft, register.", no_args_is_help=True)

ConnectionArgument = Annotated[
    str, typer.Argument(help="Connection id, e.g. market_regulation_db", metavar="CONNECTION")
]
OfKind = Annotated[
    str | None, typer.Option("--kind", help="Kind of system, if no entry says it yet.")
]


@app.command()
def probe(connection: ConnectionArgument, kind: OfKind = None, as_json: AsJson = False) -> None:
    """Ask a system: reachable, version, tables, rows, read-only, lag. Nothing is written.

    Example: yishu source probe market_regulation_db
    """
    from yishu.inventory.probe import probe as ask  # noqa: PLC0415  heavy

    with reported(as_json):
        found = ask(_connection(connection, "", kind), _catalog(), world.clock())
    facts = asdict(found)
    show(facts, as_json, lambda: _print_probe(facts))
    raise typer.Exit(0 if found.is_reachable else 1)


def _print_probe(facts: dict[str, Any]) -> None:
    places = facts.pop("places")
    width = max(map(len, facts))
    for name, value in facts.items():
        console.print(f"  {name:<{width}}  {cell(value)}", markup=False, highlight=False)
    columns = {"name": "place", "rows": "rows", "changed_at": "changed", "trouble": "trouble"}
    print_table("Places", places, columns)


@app.command()
def draft(
    connection: ConnectionArgument,
    place: Annotated[str, typer.Argument(help="Table, file pattern or endpoint.")],
    *,
    department: Annotated[
        str | None, typer.Option(help="Whose data; default: the system's department.")
    ] = None,
    kind: OfKind = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file, e.g. gb18030.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a spreadsheet, if not the first.")] = None,
    rows: Annotated[int, typer.Option(min=100, help="Rows to look at, at most.")] = 20_000,
    write: Annotated[
        Path | None, typer.Option(help="Catalog folder to write it into; never overwrites.")
    ] = None,
) -> None:
    """Draft a catalog entry from a real table; no row of it is kept.

    What only a person can decide is marked DECIDE; `yishu catalog check` names it too.

    Example: yishu source draft civil_affairs_db shzz_djxx
    """
    from yishu.inventory.draft import draft as written  # noqa: PLC0415  heavy
    from yishu.inventory.draft import look_at, spec_of  # noqa: PLC0415

    with reported(False):
        here, catalog = _connection(connection, place, kind), _catalog()
        more = {"encoding": encoding, "sheet": sheet}
        given = {name: value for name, value in more.items() if value is not None}
        spec = spec_of(here, place, catalog, **given)
        whose = department or _department(connection, catalog)
        made = written(spec, whose, look_at(spec, here, catalog, most=rows), catalog)
    if write is None:
        console.print(made.text, markup=False, highlight=False, soft_wrap=True, end="")
        return
    path = write / "entries" / Path(*made.entry_id.split(".")).with_suffix(".yaml")
    if path.exists():
        raise typer.BadParameter(f"{path} is there already", param_hint="--write")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.text, "utf-8")
    console.print(f"{path}: a person decides {listed(made.decisions)}", markup=False)


@app.command("list")
def list_systems(as_json: AsJson = False) -> None:
    """List the docked systems: who, which way, last success, missing deliveries.

    Example: yishu source list
    """
    from yishu.inventory.register import register  # noqa: PLC0415

    with reported(as_json):
        here = world.pipeline()
        ledger = here.ledger
        docked = register(here.release, ledger.deliveries(), ledger.last_contacts(), here.clock())
    rows = [asdict(system) for system in docked]
    show(rows, as_json, lambda: _print_systems(rows))


@app.command("mapping")
def show_mapping(
    connection: Annotated[
        str | None, typer.Argument(help="Connection id; default: all.", metavar="[CONNECTION]")
    ] = None,
    approval: Annotated[
        bool, typer.Option("--approval", help="Only what approval systems hold: cases, results.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List how columns and codes of systems are mapped, and how many rows had unmapped codes.

    Those rows are in quarantine, each with its reason: `yishu quality reject`.

    Example: yishu source mapping administrative_approval_db
    """
    from yishu.inventory.mapping import last_verdicts, mapping  # noqa: PLC0415

    with reported(as_json):
        here = world.pipeline()
        verdicts = last_verdicts(here.release, here.ledger)
        found = mapping(here.release, verdicts, connection, approval_only=approval)
    rows = [asdict(one) for one in found]
    titles = {name: name.replace("_", " ") for name in rows[0]} if rows else {}
    show(rows, as_json, lambda: print_table("Mapping", rows, titles))


@app.command()
def contracts(as_json: AsJson = False) -> None:
    """List the data sets that systems promised to the city database: due, delivered, missing.

    Ends with code 1 when one is missing.

    Example: yishu source contracts
    """
    from yishu.inventory.promised import first_deliveries, promised  # noqa: PLC0415

    with reported(as_json):
        here = world.pipeline()
        with here.ledger.reading() as connection:
            first = first_deliveries(connection)
        found = promised(here.release, first, here.clock())
    rows = [asdict(one) for one in found]
    show(rows, as_json, lambda: _print_promised(rows))
    raise typer.Exit(1 if any(one.is_missing for one in found) else 0)


def _print_promised(rows: list[dict[str, Any]]) -> None:
    columns = ("system", "department", "contact", "contract", "data_set", "due_on", "first_at")
    shown = [
        {
            **row,
            "first_at": row["first_at"] and f"{row['first_at']:%Y-%m-%d %H:%M}",
            "state": row["state"].label_zh,
        }
        for row in rows
    ]
    titles = {name: name.replace("_", " ") for name in (*columns, "state")}
    print_table("Promised to the city database", shown, titles)


def _print_systems(rows: list[dict[str, Any]]) -> None:
    columns = {
        "connection_id": "connection",
        "kind": "kind",
        "direction": "direction",
        "department": "department",
        "contact": "contact",
        "last_success": "last success",
        "missing": "missing",
    }
    shown = [
        {
            **row,
            "direction": row["direction"].label_zh,
            "last_success": row["last_success"] and f"{row['last_success']:%Y-%m-%d %H:%M}",
            "missing": listed(f"{count} {cycle}" for cycle, count in row["missing"].items()),
        }
        for row in rows
    ]
    print_table("Docked systems", shown, columns)


def _catalog() -> Any:
    """The release in force; before the first one, the rule files as they are."""
    from catalog.load import read_catalog  # noqa: PLC0415
    from catalog.release import NoRelease  # noqa: PLC0415

    here = world.settings()
    try:
        return world.release(here)
    except NoRelease:
        return read_catalog(here.catalog_dir).catalog


def _connection(connection_id: str, place: str, kind: str | None) -> "Connection":
    from catalog.vocabulary import SystemKind  # noqa: PLC0415
    from yishu.inventory.draft import kind_of  # noqa: PLC0415
    from yishu.pipeline.errors import ConnectionUnknown  # noqa: PLC0415
    from yishu.secrets import read_connections  # noqa: PLC0415
    from yishu.sources.protocol import Connection  # noqa: PLC0415

    urls = read_connections(world.settings().connections_path)
    if connection_id not in urls:
        raise ConnectionUnknown(
            connection_id,
            found=f"connections {listed(sorted(urls)) or 'none'}",
            expected=f"a connection called {connection_id}",
            remedy="add it to var/secrets/connections.json",
        )
    url = urls[connection_id]
    guessed = kind_of(connection_id, url, place, _catalog())
    return Connection(connection_id, SystemKind(kind) if kind else guessed, url)


def _department(connection_id: str, catalog: Any) -> str:
    if connection_id in catalog.systems:
        return str(catalog.systems[connection_id].department)
    for entry in catalog.entries.values():
        if entry.source.connection == connection_id:
            return str(entry.provider_org)
    raise typer.BadParameter("nobody says whose system it is", param_hint="--department")
