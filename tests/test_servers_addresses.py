"""Addresses that do not answer as they should, and names that the tests make up."""

from __future__ import annotations

import socket

import pytest
import requests
from servers import (
    black_hole,
    hanging_server,
    refused_port,
)


def test_a_black_hole_hangs():
    """A connect neither succeeds nor fails, however often it is tried."""
    with black_hole() as address:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.1)


def test_a_refused_port_refuses():
    """Nothing listens there, and the number is given to nobody else meanwhile."""
    port = refused_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_a_hanging_server_reads_and_stays_silent(plain_session):
    """The request is taken, body and all, and no answer comes; TLS gets no ServerHello."""
    with hanging_server() as server:
        with pytest.raises(requests.ReadTimeout):
            plain_session.post(server.url, data=b"x" * 10_000_000, timeout=(5, 0.1))
        with pytest.raises(requests.Timeout):
            plain_session.get(f"https://{server.host_port}", timeout=0.1)
    assert server.connections == 2


def test_names_resolve_as_told(plain_session, resolver, echo_server):
    """A name has the addresses it was given, in order; a client tries one after the other."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    found = socket.getaddrinfo("two.test", 80, type=socket.SOCK_STREAM)
    assert [entry[4] for entry in found] == [("127.0.0.9", 80), ("127.0.0.1", 80)]
    assert plain_session.get(f"http://two.test:{echo_server.port}", timeout=5).ok
    assert resolver.lookups == ["two.test", "two.test"]


def test_names_fail_as_told(resolver):
    """A lookup raises what it was told to, and has no address of a family it was not given."""
    resolver["again.test"] = socket.gaierror(socket.EAI_AGAIN, "later")
    resolver["both.test"] = lambda: ["::1", "127.0.0.1"]
    resolver["four.test"] = ["127.0.0.1"]
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo("again.test", 80)
    assert caught.value.errno == socket.EAI_AGAIN
    families = [entry[0] for entry in socket.getaddrinfo("both.test", 80, type=socket.SOCK_STREAM)]
    assert families == [socket.AF_INET6, socket.AF_INET]
    [only] = socket.getaddrinfo("both.test", 80, socket.AF_INET, socket.SOCK_STREAM)
    assert only[4] == ("127.0.0.1", 80)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("four.test", 80, socket.AF_INET6)
    assert socket.getaddrinfo("127.0.0.1", 80)
