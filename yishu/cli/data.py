"""``yishu pull``, ``status``, ``trace``: an entry's stages, its state, where its rows came from."""

import getpass
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.calendar import warn_of_missing_year
from yishu.cli.output import (
    AsJson,
    asked,
    cell,
    console,
    errors,
    listed,
    print_table,
    reported,
    show,
)

if TYPE_CHECKING:
    from yishu.pipeline import PipelineContext
    from yishu.pipeline.status import EntryStatus
    from yishu.pipeline.trace import RowTrace

EntryArgument = Annotated[str, typer.Argument(help="Entry id, e.g. taxation.taxpayer")]

_COUNTS = ("read", "inserted", "updated", "unchanged", "deleted", "quarantined", "superseded")


def pull(
    entry: EntryArgument,
    run_id: Annotated[
        str | None, typer.Option(help="Name of the run; the same name resumes it after a kill.")
    ] = None,
    accept_volume: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Let the run through that the volume guard stopped, and say why; it is kept.",
        ),
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
        if accept_volume is not None:
            run_id = _accepted(here, entry, run_id, accept_volume)
        run = run_id or f"manual__{here.clock():%Y-%m-%dT%H:%M:%S.%f}"
        with errors.status(entry) as status:
            for stage in (run_pull, run_validate, run_publish):
                status.update(f"{entry}: {stage.__name__.removeprefix('run_')}")
                done[stage.__name__.removeprefix("run_")] = stage(entry, run, here)
    show(done, as_json, lambda: _print_run(entry, run, done))


def _accepted(here: "PipelineContext", entry: str, run_id: str | None, reason: str) -> str:
    from yishu.pipeline.volume import accept_volume  # noqa: PLC0415  heavy

    found = here.release.entry(entry)
    return accept_volume(found, run_id, reason, getpass.getuser(), here)


def _print_run(entry: str, run: str, done: dict[str, dict[str, Any]]) -> None:
    commit = done["publish"]
    print_table(f"{entry}, run {run}", [{name: commit[name] for name in _COUNTS}])
    console.print(f"published as version {commit['version']}, {commit['rows']:,} rows in all")
    for column, kind in done["pull"]["new_columns"].items():
        console.print(f"not in the catalog, so not read: {column} ({kind})", markup=False)


def status(entry: EntryArgument, as_json: AsJson = False) -> None:
    """Tell the state of an entry's data: last load, rows, changes, failed rules, freshness.

    Example: yishu status taxation.taxpayer
    """
    from yishu.pipeline.status import entry_status  # noqa: PLC0415  heavy

    with reported(as_json):
        ctx = world.pipeline()
        found = entry_status(entry, ctx)
        warn_of_missing_year(ctx.ledger.engine, ctx.settings)
    show(asdict(found), as_json, lambda: _print_status(found))
    raise typer.Exit(0 if found.is_fresh is not False else 1)


def _print_status(found: "EntryStatus") -> None:
    facts = {name: value for name, value in asdict(found).items() if name != "failed_rules"}
    width = max(map(len, facts))
    for name, value in facts.items():
        console.print(f"  {name:<{width}}  {cell(value)}", markup=False, highlight=False)
    columns = {"check_id": "check", "severity": "severity", "failed": "failed", "text_zh": "要求"}
    print_table("Failed rules", [asdict(rule) for rule in found.failed_rules], columns)


def life_cycle(
    entry: Annotated[str | None, typer.Argument(help="Entry id; default: all entries.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell where data sets are: 采集, 归类, 储存, 维护, 使用; when each last made the step there.

    Example: yishu life-cycle taxation.taxpayer
    """
    from yishu.pipeline.life_cycle import LifeStage, read_life_cycles  # noqa: PLC0415  heavy

    with reported(as_json):
        ctx = world.pipeline()
        entries = ctx.release.entries.values() if entry is None else [ctx.release.entry(entry)]
        found = read_life_cycles(entries, ctx.ledger)
    rows: list[dict[str, Any]] = [
        {"entry": one.entry_id, "name": one.name, "stage": one.stage and one.stage.label_zh}
        | {str(stage): one.reached.get(stage) for stage in LifeStage}
        for one in found
    ]
    columns = {"entry": "entry", "stage": "stage"}
    columns |= {stage.value: stage.label_zh for stage in LifeStage}
    show(rows, as_json, lambda: print_table("Life cycle", _by_minute(rows), columns))


def _by_minute(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            name: f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def trace(
    subject: Annotated[str, typer.Argument(help="Subject or entry id, e.g. legal_entity")],
    as_json: AsJson = False,
) -> None:
    """Say where a row came from, column by column, what it said before, and who received it.

    For each column: department, entry, run, landed file and row, rules, earlier values.

    The key is asked for, or read from standard input, one column a line, so that it never stands
    in the shell's history.

    Example: yishu trace legal_entity < key.txt
    """
    from yishu.pipeline.trace import key_of, trace_row  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline()
        key = {column: asked(column) for column in key_of(here, subject)}
        found = trace_row(here, subject, key)
    show(asdict(found), as_json, lambda: _print_trace(subject, found))
    raise typer.Exit(0 if found.columns else 1)


def _print_trace(subject: str, found: "RowTrace") -> None:
    origins = [
        {
            "column": one.column,
            "department": one.responsible_org,
            "entry": one.entry_id,
            "run": one.run_id,
            "pulled_at": one.pulled_at[:19],
            "landed": f"{one.landed_file}:{one.landed_row}" if one.landed_file else "",
            "earlier": listed(f"{old.value} (v{old.version})" for old in one.earlier),
        }
        for one in found.columns
    ]
    print_table(f"{subject}: origin of the row's columns", origins)
    received = [
        {"at": one.at[:19], "by": one.consumer_org, "grant": one.grant_id, "channel": one.channel}
        for one in found.received
    ]
    print_table(f"{subject}: who received the row", received)
