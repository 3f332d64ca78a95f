"""Failures, which Go's hooks pass over: ``failed`` names the phase, and is the last word."""

from __future__ import annotations

import errno
import ssl
import threading

import pytest
import requests
import servers
from dialing import hole

from httptrace.watching import ask, fails, phase_and_sent
from tracedclient import HTTPClient

# --- addresses ---------------------------------------------------------------------------------


def test_refused_on_the_first_of_two_addresses(session, journal, echo_server, resolver):
    """Go: a pair for each address, the first with its error; the second is used."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]

    ask(session, f"http://two.test:{echo_server.port}/", journal)

    port = echo_server.port
    started = [info.addr for info in journal.all("connect_start")]
    assert started == [f"127.0.0.9:{port}", f"127.0.0.1:{port}"]
    refused, connected = journal.all("connect_done")
    assert (refused.addr, connected.addr) == tuple(started)
    assert isinstance(refused.error, ConnectionRefusedError)
    assert connected.error is None
    assert journal.one("got_conn").remote == f"127.0.0.1:{port}"


def test_a_black_holed_first_address(session, journal, start, echo_server, resolver):
    """Go: Happy Eyeballs. The second address overtakes a dead first one; the loser's end is told as
    cancelled, and before ``got_conn``, where Go may tell it after the request has ended."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    dead = start(hole("127.0.0.9", echo_server.port))

    ask(session, f"http://two.test:{echo_server.port}/", journal)

    ends = {info.addr: info.error for info in journal.all("connect_done")}
    assert ends.keys() == {dead.addr, echo_server.host_port}
    assert ends[echo_server.host_port] is None
    assert ends[dead.addr].errno == errno.ECANCELED
    assert journal.hooks.index("got_conn") > max(
        index for index, hook in enumerate(journal.hooks) if hook == "connect_done"
    )


def test_every_address_is_dead(session, journal, black_hole):
    """Go: an address that does not answer ends with an error, as does the request."""
    host, port = black_hole

    fails(session, f"http://{host}:{port}/", journal, timeout=0.1)

    assert isinstance(journal.one("connect_done").error, TimeoutError)
    assert phase_and_sent(journal) == ("connect", False)


# --- TLS ---------------------------------------------------------------------------------------


def test_tls_handshake_timeout(session, journal, start):
    """Go: TestTransportTLSHandshakeTimeout. A peer that says nothing ends the handshake."""
    server = start(servers.hanging_server())

    fails(session, f"https://{server.host_port}/", journal, timeout=0.1)

    assert isinstance(journal.one("tls_handshake_done").error, TimeoutError)
    assert phase_and_sent(journal) == ("tls", False)


def test_plaintext_on_the_https_port(session, journal, start):
    """Go: tls: first record does not look like a TLS handshake. No certificate is made up."""
    server = start(servers.ScriptedServer(lambda peer: peer.send(b"HTTP/1.1 400 Bad\r\n\r\n")))

    fails(session, f"https://{server.host_port}/", journal)

    done = journal.one("tls_handshake_done")
    assert isinstance(done.error, ssl.SSLError)
    assert done.state is None
    assert phase_and_sent(journal) == ("tls", False)


# --- the answer --------------------------------------------------------------------------------


def test_a_peer_that_speaks_no_http(session, journal, start):
    """Go: malformed HTTP response. Its first byte is told, and that it was no answer."""

    def banner(peer):
        peer.read_request()
        peer.send(b"SSH-2.0-OpenSSH_9.6\r\n")

    fails(session, start(servers.ScriptedServer(banner)).url, journal)

    assert journal.hooks[-2:] == ["got_first_response_byte", "failed"]
    assert phase_and_sent(journal) == ("wait", True)


