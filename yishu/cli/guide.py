"""``yishu quality guide``, ``levels``: published service items against the rules for guides."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.vocabulary import DataKind
from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.release import Release
    from yishu.settings import Settings

EntryArgument = Annotated[str, typer.Argument(help="A service-item entry.")]

_SHOWN = 50


def guide(entry: EntryArgument, as_json: AsJson = False) -> None:
    """Check the published guides of an entry element by element; one line an item and element.

    Example: yishu quality guide administrative_approval.service_guide
    """
    from expectations.guide import check_guides, totals  # noqa: PLC0415  seconds
    from yishu.library.read import read  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        release = world.release(here)
        known = release.entry(entry)
        rows = read(here.library_dir, f"unified/{known.id}")
        found = check_guides(known, release, rows)
    key = rows.column(known.key[0]).to_pylist()
    department = release.departments[known.provider_org].name
    orgs = rows.column("org_name").to_pylist() if "org_name" in known.fields else None
    wrong = [
        {
            "item": key[one.row],
            "element": one.element.label_zh,
            "state": one.state,
            "checks": ", ".join(one.checks),
        }
        for one in found
        if one.state != "ok"
    ]
    counts = totals(found, orgs or [department] * len(rows))
    result = {"entry": known.id, "totals": counts, "findings": wrong}
    show(result, as_json, lambda: _print_guide(result))


def _print_guide(found: dict[str, Any]) -> None:
    rows = [{"department": name, **counts} for name, counts in found["totals"].items()]
    print_table(f"{found['entry']}: elements of guides", rows)
    wrong = found["findings"]
    print_table(f"Findings, {min(_SHOWN, len(wrong))} of {len(wrong)}", wrong[:_SHOWN])


def levels(as_json: AsJson = False) -> None:
    """Compare published service items over levels: name, code, basis, type; and codes with names.

    Example: yishu quality levels
    """
    from expectations import levels as same  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        items = _items(here, world.release(here))
        compared = same.compare_levels(items)
    result = {
        "pairs": len(compared),
        "conformity": same.conformity(compared),
        "differences": [asdict(one) for one in same.differences(compared)],
        "conflicts": [
            {"basic_code": code, "names": "；".join(names)}
            for code, names in same.code_conflicts(items).items()
        ],
        "malformed": [
            {"code": code, "segment": segment} for code, segment in same.code_faults(items).items()
        ],
    }
    show(result, as_json, lambda: _print_levels(result))


def _items(here: "Settings", release: "Release") -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415  heavy

    from expectations.levels import COLUMNS  # noqa: PLC0415  heavy
    from yishu.library.place import Place  # noqa: PLC0415  heavy
    from yishu.library.read import read  # noqa: PLC0415  heavy

    found = [
        read(here.library_dir, f"unified/{entry.id}", columns=COLUMNS)
        for entry in release.entries.values()
        if entry.data_kind is DataKind.SERVICE_ITEM
        and set(COLUMNS) <= set(entry.fields)
        and Place(here.library_dir, f"unified/{entry.id}").exists()
    ]
    empty = pa.schema([(name, pa.string()) for name in COLUMNS]).empty_table()
    return pa.concat_tables([empty, *found], promote_options="permissive")


def _print_levels(found: dict[str, Any]) -> None:
    share = found["conformity"]
    told = "no item is on two levels" if share is None else f"{share:.2%} of {found['pairs']} pairs"
    print_table(f"三级四同: {told} conform; differences", found["differences"][:_SHOWN])
    print_table("One code, several names", found["conflicts"][:_SHOWN])
    print_table("Malformed codes", found["malformed"][:_SHOWN])
