"""The total timeout is total: no drip, no flood and no slow reader outlasts it."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import servers

from tracedclient import DeadlineExceeded, RetryPolicy, Timeout, TracedSession

SHORT = Timeout(connect=0.3, read=0.3, total=0.7)


def drip(prefix, piece=b"x", every=0.05):
    """A handler that sends ``prefix`` and then a little now and then."""
    pause = threading.Event()

    def handle(peer):
        peer.read_request()
        peer.send(prefix)
        for _ in range(200):
            pause.wait(every)
            peer.send(piece)

    return handle


CASES = {
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    "chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "head": drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"y"),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "status": drip(b"HTTP/1.1 200 ", b"O"),
    "interim": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_drip_ends_with_the_deadline(make_client, start, case, debug):
    """A server that sends a little now and then stays within the read timeout, not the total."""
    server = start(servers.ScriptedServer(CASES[case]))
    client = make_client(timeout=SHORT)
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        client.get(server.url, debug=debug)

    assert 0.6 < time.monotonic() - began < 5


def test_a_drip_over_tls_ends_with_the_deadline(make_client, start, server_context, ca_file):
    """The deadline holds over TLS as well."""
    server = start(servers.ScriptedServer(CASES["body"], tls=server_context("localhost")))
    client = make_client(timeout=SHORT, verify=ca_file)
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        client.get(f"https://localhost:{server.port}/")

    assert 0.6 < time.monotonic() - began < 5


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_slow_reader_of_an_upload_ends_with_the_deadline(
    make_client, start, server_context, ca_file, scheme
):
    """A peer that takes an upload a little at a time does not outlast the total."""
    pause = threading.Event()

    def handle(peer):
        while peer.socket.recv(4096):
            pause.wait(0.02)

    tls = server_context("localhost") if scheme == "https" else None
    server = start(servers.ScriptedServer(handle, tls=tls))
    client = make_client(timeout=Timeout(5, 5, 0.7), verify=ca_file)
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        client.put(f"{scheme}://localhost:{server.port}/", data=b"x" * 30_000_000)

    assert 0.6 < time.monotonic() - began < 5


def test_a_streamed_body_is_its_readers_time(make_client, start):
    """With ``stream=True`` the total holds until the answer is handed over, not while it is read."""
    server = start(servers.ScriptedServer(drip(b"HTTP/1.1 200 OK\r\n\r\n", every=0.005)))
    client = make_client(timeout=SHORT)

    response = client.get(server.url, stream=True)
    time.sleep(0.8)

    assert len(response.content) == 200


def test_a_connection_takes_no_deadline_with_it(make_client, echo_server):
    """A connection that is used again does not bear the deadline of the call before."""
    client = make_client(timeout=Timeout(1, 1, 0.3))
    client.get(echo_server.url)
    time.sleep(0.35)

    assert client.get(echo_server.url).trace.conn_reused is True
    with client.session.get(f"{echo_server.url}/slow?ms=400", timeout=2) as response:
        assert response.status_code == 200


def test_a_call_that_ends_leaves_the_next_ones_deadline_alone(make_client, start):
    """Where a hook has read a streamed answer, its connection may work for another call before the
    first has ended: that one's total holds.
    """
    asked = threading.Event()
    dripping = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")

    def handle(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        peer.socket.recv(1, socket.MSG_PEEK)
        asked.set()
        dripping(peer)

    server = start(servers.ScriptedServer(handle))
    client = make_client(timeout=SHORT, retry=RetryPolicy(max_attempts=1))
    with ThreadPoolExecutor(1) as other:
        calls = []

        def read(response, **_):
            assert response.content == b"hi"
            calls.append(other.submit(client.get, server.url))
            assert asked.wait(5)

        client.do(requests.Request("GET", server.url, hooks={"response": read}), stream=True)
        began = time.monotonic()
        error = calls[0].exception(20)

    assert isinstance(error, DeadlineExceeded)
    assert time.monotonic() - began < 5
    assert server.connections == 1


def test_an_upload_is_not_bounded_by_the_connect_timeout(make_client, start):
    """A tight connect timeout does not break a large upload to a server that reads steadily."""
    pause = threading.Event()

    def handle(peer):
        left = 20_000_000
        while left > 0:
            left -= len(peer.socket.recv(1_000_000))
            pause.wait(0.01)
        peer.answer(200)

    server = start(servers.ScriptedServer(handle))
    client = make_client(timeout=Timeout(connect=0.1, read=2, total=None))

    response = client.put(server.url, data=b"x" * 20_000_000)

    assert response.status_code == 200
    assert response.trace.send_ms > 100


def test_a_stalled_upload_ends_with_the_read_timeout(make_client, start):
    """A peer that stops reading is given up after the read timeout, in the phase send."""
    gone = threading.Event()
    server = start(servers.ScriptedServer(lambda peer: gone.wait(10)))
    client = make_client(timeout=Timeout(connect=5, read=0.3, total=None))
    began = time.monotonic()

    with pytest.raises(requests.ConnectionError) as caught:
        client.post(server.url, data=b"x" * 30_000_000)
    gone.set()

    assert 0.25 < time.monotonic() - began < 5
    assert caught.value.trace.error_phase == "send"


def test_a_silent_nameserver_ends_with_the_deadline(make_client, resolver):
    """A lookup that hangs does not outlast the total timeout, and is the phase dns."""
    gone = threading.Event()
    resolver["silent.test"] = lambda: (gone.wait(5) and ["127.0.0.1"]) or ["127.0.0.1"]
    client = make_client(timeout=Timeout(1, 1, 0.5))
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded) as caught:
        client.get("http://silent.test/")
    gone.set()

    assert 0.45 < time.monotonic() - began < 4
    assert caught.value.trace.error_phase == "dns"
    assert caught.value.trace.dns_ms > 400


def test_many_dead_addresses_end_with_the_deadline(make_client, resolver, start):
    """Four addresses that do not answer cost the total timeout, not four connect timeouts."""
    from dialing import hole

    port = start(hole("127.0.0.9")).port
    for last in (10, 11, 12):
        start(hole(f"127.0.0.{last}", port))
    resolver["dead.test"] = [f"127.0.0.{last}" for last in (9, 10, 11, 12)]
    client = make_client(timeout=Timeout(1, 1, 0.8), happy_eyeballs=False)
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        client.get(f"http://dead.test:{port}/")

    assert 0.7 < time.monotonic() - began < 3


def test_a_sink_has_its_own_time(make_client, start, echo_server):
    """A sink that sends something when a call ran out of time, an alert say, is not bound by that time."""
    hanging = start(
        servers.ScriptedServer(lambda peer: peer.read_request() and peer.read_request())
    )
    sent = []

    class Alerting:
        def emit(self, _):
            with TracedSession() as session:
                sent.append(session.get(echo_server.url, timeout=5).status_code)

    client = make_client(sinks=[Alerting()], timeout=Timeout(1, 1, 0.2))
    with pytest.raises(DeadlineExceeded):
        client.get(hanging.url)
    assert sent == [200]
