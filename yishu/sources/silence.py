"""A bound on silence for a driver that waits for the network without one.

libpq waits for as long as the connection stands, and a firewall that forgot it, or a server that
hangs, lets it stand for ever. So the wait is watched from beside: when it lasts too long, the
socket under the driver is shut down, and the driver reports a broken connection.
"""

import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_FOLDER = Path("/proc/self/fd")
_OPENING = threading.Lock()
_END = object()


class SilenceWatch:
    """Watches the connections that are opened under it.

    Where the kernel does not list a process's sockets, nothing is watched; then the statement
    timeout of the server is the only bound.

    Attributes:
        broken: The limit ran out and the connections were cut.
    """

    def __init__(self, limit: timedelta, port: int | None) -> None:
        self._limit = limit.total_seconds()
        self._port = port
        self._sockets: dict[str, str] = {}
        self.broken = False

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Around the call that connects, to know which socket it made."""
        with _OPENING:
            before = set(_open_sockets().values())
            yield
            self._sockets |= {
                number: name for number, name in _open_sockets().items() if name not in before
            }

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around a call that waits for the network."""
        timer = threading.Timer(self._limit, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, each waited for no longer than the limit."""
        rest = iter(items)
        while True:
            with self.waiting():
                item = next(rest, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]  # only the end is no item

    def _cut(self) -> None:
        now = _open_sockets()
        for number, name in self._sockets.items():
            # The number may mean another socket by now; the kernel's name does not.
            if now.get(number) == name:
                self._shut_down(int(number))

    def _shut_down(self, number: int) -> None:
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as end:
            peer = end.getpeername()
            if isinstance(peer, tuple) and peer[1] == self._port:
                # Said first: the driver reports the broken connection at once.
                self.broken = True
                end.shutdown(socket.SHUT_RDWR)


def _open_sockets() -> dict[str, str]:
    found = {}
    with suppress(OSError):
        for entry in _FOLDER.iterdir():
            with suppress(OSError):
                name = str(entry.readlink())
                if name.startswith("socket:"):
                    found[entry.name] = name
    return found
