"""``yishu catalog``: check the rule files, show an entry, release the catalog."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.vocabulary import OpenType, ShareType
from yishu.cli import lifecycle, remote, world
from yishu.cli.output import AsJson, console, listed, print_table, reported, show
from yishu.settings import Settings

app = typer.Typer(help="The unified catalog: what is promised.", no_args_is_help=True)
app.add_typer(lifecycle.app)

Root = Annotated[
    Path | None, typer.Option("--root", help="Folder of the rule files; default: catalog/.")
]


@app.command()
def check(root: Root = None, as_json: AsJson = False) -> None:
    """Report every fault of every file: where, found, expected, what to do.

    Example: yishu catalog check
    """
    from catalog.check import check_folder  # noqa: PLC0415  yaml, only needed here

    folder = root or world.settings().catalog_dir
    faults = check_folder(folder)
    show([vars(fault) for fault in faults], as_json, lambda: _print_faults(folder, faults))
    raise typer.Exit(1 if faults else 0)


def _print_faults(folder: Path, faults: list[Any]) -> None:
    for fault in faults:
        console.print(f"{fault.file}:{fault.line}  {fault.code}  {fault.obj}", style="bold")
        for name in ("found", "expected", "remedy"):
            console.print(f"  {name:>8}  {getattr(fault, name)}", markup=False, highlight=False)
    console.print(f"{folder}: {len(faults)} faults" if faults else f"{folder}: no fault")


@app.command("show")
def show_entry(
    entry: Annotated[str | None, typer.Argument(help="Entry id; without it: all entries.")] = None,
    share: Annotated[ShareType | None, typer.Option(help="Only this share type.")] = None,
    opened: Annotated[OpenType | None, typer.Option("--open", help="Only this open type.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the released entries, or all that one of them promises.

    Example: yishu catalog show --share conditional
    """
    from catalog.report import listing  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if entry is None:
            if far is not None:
                found = far.get("/catalog", share=share, open=opened)
            else:
                found = listing(world.release(world.settings()), share=share, open_=opened)
            show(found, as_json, lambda: _print_all(**found))
            return
        if far is not None:
            plain = far.get(f"/entries/{entry}")
        else:
            known = world.release(world.settings()).entry(entry)
            plain = known.model_dump(mode="json", exclude_none=True)
    show(plain, as_json, lambda: _print_entry(plain))


def _print_all(entries: list[dict[str, Any]], by_kind: dict[str, int]) -> None:
    print_table("Catalog", entries)
    console.print("by kind: " + listed(f"{kind} {number}" for kind, number in by_kind.items()))


def _print_entry(plain: dict[str, Any]) -> None:
    items = plain.pop("items")
    for name, value in plain.items():
        console.print(f"{name:>22}  {value}", markup=False, highlight=False)
    columns = {
        "field": "field",
        "name": "名称",
        "type": "type",
        "nullable": "nullable",
        "sensitivity": "sensitivity",
        "mask": "mask",
        "element": "element",
    }
    print_table("Data items", items, columns)


@app.command()
def release(root: Root = None, as_json: AsJson = False) -> None:
    """Write the release file that DAGs and stages read; nothing faulty is ever released.

    Entries come from the folder until `yishu catalog adopt`, then from the ledger.

    Example: yishu catalog release
    """
    from yishu.governance import publication  # noqa: PLC0415  all of governance

    here = world.settings()
    with reported(as_json):
        engine = None if root else world.recorded(here)
        with engine.connect() if engine else nullcontext() as connection:
            is_on_record = connection is not None and publication.has_published(connection)
        if engine is not None and is_on_record:
            facts = lifecycle.write_release(here, engine)
        else:
            facts = _release_folder(here, root or here.catalog_dir)
    show(facts, as_json, lambda: _print_release(facts, facts["announced"]))


def _release_folder(here: Settings, folder: Path) -> dict[str, Any]:
    from catalog.faults import CatalogFaults  # noqa: PLC0415
    from catalog.load import load_catalog  # noqa: PLC0415
    from catalog.release import compile_release, write_release  # noqa: PLC0415
    from yishu.orchestration.services import announce_release  # noqa: PLC0415

    loaded, faults = load_catalog(folder)
    if faults:
        raise CatalogFaults.of(str(folder), faults)
    written = write_release(here.releases_dir, compile_release(loaded, world.clock().date()))
    facts = {"id": written.id, "entries": len(written.entries), "subjects": len(written.subjects)}
    return {**facts, "announced": announce_release(here)}


def _print_release(facts: dict[str, Any], announced: bool) -> None:
    print_table("Released", [facts])
    if announced:
        console.print("Airflow has read it")
    else:
        console.print("Airflow does not run here, so it was not told; it reads it when it starts")
