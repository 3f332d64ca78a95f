"""What only the kernel knows, as a trace shows it: delivery, retransmits, and answers left lying."""

from __future__ import annotations

import socket
import sys
import threading
import time

import pytest
import requests
import servers

from tracedclient import RetryPolicy, Timeout
from tracedclient.httptrace import ClientTrace
from tracedclient.transport.kernel import arrival, enable_timestamps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells these facts")

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture(scope="module", autouse=True)
def _stamping():
    """Has the kernel note arrivals: on a busy machine it begins long after the first socket asks."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as ours,
        listener.accept()[0] as theirs,
    ):
        assert enable_timestamps(ours)
        deadline = time.monotonic() + 5
        while True:
            theirs.sendall(b"x")
            stamp = arrival(ours)
            ours.recv(1)
            if stamp is not None:
                break
            assert time.monotonic() < deadline, "the kernel never noted an arrival"
        yield


class Busy(ClientTrace):
    """Keeps the thread from reading for a while after the request has been written."""

    def wrote_request(self, info):
        time.sleep(0.6)


def test_an_answer_that_lies_unread_is_the_processs_fault(client, start):
    """A process that is busy while the answer waits is told apart from a slow server."""
    server = start(servers.serve(servers.echo))
    client.get(server.url)  # the first timestamp of a machine may come late

    trace = client.get(server.url, trace=Busy()).trace

    exchange = trace.attempts[0].exchanges[0]
    assert exchange.buffered_ms >= 400
    assert trace.verdict_culprit == "client"
    assert "in this process's receive buffer" in trace.verdict_sentence


def test_a_slow_server_is_not_excused(client, start):
    """An answer that comes late did not lie in the buffer: it is the server."""
    server = start(servers.serve(servers.echo))

    trace = client.get(f"{server.url}/slow?ms=1500").trace

    assert trace.attempts[0].exchanges[0].buffered_ms < 1000
    assert trace.verdict_culprit == "server"


def test_tls_answers_are_stamped_too(make_client, start, server_context, ca_file):
    """The kernel's time is read below TLS, once an answer has been read on the connection."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    client = make_client(verify=ca_file)
    url = f"https://localhost:{server.port}/"
    client.get(url)

    trace = client.get(url, trace=Busy()).trace

    assert trace.attempts[0].exchanges[0].buffered_ms >= 400


def test_a_request_that_arrived_and_was_not_answered_says_so(make_client, start):
    """A read timeout says that every byte of the request was acknowledged: it did arrive."""

    def handle(peer):
        peer.read_request()
        peer.drain()

    server = start(servers.ScriptedServer(handle))
    client = make_client(retry=ONCE, timeout=Timeout(1, 0.3, None))

    with pytest.raises(requests.ReadTimeout) as caught:
        client.put(server.url, data=b"x" * 4096)

    trace = caught.value.trace
    exchange = trace.attempts[0].exchanges[0]
    assert exchange.tcp.delivery == "acknowledged"
    assert exchange.tcp.bytes_acked == exchange.bytes_sent
    assert trace.verdict_sentence.startswith(
        f"all {exchange.bytes_sent} bytes of the request were acknowledged; no answer came"
    )


def test_an_exchange_counts_its_own_segments(client, start):
    """The figures of a kept-alive connection are those of each exchange, not of all before."""
    server = start(servers.serve(servers.echo))
    first = client.get(f"{server.url}/bytes/300000").trace.attempts[0].exchanges[0].tcp

    second = client.get(server.url).trace.attempts[0].exchanges[0].tcp

    assert first.bytes_received > 300000
    assert second.bytes_received < 3000
    assert second.retransmits == 0
    assert second.rtt_ms > 0


def test_thirty_small_packets_show_as_segments(client, start):
    """A server that answers in thirty small packets is seen in the segments that came in."""
    pause = threading.Event()

    def handle(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
        for _ in range(30):
            pause.wait(0.005)
            peer.send(b"x")
        peer.drain()

    trace = client.get(start(servers.ScriptedServer(handle)).url).trace

    assert trace.attempts[0].exchanges[0].tcp.data_segments_in >= 25