def test_a_reset_in_mid_body(session, journal, start):
    """Beyond Go, whose reader alone is told: a body that ends in a reset fails in receive."""
    begun = threading.Event()

    def reset(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        peer.wait(begun)
        peer.reset()

    response = ask(session, start(servers.ScriptedServer(reset)).url, journal, stream=True)
    begun.set()
    with pytest.raises(requests.RequestException):
        response.content  # noqa: B018 - reads it

    assert phase_and_sent(journal) == ("receive", True)
    assert isinstance(journal.one("failed").error, ConnectionResetError)
    assert not {"put_idle_conn", "body_done"} & set(journal.hooks)


def early_413(peer):
    peer.read_head()
    peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    peer.drain()


def test_an_early_413(session, journal, start):
    """Go: got_first_response_byte before wrote_request. Here the upload comes first, and then the
    answer that was there all along; it is delivered, and is no failure."""
    server = start(servers.ScriptedServer(early_413))

    response = ask(session, server.url, journal, "PUT", data=b"x" * 3_000_000)

    assert response.status_code == 413
    assert "failed" not in journal.hooks
    assert "put_idle_conn" not in journal.hooks


@pytest.fixture
def answered_early(session, journal, start):
    """A server that answered without ``close`` and left while the body was being sent."""
    answered = threading.Event()

    def handle(peer):
        if peer.number > 1:
            peer.read_request()
            peer.answer(200, b"second")
            return
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfoo")
        answered.set()

    def body():
        assert answered.wait(5)
        # Written until the server's end is noticed.
        yield from (b"x" * 65536 for _ in range(1000))

    server = start(servers.ScriptedServer(handle))
    assert ask(session, server.url, journal, "POST", data=body()).text == "foo"
    return server


def test_no_reuse_after_early_response(session, journal, answered_early):
    """Go: TestTransportNoReuseAfterEarlyResponse. A connection on which the body could not be sent
    whole is not used again, though the answer did not say close."""
    written = journal.one("wrote_request")
    assert written.complete is False
    assert isinstance(written.error, OSError)
    assert ask(session, answered_early.url, journal).text == "second"
    assert [info.reused for info in journal.all("got_conn")] == [False, False]
    assert answered_early.connections == 2


def test_a_connection_that_lost_a_body_is_not_kept(journal, answered_early):
    """Go: PutIdleConn is not called when the request could not be written."""
    assert [info.error for info in journal.all("put_idle_conn") if info.error is None] == []


def test_a_callers_body_that_fails(session, journal, echo_server):
    """Go: WroteRequest has the error of a body that cannot be read ("disk gone")."""

    class DiskGoneError(OSError):
        pass

    def body():
        yield b"first"
        raise DiskGoneError("disk gone")

    fails(session, echo_server.url, journal, method="POST", data=body())

    written = journal.one("wrote_request")
    assert (str(written.error), written.complete) == ("disk gone", False)
    assert phase_and_sent(journal) == ("send", True)


# --- after the end -----------------------------------------------------------------------------


def test_nothing_lives_on_after_the_end(
    session, journal, start, resolver, echo_server, open_descriptors
):
    """Go: a dial outlives its request, and its hooks come late. Here a race that was lost has ended
    before ``got_conn``: no socket and no thread is left that could call a hook."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    start(hole("127.0.0.9", echo_server.port))
    sockets, running = open_descriptors(), set(threading.enumerate())

    ask(session, f"http://two.test:{echo_server.port}/", journal)
    session.close()
    echo_server.wait_until(lambda: echo_server.open_connections == 0)

    assert journal.hooks[-1] == "body_done"
    assert open_descriptors() == sockets
    # The server's own is about to end.
    assert len(set(threading.enumerate()) - running) <= 1


def test_a_finished_trace_does_not_change(start, echo_server):
    """Go: Test1xxHeadersNotModifiedAfterRoundTrip. What a request's trace says is fixed when the
    request has ended: a later request on the same connection is not in it."""
    client = start(HTTPClient(debug=True, sinks=[]))
    first = client.get(echo_server.url).trace
    before = repr(first)

    second = client.get(echo_server.url).trace

    assert repr(first) == before
    assert second.attempts[0].exchanges[0].connection.reused is True
