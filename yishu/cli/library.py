"""``yishu library``: what is published, and a look at it, masked as the catalog says."""

from typing import Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show

app = typer.Typer(help="The unified database and the subject library.", no_args_is_help=True)


@app.command("list")
def list_tables(as_json: AsJson = False) -> None:
    """List the published tables: rows, version, the run that made it.

    Example: yishu library list
    """
    from yishu.library import commits  # noqa: PLC0415  heavy
    from yishu.library.read import tables  # noqa: PLC0415

    with reported(as_json):
        root = world.settings().library_dir
        latest = [commits(root, table)[0] for table in tables(root)]
    rows = [
        {
            "table": commit.table,
            "rows": commit.rows,
            "version": commit.version,
            "committed_at": commit.committed_at[:19],
            "run_id": commit.run_id,
        }
        for commit in latest
    ]
    columns = {"table": "table", "rows": "rows", "version": "version", "committed_at": "committed"}
    show(rows, as_json, lambda: print_table("Library", rows, columns))


@app.command()
def query(
    table: Annotated[str, typer.Argument(help="Subject or entry id, e.g. legal_entity")],
    *,
    columns: Annotated[str | None, typer.Option(help="Comma-separated; default: all.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="column=value; repeat for several conditions.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="Which version; default: newest.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows to show at most.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show rows of a table; personal values are masked as the catalog says.

    Example: yishu library query legal_entity --where region_code=320213 --limit 5
    """
    from yishu.pipeline.peek import peek  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        conditions = dict(_condition(text) for text in where or [])
        rows: list[dict[str, Any]] = peek(
            here.library_dir,
            world.release(here),
            table,
            columns=columns.split(",") if columns else None,
            where=conditions,
            version=version,
            limit=limit,
        )
    show(rows, as_json, lambda: print_table(table, rows))


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not column=value", param_hint="--where")
    return column, value
