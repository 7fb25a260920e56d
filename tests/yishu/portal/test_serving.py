"""Several processes on one port: the kernel shares connections out among them."""

import socket
from copy import copy

import pytest
import uvicorn

from yishu.portal.serving import OwnSocket

CONNECTIONS = 40


def taken(listening):
    """How many connections wait for whoever accepts from a socket."""
    listening.setblocking(False)
    number = 0
    try:
        while True:
            listening.accept()[0].close()
            number += 1
    except BlockingIOError:
        return number


def test_each_process_has_a_socket_of_its_own_on_the_address():
    bound = OwnSocket.bound(("127.0.0.1", 0))
    with bound as address, copy(address) as one, copy(address) as other:
        one.listen(CONNECTIONS)
        other.listen(CONNECTIONS)
        asked = [socket.create_connection(address.getsockname()) for _ in range(CONNECTIONS)]

        shares = taken(one), taken(other)

        for each in asked:
            each.close()
        # The kernel draws lots; that one of two gets none of forty does not happen.
        assert sum(shares) == CONNECTIONS
        assert min(shares) > 0
        with pytest.raises(SystemExit):
            uvicorn.Config("portal", port=address.getsockname()[1]).bind_socket()
