"""``yishu items``, its lists and pages: published lists, the ten slots, links, the province."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from catalog.vocabulary import ListKind, PublicationSlot
from yishu.cli import world
from yishu.cli.items import As, Basis, City, Code, File
from yishu.cli.output import AsJson, listed, print_table, reported, show

app = typer.Typer(no_args_is_help=True)

Kind = Annotated[ListKind, typer.Argument(help="Which list.")]
Key = Annotated[str, typer.Option(help="The column that names a row.")]


@app.command("publish-list")
def publish_list(
    kind: Kind,
    file: File,
    *,
    city: City,
    basis: Basis,
    account: As,
    key: Key = "code",
    as_json: AsJson = False,
) -> None:
    """Publish a list as its next version; the same rows again change nothing.

    Rows of the power list name their department as `org`.

    Example: yishu items publish-list power power.csv --city wuxi --basis 锡编办〔2026〕1号 --as sun.fu
    """  # noqa: E501 - an example is one line
    from yishu.governance import lists  # noqa: PLC0415

    with reported(as_json):
        rows = _rows(file, key, ("org",) if kind is ListKind.POWER else ())
        wanted = lists.Publication(kind, city, rows, basis)
        with world.engine(world.settings()).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            made = lists.publish(connection, wanted, *by)
    facts = {**asdict(made), "rows": len(rows)}
    show(facts, as_json, lambda: print_table("Published", [facts]))


@app.command("list-rows")
def list_rows(kind: Kind, *, city: City, as_json: AsJson = False) -> None:
    """Show the rows of a list in force today.

    Example: yishu items list-rows shared_licence --city wuxi
    """
    from yishu.governance import lists  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = lists.rows_on(connection, kind, city, world.today())
    rows = [{"key": key, **row} for key, row in found.items()]
    show(rows, as_json, lambda: print_table(kind.label_zh, rows))


@app.command("list-diff")
def list_diff(
    kind: Kind,
    before: Annotated[int, typer.Argument(help="Version.")],
    after: Annotated[int, typer.Argument(help="Version.")],
    *,
    city: City,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two versions of a list, row by row.

    Example: yishu items list-diff power 1 2 --city wuxi
    """
    from yishu.governance import lists  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        rows = _changes(lists.diff(connection, kind, city, before, after))
    show(rows, as_json, lambda: print_table("Differences", rows))


@app.command()
def fill(
    code: Code,
    slot: Annotated[PublicationSlot, typer.Argument(help="Which of the ten.")],
    *,
    text: Annotated[str, typer.Option(help="What the site says; empty empties it.")],
    offline: Annotated[str | None, typer.Option(help="What the counter shows.")] = None,
    account: As,
    as_json: AsJson = False,
) -> None:
    """Publish what one of the ten slots of an item says.

    Example: yishu items fill 11320200YQ0001101Q3320101001000 faq --text 见指南 --as sun.fu
    """
    from yishu.governance import item_pages  # noqa: PLC0415

    wanted = item_pages.Slot(code, slot, text, offline)
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        item_pages.fill(connection, wanted, *by)
    show(asdict(wanted), as_json, lambda: print_table("Published", [asdict(wanted)]))


@app.command("empty-slots")
def empty_slots(as_json: AsJson = False) -> None:
    """List the slots of each item in force that say nothing.

    Example: yishu items empty-slots
    """
    from yishu.governance import item_pages, items  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        codes = [one.implementation_code for one in items.catalog(connection)]
        found = item_pages.empty_slots(connection, codes)
    rows = [
        {"implementation_code": code, "empty": listed(slot.label_zh for slot in slots)}
        for code, slots in found.items()
    ]
    show(found, as_json, lambda: print_table("Empty slots", rows))


@app.command()
def inconsistent(as_json: AsJson = False) -> None:
    """List slots where the counter shows another text than the site (线上线下一致).

    Example: yishu items inconsistent
    """
    from yishu.governance import item_pages  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        found = item_pages.inconsistent(connection)
    rows = [{"implementation_code": code, "slot": slot} for code, slot in found]
    show(rows, as_json, lambda: print_table("Inconsistent", rows))


@app.command()
def link(
    code: Code,
    power_row: Annotated[str, typer.Argument(help="Key of the power list's row.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Link a guide to the row of the power list that it rests on.

    Example: yishu items link 11320200YQ0001101Q3320101001000 320101001000 --as sun.fu
    """
    from yishu.governance import item_pages  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        by = (world.actor(connection, account), world.clock())
        item_pages.link(connection, code, power_row, *by)
    facts = {"implementation_code": code, "power_row": power_row}
    show(facts, as_json, lambda: print_table("Linked", [facts]))


@app.command()
def orphans(*, city: City, as_json: AsJson = False) -> None:
    """List guides without a row of the power list, and rows without a guide.

    Example: yishu items orphans --city wuxi
    """
    from yishu.governance import item_pages, items, lists  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).connect() as connection:
        guides = [one.implementation_code for one in items.catalog(connection)]
        power = lists.rows_on(connection, ListKind.POWER, city, world.today())
        found = item_pages.orphans(connection, guides, power)
    rows = [{"orphan": code, "kind": "guide"} for code in found.guides]
    rows += [{"orphan": key, "kind": "power row"} for key in found.power_rows]
    show(asdict(found), as_json, lambda: print_table("Orphans", rows))


@app.command()
def province(file: File, *, city: City, basis: Basis, account: As, as_json: AsJson = False) -> None:
    """Take in the province's items; what it changed, and what we have otherwise.

    Its rows are named by `implementation_code`; ours are compared in the columns it has.

    Example: yishu items province province.csv --city wuxi --basis 省事项库11月版 --as sun.fu
    """
    from yishu.governance import item_checks, items, lists, mirrors  # noqa: PLC0415

    with reported(as_json):
        incoming = _rows(file, "implementation_code")
        wanted = lists.Publication(ListKind.PROVINCIAL_ITEM, city, incoming, basis)
        with world.engine(world.settings()).begin() as connection:
            by = (world.actor(connection, account), world.clock())
            before = lists.rows_on(connection, ListKind.PROVINCIAL_ITEM, city)
            lists.publish(connection, wanted, *by)
            ours = item_checks.beside(incoming, items.catalog(connection))
    found = mirrors.synchronise(before, incoming, ours)
    sides = {"from the province": found.inbound, "to report": found.to_report}
    rows = [{"side": side, **row} for side, given in sides.items() for row in _changes(given)]
    facts = {**asdict(found), "is_equal": found.is_equal}
    show(facts, as_json, lambda: print_table("Differences", rows))


def _rows(file: File, key: str, required: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    from yishu.interchange import records  # noqa: PLC0415

    found = records.read(file.name, file.read_bytes(), (key, *required))
    return records.keyed(file.name, found, key)


def _changes(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"row": one.row_key, "kind": one.kind, **asdict(one)} for one in found]
