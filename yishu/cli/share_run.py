"""``yishu share``: what runs by itself: deliveries, the register of use, the server of channels."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import typer

from yishu.cli import remote, world
from yishu.cli.output import AsJson, console, print_table, reported, show
from yishu.cli.share import As, Grant, done
from yishu.cli.share_world import acting, open_house

app = typer.Typer()


@app.command()
def deliver(
    grant_id: Annotated[str | None, typer.Argument(help="A grant; without it: all due.")] = None,
    as_json: AsJson = False,
) -> None:
    """Deliver what is due: files to folders and SFTP servers, batches into databases."""
    from yishu.lineage import open_transport  # noqa: PLC0415
    from yishu.secrets import read_connections  # noqa: PLC0415
    from yishu.sharing import delivering  # noqa: PLC0415

    with reported(as_json):
        here, house = world.settings(), open_house()
        urls = read_connections(here.connections_path) if here.connections_path.exists() else {}
        transport = open_transport(here.lineage_file, here.lineage_url, here.lineage_api_key)
        if grant_id is None:
            done, failed = delivering.deliver_all(house, urls, transport)
        else:
            one = delivering.deliver(house, grant_id, urls, transport)
            done, failed = [one] if one else [], []
    rows = [asdict(one) for one in done]
    missed = [asdict(one) for one in failed]
    show({"delivered": rows, "failed": missed}, as_json, lambda: _print_deliveries(rows, missed))
    if failed:
        raise typer.Exit(1)


@app.command()
def register(
    grant_id: Grant,
    account: As,
    note: Annotated[str, typer.Option(help="How the data were used, or what became of them.")],
    *,
    on: Annotated[str, typer.Option(help="The day, e.g. 2026-11-25.")],
    disposal: Annotated[bool, typer.Option(help="Register the disposal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register the use of a grant's data, or their disposal after its end."""
    from yishu.sharing import register as registers  # noqa: PLC0415

    with reported(as_json):
        far = remote.portal()
        if far is not None:
            kind = "disposal" if disposal else "use"
            far.post(f"/grants/{grant_id}/registers", {"kind": kind, "on_day": on, "note": note})
    if far is None:
        keep = registers.register_disposal if disposal else registers.register_use
        with acting(account, as_json) as (desk, actor):
            keep(desk, grant_id, date.fromisoformat(on), note, actor)
    done(grant_id, "registered", as_json)


@app.command()
def matches(
    org: Annotated[str | None, typer.Option(help="Demands of this department.")] = None,
    as_json: AsJson = False,
) -> None:
    """Demands against what is shared: met, partly, unmet; and what stands on no list."""
    from yishu.sharing import lists  # noqa: PLC0415

    with reported(as_json):
        house = open_house()
        with house.engine.begin() as connection:
            desk = house.desk(connection)
            rows = [asdict(one) for one in lists.matches(desk, org)]
            unlisted, without = lists.unlisted_supply(desk), lists.providers_without_list(desk)
            closed = [asdict(one) for one in lists.not_shared(desk.catalog)]
    found = {"demands": rows, "unlisted_supply": unlisted, "providers_without_list": without}
    found["not_shared"] = closed
    show(found, as_json, lambda: _print_matches(found))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1024, max=65_535, help="Port to listen at.")] = 8091,
) -> None:
    """Serve the channels: query, verification, licences, files, Delta Sharing.

    Example: yishu share serve --port 8091
    """
    import uvicorn  # noqa: PLC0415

    from yishu.sharing.server import create_app  # noqa: PLC0415

    with reported(as_json=False):
        served = create_app(open_house())
    uvicorn.run(served, host=host, port=port, log_level="warning")


def _print_deliveries(rows: list[dict[str, Any]], missed: list[dict[str, Any]]) -> None:
    print_table("Delivered", rows)
    if missed:
        print_table("Not delivered", missed)


def _print_matches(found: dict[str, Any]) -> None:
    print_table("Demands", found["demands"])
    console.print(f"On no responsibility list: {', '.join(found['unlisted_supply']) or 'nothing'}")
    console.print(f"Without a list: {', '.join(found['providers_without_list']) or 'nobody'}")
    print_table("Entries that are not shared, of all", found["not_shared"])
