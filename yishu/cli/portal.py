"""``yishu portal``: the pages and the REST API on this machine."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from yishu.cli import world
from yishu.cli.output import reported

if TYPE_CHECKING:
    from fastapi import FastAPI

PORT = 8090


def portal(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    demo: Annotated[
        bool, typer.Option("--demo", help="Let anybody in as any invented account.")
    ] = False,
    airflow: Annotated[
        str | None, typer.Option(help="Where people reach Airflow's pages; none: no links.")
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes that answer; as many as there are cores.", min=1, max=64)
    ] = 1,
    https: Annotated[
        bool, typer.Option("--https", help="Browsers come by https, through a proxy.")
    ] = False,
) -> None:
    """Serve the portal until it is stopped with Ctrl-C.

    Example: yishu portal --demo
    """
    from yishu.portal import demo as demo_people  # noqa: PLC0415 - `yishu --help` answers at once
    from yishu.portal.serving import serve  # noqa: PLC0415

    make = partial(_application, demo=demo, https=https, airflow=airflow)
    with reported(as_json=False):
        here = world.settings()
        engine = world.engine(here)
        if demo:
            with engine.begin() as connection:
                demo_people.add_people(connection, world.release(here), world.today())
        engine.dispose()
    serve(make, host=host, port=port, workers=workers, https=https)


def _application(*, demo: bool, https: bool, airflow: str | None) -> "FastAPI":
    from yishu.orchestration.services import announce_release  # noqa: PLC0415
    from yishu.portal.app import create_app  # noqa: PLC0415
    from yishu.portal.serving import ENGINE  # noqa: PLC0415
    from yishu.portal.world import World  # noqa: PLC0415

    here = world.settings()
    made = World(
        here,
        world.engine(here, **ENGINE),
        world.clock,
        demo=demo,
        secure=https,
        announce=announce_release,
        airflow_url=airflow,
    )
    return create_app(made)
