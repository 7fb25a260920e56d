"""Ports of this machine's own services, chosen so that two installations never choose the same.

Between choosing a port and listening on it lies a start that takes seconds or minutes. A claim, a
small file in a folder of the machine, keeps the port for whoever chose it until it listens there.
"""

import fcntl
import os
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
CLAIM_SECONDS = 600.0
"""How long a claim holds; what was not listening by then never came up."""


def claim(owner: str, wished: Iterable[int], folder: Path | None = None) -> int | None:
    """The first of the wished ports that nobody uses or claims, now claimed; None: there is none.

    Args:
        owner: Who claims, the same at every start, e.g. the data folder and the service.
        wished: Ports of the loopback interface, the best first.
        folder: Where claims are kept; None: the machine's.
    """
    place = folder or Path(tempfile.gettempdir()) / f"yishu-ports-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    with _alone(place):
        for port in wished:
            if is_free(port) and not _is_claimed(place / str(port), owner):
                (place / str(port)).write_text(owner, "utf-8")
                return port
    return None


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _is_claimed(file: Path, owner: str) -> bool:
    if not file.exists() or file.read_text("utf-8") == owner:
        return False
    return time.time() - file.stat().st_mtime < CLAIM_SECONDS


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One at a time on this machine."""
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
