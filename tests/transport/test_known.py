"""How many pools a session keeps, and which."""

from __future__ import annotations

import pytest
from servers import echo, serve

from tracedclient import TracedSession


@pytest.fixture
def servers(start):
    return [start(serve(echo)) for _ in range(6)]


def test_no_more_pools_are_kept_than_asked_for(servers):
    """The idle connections of a pool that had to make room are closed, not kept beside the others'."""
    with TracedSession(pool_connections=2) as session:
        for server in servers:
            session.get(server.url, timeout=5)
        for server in servers[:-2]:
            server.wait_until(lambda server=server: not server.open_connections)
        assert [server.open_connections for server in servers[-2:]] == [1, 1]


def test_a_pool_in_use_is_kept(servers):
    """It is the one that was not used for the longest time that makes room, as in requests."""
    often, *others = servers
    with TracedSession(pool_connections=2) as session:
        for other in others:
            session.get(often.url, timeout=5)
            session.get(other.url, timeout=5)
        session.get(often.url, timeout=5)
    assert often.connections == 1
