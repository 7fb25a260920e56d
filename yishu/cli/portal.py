"""``yishu portal``: the pages and the REST API on this machine."""

from typing import Annotated

import typer

from yishu.cli import world
from yishu.cli.output import reported

PORT = 8090


def portal(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    demo: Annotated[
        bool, typer.Option("--demo", help="Let anybody in as any invented account.")
    ] = False,
    airflow: Annotated[
        str | None, typer.Option(help="Where people reach Airflow's pages; none: no links.")
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="Browsers come by https, through a proxy.")
    ] = False,
) -> None:
    """Serve the portal until it is stopped with Ctrl-C.

    Example: yishu portal --demo
    """
    import uvicorn  # noqa: PLC0415 - `yishu --help` answers at once

    from yishu.orchestration.services import announce_release  # noqa: PLC0415
    from yishu.portal import demo as demo_people  # noqa: PLC0415
    from yishu.portal.app import create_app  # noqa: PLC0415
    from yishu.portal.world import World  # noqa: PLC0415

    with reported(as_json=False):
        here = world.settings()
        made = World(
            here,
            world.engine(here),
            world.clock,
            demo=demo,
            secure=https,
            announce=announce_release,
            airflow_url=airflow,
        )
        if demo:
            with made.engine.begin() as connection:
                demo_people.add_people(connection, made.release(), made.today())
        app = create_app(made)
    uvicorn.run(app, host=host, port=port, server_header=False, proxy_headers=https)
