"""``yishu library``: what is published, and a look at it, masked as the catalog says."""

from datetime import datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, listed, print_table, reported, show

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


@app.command("schema")
def show_schema(
    table: Annotated[str, typer.Argument(help="e.g. subject/legal_entity")],
    *,
    version: Annotated[int | None, typer.Option(help="Which version; default: newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the columns of a published table and their types.

    Example: yishu library schema subject/legal_entity
    """
    from yishu.library.read import schema  # noqa: PLC0415  heavy

    with reported(as_json):
        found = schema(world.settings().library_dir, table, version)
    rows = [{"column": field.name, "type": str(field.type)} for field in found]
    show(rows, as_json, lambda: print_table(table, rows))


@app.command("as-of")
def as_of(
    table: Annotated[str, typer.Argument(help="e.g. subject/legal_entity")],
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Its end, in China.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say which version of a table was in force at the end of a day.

    Example: yishu library as-of subject/legal_entity 2026-06-30
    """
    from yishu.library import commits  # noqa: PLC0415  heavy
    from yishu.library.read import version_at  # noqa: PLC0415

    with reported(as_json):
        root = world.settings().library_dir
        end = datetime.combine(day, time.max, ZoneInfo("Asia/Shanghai"))
        version = version_at(root, table, end)
        commit = next(one for one in commits(root, table) if one.version == version)
    row = {"version": version, "rows": commit.rows, "committed_at": commit.committed_at}
    show([row], as_json, lambda: print_table(f"{table} at the end of {day:%Y-%m-%d}", [row]))


@app.command()
def changes(
    table: Annotated[str, typer.Argument(help="Subject or entry id, e.g. legal_entity")],
    before: Annotated[int, typer.Argument(help="The earlier version.")],
    after: Annotated[int, typer.Argument(help="The later version.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows to show at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show rows that changed between two versions; personal values are masked.

    Example: yishu library changes legal_entity 3 5
    """
    from yishu.pipeline.peek import peek_changes  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        rows = peek_changes(
            here.library_dir, world.release(here), table, before, after, limit=limit
        )
    show(rows, as_json, lambda: print_table(f"{table}: version {before} to {after}", rows))


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help='One SELECT, e.g. "select count(*) from ..."')],
    *,
    release: Annotated[
        bool, typer.Option("--release", help="The newest library release instead of each newest.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows to show at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Ask the library in SQL (DuckDB): "subject/legal_entity", "unified/taxation.taxpayer".

    Columns that hold personal data are masked before the statement sees them.

    Example: yishu library sql 'select status, count(*) from "subject/legal_entity" group by 1'
    """
    from yishu.pipeline.peek import peek_sql  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        rows = peek_sql(
            here.library_dir, world.release(here), statement, by_release=release, limit=limit
        )
    show(rows, as_json, lambda: print_table("Library", rows))


@app.command("links")
def show_links(
    subject: Annotated[str, typer.Argument(help="Subject id, e.g. service_rating")],
    *,
    as_json: AsJson = False,
) -> None:
    """Count how many rows of a subject point to rows of others, and to none.

    Example: yishu library links service_rating
    """
    from yishu.library.links import check_links  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline()
        found = check_links(here.settings.library_dir, here.subject(subject), here.release)
    rows = [
        {"link": one.link, "to": one.target, "linked": one.linked, "dangling": one.dangling}
        for one in found
    ]
    show(rows, as_json, lambda: print_table(f"{subject}: links", rows))


@app.command("release")
def make_release(
    subjects: Annotated[list[str], typer.Argument(help="Subjects that must move together.")],
    *,
    run_id: Annotated[str | None, typer.Option(help="Default: made from the time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Build subjects and let readers see their new versions together.

    Example: yishu library release case_application case_process case_result
    """
    from yishu.pipeline.releases import run_release  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline()
        done = run_release(subjects, run_id or f"release__{world.clock():%Y%m%dT%H%M%S}", here)
    rows = [
        {"table": table, "version": version, "moved": table in done["moved"]}
        for table, version in sorted(done["versions"].items())
    ]
    show(done if as_json else rows, as_json, lambda: print_table(f"Release {done['number']}", rows))


@app.command("copies")
def show_copies(
    subject: Annotated[str, typer.Argument(help="Subject id, e.g. legal_entity")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Rows of each copy.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List second-hand copies that say something else than their source, masked.

    The source is right by rule; each line is ready to become an objection.

    Example: yishu library copies legal_entity
    """
    from yishu.pipeline.one_source import source_differences  # noqa: PLC0415  heavy

    with reported(as_json):
        found = source_differences(world.pipeline(), subject, limit)
    rows = [
        {
            "element": one.element,
            "key": listed(one.key.values()),
            "source_says": one.source_value,
            "copy_says": one.copy_value,
            "right": one.right,
            "copy_of": one.holder_entry,
        }
        for one in found
    ]
    show(rows, as_json, lambda: print_table(f"{subject}: differing copies", rows))


@app.command("demands")
def show_demands(as_json: AsJson = False) -> None:
    """List guides that ask for a material which a shareable entry can supply.

    Example: yishu library demands
    """
    from yishu.library.demands import duplicate_demands  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        found = duplicate_demands(here.library_dir, world.release(here))
    rows = [
        {"guide": one.handling_item_code, "material": one.material, "entry": one.entry_id}
        for one in found
    ]
    show(rows, as_json, lambda: print_table("Duplicate demands", rows))
