"""Peers that speak nonsense without end: a requests exception, its phase, a verdict, and an end."""

from __future__ import annotations

import threading
import time

import pytest
import requests
import servers

from tracedclient import RetryPolicy, Timeout


@pytest.fixture
def once(make_client):
    return make_client(retry=RetryPolicy(max_attempts=1), timeout=Timeout(1, 1, 2))


def endless(prefix, piece, stop):
    def handle(peer):
        peer.read_head()
        peer.send(prefix)
        while not stop.is_set():
            peer.send(piece)

    return handle


CASES = {
    "no http": (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 1000, "wait"),
    "long header line": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 10_000, "wait"),
    "many headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000, "wait"),
    "long status line": (b"HTTP/1.1 200 ", b"O" * 10_000, "wait"),
    "interim answers": (b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 10, "wait"),
    "endless interim head": (b"HTTP/1.1 103 Hints\r\n", b"X: y\r\n" * 1000, "wait"),
    "huge chunk size": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000000000000000000\r\n",
        b"x" * 10_000,
        "receive",
    ),
    "endless chunk size line": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"0" * 10_000,
        "receive",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_endless_peer_ends(once, start, case):
    """Each kind of nonsense is an error in bounded time, with its phase, and ends the connection."""
    prefix, piece, phase = CASES[case]
    stop = threading.Event()
    server = start(servers.ScriptedServer(endless(prefix, piece, stop), expected=OSError))
    began = time.monotonic()

    with pytest.raises(requests.RequestException) as caught:
        once.get(server.url)

    stop.set()
    assert time.monotonic() - began < 10
    assert caught.value.trace.error_phase == phase
    assert caught.value.trace.verdict_sentence
    server.wait_until(lambda: server.open_connections == 0)


@pytest.mark.parametrize("debug", [False, True])
def test_an_answer_to_connect_that_never_ends_is_bounded(make_client, start, debug):
    """A proxy whose answer to CONNECT has headers without end is given up, in the phase proxy."""
    stop = threading.Event()
    server = start(
        servers.ScriptedServer(
            endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000, stop), expected=OSError
        )
    )
    client = make_client(retry=RetryPolicy(max_attempts=1), proxies={"https": server.url})

    with pytest.raises(
        requests.ConnectionError, match=r"head is larger|more than 100 headers"
    ) as caught:
        client.get("https://internal.example/", debug=debug)

    stop.set()
    if debug:
        assert caught.value.trace.error_phase == "proxy"


def test_a_drip_from_a_proxy_ends_with_the_deadline(make_client, start):
    """A proxy that answers CONNECT a byte at a time does not outlast the total timeout."""
    pause = threading.Event()

    def drip(peer):
        peer.read_head()
        for _ in range(100):
            peer.send(b"H")
            pause.wait(0.05)

    server = start(servers.ScriptedServer(drip))
    client = make_client(timeout=Timeout(0.3, 0.3, 0.7), proxies={"https": server.url})
    began = time.monotonic()

    with pytest.raises(requests.RequestException):
        client.get("https://internal.example/")

    assert time.monotonic() - began < 4


def test_tls_on_the_plaintext_port_is_told(once, start, server_context):
    """http to a server that speaks TLS is the server's nonsense, not a hang."""
    server = start(
        servers.ScriptedServer(lambda peer: peer.read_request(), tls=server_context("localhost"))
    )

    with pytest.raises(requests.ConnectionError) as caught:
        once.get(f"http://localhost:{server.port}/")

    assert caught.value.trace.error_phase == "wait"
