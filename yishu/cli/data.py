"""``yishu pull``, ``quality`` and ``trace``: an entry through its stages, its verdict, its rows."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, console, errors, print_table, reported, show

EntryArgument = Annotated[str, typer.Argument(help="Entry id, e.g. taxation.taxpayer")]

_COUNTS = ("read", "inserted", "updated", "unchanged", "deleted", "quarantined", "superseded")


def pull(
    entry: EntryArgument,
    run_id: Annotated[
        str | None, typer.Option(help="Name of the run; the same name resumes it after a kill.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pull, validate and publish one entry in this process instead of Airflow's.

    Example: yishu pull taxation.taxpayer
    """
    from yishu.pipeline import run_publish, run_pull, run_validate  # noqa: PLC0415  heavy

    done: dict[str, dict[str, Any]] = {}
    with reported(as_json):
        here = world.pipeline_for(entry)
        run = run_id or f"manual__{here.clock():%Y-%m-%dT%H:%M:%S.%f}"
        with errors.status(entry) as status:
            for stage in (run_pull, run_validate, run_publish):
                status.update(f"{entry}: {stage.__name__.removeprefix('run_')}")
                done[stage.__name__.removeprefix("run_")] = stage(entry, run, here)
    show(done, as_json, lambda: _print_run(entry, run, done))


def _print_run(entry: str, run: str, done: dict[str, dict[str, Any]]) -> None:
    commit = done["publish"]
    print_table(f"{entry}, run {run}", [{name: commit[name] for name in _COUNTS}])
    console.print(f"published as version {commit['version']}, {commit['rows']:,} rows in all")
    for column, kind in done["pull"]["new_columns"].items():
        console.print(f"not in the catalog, so not read: {column} ({kind})", markup=False)


def quality(
    entry: EntryArgument,
    run_id: Annotated[str | None, typer.Option(help="Which run; default: the latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a validation of an entry found, check by check.

    Example: yishu quality market_regulation.enterprise_registration
    """
    with reported(as_json):
        here = world.pipeline()
        verdict = here.ledger.verdict(here.release.entry(entry).id, run_id)
    found = None if verdict is None else asdict(verdict)
    show(found, as_json, lambda: _print_verdict(entry, found))
    raise typer.Exit(0 if found else 1)


def _print_verdict(entry: str, found: dict[str, Any] | None) -> None:
    if found is None:
        console.print(f"{entry}: not validated yet; run `yishu pull {entry}` or its DAG")
        return
    state = "passed" if found["passed"] else "blocked"
    console.print(
        f"{entry}, run {found['run_id']}: {state}; "
        f"{found['quarantined']:,} of {found['rows']:,} rows quarantined"
    )
    columns = {
        "check_id": "check",
        "dimension": "dimension",
        "severity": "severity",
        "counted": "counted",
        "failed": "failed",
        "text_zh": "要求",
    }
    print_table("Checks", sorted(found["checks"], key=lambda one: -one["failed"]), columns)


def trace(
    subject: Annotated[str, typer.Argument(help="Subject or entry id, e.g. legal_entity")],
    as_json: AsJson = False,
) -> None:
    """Say where a row came from: department, entry, run, landed row.

    The key is asked for, or read from standard input, one column a line, so that it never stands
    in the shell's history.

    Example: yishu trace legal_entity < key.txt
    """
    from yishu.pipeline.trace import key_of, trace_row  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline()
        key = _ask(key_of(here, subject))
        found = [asdict(origin) for origin in trace_row(here, subject, key)]
    show(found, as_json, lambda: print_table(f"{subject}: origin of the row's columns", found))
    raise typer.Exit(0 if found else 1)


def _ask(columns: Sequence[str]) -> dict[str, str]:
    if sys.stdin.isatty():
        return {column: str(typer.prompt(column, hide_input=True)) for column in columns}
    return {column: sys.stdin.readline().strip() for column in columns}
