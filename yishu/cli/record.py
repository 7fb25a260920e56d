"""``yishu runs`` and ``yishu refusals``: what the ledger has on record, newest first."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, console, print_records, print_table, reported, show

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many to show at most.")]

_RUNS = {
    "started_at": "started (UTC)",
    "object_id": "of",
    "run_id": "run",
    "state": "state",
    "error_code": "error",
}
_REFUSALS = {
    "refused_at": "refused (UTC)",
    "object_id": "of",
    "item": "item",
    "code": "code",
    "found": "found",
    "expected": "expected",
    "remedy": "remedy",
}


def runs(
    object_id: Annotated[
        str | None,
        typer.Argument(metavar="[OBJECT]", help="Entry or subject id; without it: all."),
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List the last runs: when, of what, how they ended, and by which error.

    Example: yishu runs taxation.taxpayer
    """
    with reported(as_json):
        ledger = world.ledger(world.settings())
        found = ledger.last_runs(limit, object_id) if ledger else []
    rows = [asdict(run) for run in found]
    show(rows, as_json, lambda: _print_runs(rows))


def _print_runs(rows: list[dict[str, Any]]) -> None:
    print_table("Runs", [_in_seconds(row, "started_at") for row in rows], _RUNS)
    for row in rows:
        if row["error_message"]:
            text = f"{row['object_id']}, run {row['run_id']}: {row['error_message']}"
            console.print(text, markup=False, highlight=False)


def refusals(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List what was asked and refused: data outside the catalog, writes past the scheduler.

    Example: yishu refusals --limit 10
    """
    with reported(as_json):
        ledger = world.ledger(world.settings())
        found = ledger.refusals(limit) if ledger else []
    rows = [asdict(refusal) for refusal in found]
    seconds = [_in_seconds(row, "refused_at") for row in rows]
    show(rows, as_json, lambda: print_records("Refusals", seconds, _REFUSALS))


def _in_seconds(row: dict[str, Any], name: str) -> dict[str, Any]:
    moment: datetime = row[name]
    return {**row, name: f"{moment:%Y-%m-%d %H:%M:%S}"}
