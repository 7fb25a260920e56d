"""``yishu lineage``: where columns come from, where they go, and events that were missed."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

if TYPE_CHECKING:
    from yishu.lineage.graph import Reached

app = typer.Typer(help="Origin and reach of columns; lineage events.", no_args_is_help=True)

Column = Annotated[str, typer.Argument(help="<data set>#<column>, e.g. subject/legal_entity#name")]


@app.command()
def upstream(column: Column, as_json: AsJson = False) -> None:
    """List every column that the values of a column come from.

    Example: yishu lineage upstream subject/legal_entity#name
    """
    _reached(column, "upstream", as_json=as_json)


@app.command()
def downstream(column: Column, as_json: AsJson = False) -> None:
    """List every column that gets values from a column.

    Example: yishu lineage downstream unified/taxation.taxpayer#tax_credit_grade
    """
    _reached(column, "downstream", as_json=as_json)


@app.command()
def path(source: Column, target: Column, as_json: AsJson = False) -> None:
    """Show a shortest way from one column to another.

    Example: yishu lineage path landing/taxation.taxpayer#uscc subject/legal_entity#uscc
    """
    from yishu.pipeline.impact import column_named, recorded_graph  # noqa: PLC0415  heavy

    with reported(as_json), world.pipeline().ledger.reading() as connection:
        graph = recorded_graph(connection)
        found = graph.path(column_named(graph, source), column_named(graph, target))
    rows = [{"data_set": one.dataset.name, "column": one.field} for one in found]
    show(rows, as_json, lambda: print_table(f"{source} to {target}", rows))
    raise typer.Exit(0 if found else 1)


@app.command()
def impact(column: Column, as_json: AsJson = False) -> None:
    """Say which subjects and which grants a change of a column would touch.

    Example: yishu lineage impact unified/market_regulation.enterprise_registration#name
    """
    from yishu.pipeline.impact import column_named, recorded_graph  # noqa: PLC0415  heavy
    from yishu.pipeline.impact import impact as touched_by  # noqa: PLC0415

    with reported(as_json), world.pipeline().ledger.reading() as connection:
        graph = recorded_graph(connection)
        found = touched_by(connection, graph, column_named(graph, column))
    rows = [
        {
            "table": one.table,
            "column": one.column,
            "steps": one.steps,
            "grants": ", ".join(one.grants),
            "consumers": ", ".join(one.consumers),
        }
        for one in found
    ]
    show(rows, as_json, lambda: print_table(f"A change of {column} touches", rows))


@app.command()
def replay(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every event on record, e.g. for a new collector.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send the events that the ledger or the collector missed while it was down.

    Example: yishu lineage replay
    """
    from yishu.lineage.transport import (  # noqa: PLC0415  heavy
        collector,
        missed_file,
        post_event,
        read_events,
        replay_missed,
    )

    with reported(as_json):
        here = world.pipeline()
        file, ledger = here.settings.lineage_file, here.ledger
        targets: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "ledger": ledger.record_lineage
        }
        if here.settings.lineage_url:
            sender = collector(here.settings.lineage_url, here.settings.lineage_api_key)
            targets["collector"] = post_event(sender)
        rows: list[dict[str, object]] = []
        for name, send in targets.items():
            sent, waiting = replay_missed(missed_file(file, name), send)
            if everything:
                for event in read_events(file):
                    send(event)
                    sent += 1
            rows.append({"to": name, "sent": sent, "waiting": waiting})
    show(rows, as_json, lambda: print_table("Lineage sent again", rows))
    raise typer.Exit(1 if any(row["waiting"] for row in rows) else 0)


def _reached(text: str, direction: str, *, as_json: bool) -> None:
    from yishu.pipeline.impact import column_named, recorded_graph  # noqa: PLC0415  heavy

    with reported(as_json), world.pipeline().ledger.reading() as connection:
        graph = recorded_graph(connection)
        found: Sequence[Reached] = getattr(graph, direction)(column_named(graph, text))
    rows = [
        {"data_set": one.column.dataset.name, "column": one.column.field, "steps": one.steps}
        for one in found
    ]
    show(rows, as_json, lambda: print_table(f"{text}: {direction}", rows))
