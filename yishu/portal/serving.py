"""The portal as a server: one process, or several on one port among which the kernel shares out."""

import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

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


class OwnSocket(socket.socket):
    """A bound address; handed to another process it is that process's own socket on it.

    Processes that accept from one socket take whatever waits when they come by, often all of it,
    and keep it as long as the connection lives; of several sockets the kernel chooses for each.
    """

    @classmethod
    def bound(cls, address: tuple[str, int]) -> Self:
        """A socket on an address that other such sockets are on too."""
        made = cls(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
        return made

    def __reduce__(self) -> tuple[Callable[[tuple[str, int]], socket.socket], tuple[Any, ...]]:
        """The address alone."""
        return type(self).bound, (self.getsockname()[:2],)


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
    config.bind_socket().close()  # refuses a port that others listen on
    # `uvicorn.run` takes several processes for the name of a module alone, which has no settings.
    with OwnSocket.bound((host, port)) as address:
        Multiprocess(config, sockets=[address]).run()
