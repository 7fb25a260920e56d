"""The portal as a server: one process, or several that share one port."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from yishu.portal.depends import AT_ONCE

ENGINE: Mapping[str, Any] = {
    "pool_size": 2 * AT_ONCE,
    "connect_args": {"options": "-c plan_cache_mode=force_custom_plan"},
}
"""How a process talks to the ledger's database, as SQLAlchemy takes it.

Some requests need a second connection. A statement is planned for the values of each request: most
have filters of which one request uses a few, and a plan for any values reads a whole table.
"""

_STARTING_SECONDS = 120
"""A process that says nothing for so long is started anew; on a busy machine imports take half a
minute, and uvicorn's five seconds would end each before it is up."""


def serve(
    make: Callable[[], FastAPI], *, host: str, port: int, workers: int = 1, https: bool = False
) -> None:
    """Answer until the process is told to stop.

    Args:
        make: Makes the application, in each process once; with several it must be picklable.
        host: Address to listen on.
        port: Port to listen on.
        workers: Processes; a page takes one core's time, so as many as there are cores.
        https: Whether a proxy in front speaks https and says from where people come.
    """
    config = uvicorn.Config(
        make,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        server_header=False,
        proxy_headers=https,
        timeout_worker_healthcheck=_STARTING_SECONDS,
    )
    if workers == 1:
        server = uvicorn.Server(config)
        server.run()
        if not server.started:
            sys.exit(1)
        return
    # `uvicorn.run` takes several processes for the name of a module alone, which has no settings.
    Multiprocess(config, sockets=[config.bind_socket()]).run()
