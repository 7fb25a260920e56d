"""Two installations that start at once never choose the same port."""

import os
import socket
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from yishu import ports


@pytest.fixture
def wished():
    """Some ports that were free a moment ago."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
    found = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return found


def test_of_many_at_once_each_has_a_port_of_its_own(wished, tmp_path):
    owners = [f"demo {number}" for number in range(len(wished))]
    with ProcessPoolExecutor(3) as pool:
        claimed = list(pool.map(partial(ports.claim, wished=wished, folder=tmp_path), owners))

    assert sorted(claimed) == sorted(wished)
    assert ports.claim("one too many", wished, tmp_path) is None


def test_who_claimed_a_port_gets_it_again_and_what_listens_is_taken(wished, tmp_path):
    assert ports.claim("a", wished, tmp_path) == ports.claim("a", wished, tmp_path) == wished[0]
    with socket.create_server(("127.0.0.1", wished[0])):
        assert ports.claim("a", wished, tmp_path) == wished[1]


def test_a_claim_that_nobody_took_up_is_over(wished, tmp_path):
    ports.claim("a", wished, tmp_path)
    claim = tmp_path / str(wished[0])
    long_ago = claim.stat().st_mtime - ports.CLAIM_SECONDS - 1
    os.utime(claim, (long_ago, long_ago))

    assert ports.claim("b", wished, tmp_path) == wished[0]
