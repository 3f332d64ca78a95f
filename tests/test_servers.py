"""The scripted server, and what every test gets: what they show must be the truth."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from servers import (
    Peer,
    ScriptedServer,
    ask,
    connect,
    echo,
    read_to_end,
    serve,
)

# --- ScriptedServer and Peer ---


def test_bytes_on_the_wire_are_the_scripts():
    """A handler sees the very bytes that were sent and its own go out unchanged."""
    sent = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\n\r\n"

    def handler(peer):
        assert peer.read_request().raw == sent
        peer.send(b"not even HTTP")

    with ScriptedServer(handler) as server:
        assert ask(server, sent) == b"not even HTTP"
    [(number, request)] = server.journal
    assert (number, request.method, request.target) == (1, "GET", "/a?b=c")
    assert request.headers == [("Host", "x"), ("X-Two", "1"), ("x-two", "2")]
    assert request.headers.get("X-TWO") == "1"
    assert request.headers.get_all("x-two") == ["1", "2"]


def test_a_chunked_request_body_is_read_whole():
    """Chunks, extensions and trailers are taken off the body and kept in ``raw``."""
    framed = b"5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    def handler(peer):
        peer.read_request()
        peer.answer()

    with ScriptedServer(handler) as server, connect(server) as client:
        for at in range(len(head + framed)):
            client.sendall((head + framed)[at : at + 1])
        assert read_to_end(client).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.requests[0].body == b"hello!"
    assert server.requests[0].raw == head + framed


def test_pipelined_requests_are_told_apart():
    """Bytes beyond one request belong to the next."""
    two = b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /close HTTP/1.1\r\n\r\n"
    with serve(echo) as server:
        assert ask(server, two).count(b"HTTP/1.1 200 OK\r\n") == 2
    assert [(r.target, r.body) for r in server.requests] == [("/a", b"ab"), ("/close", b"")]


def test_each_connection_gets_its_own_handler():
    """A list of handlers serves the connections in turn, and one too many is an error."""
    script = [lambda peer: peer.send(b"one"), lambda peer: peer.send(b"two")]
    with pytest.raises(AssertionError, match="connection 3 came"), ScriptedServer(script) as server:
        seen = [ask(server) for _ in range(3)]
    assert seen == [b"one", b"two", b""]
    assert server.connections == 3


def test_a_handlers_failure_fails_the_test():
    """What a handler raises comes out of the ``with`` block, beside the body's own failure."""

    def handler(peer):
        raise LookupError("the handler's")

    def body():
        with ScriptedServer(handler) as server:
            ask(server)
            raise ValueError("the body's")

    with pytest.raises(LookupError, match="the handler's") as caught:
        body()
    assert isinstance(caught.value.__context__, ValueError)


def test_an_expected_failure_is_kept_not_raised():
    """``expected`` errors stay in ``errors``."""

    def handler(peer):
        raise LookupError

    with ScriptedServer(handler, expected=(LookupError,)) as server:
        ask(server)
    assert [type(error) for error in server.errors] == [LookupError]


def test_a_client_that_leaves_in_the_middle_is_told_from_one_that_is_done():
    """Half a request raises in the handler; an end between requests is ``None``."""
    with ScriptedServer(lambda peer: peer.read_request()) as server:
        with connect(server) as client:
            client.sendall(b"GET / HTT")
        server.wait_until(lambda: server.connections == 1 and not server.open_connections)
        connect(server).close()
        server.wait_until(lambda: server.connections == 2 and not server.open_connections)
    assert [type(error) for error in server.errors] == [ConnectionAbortedError]


def test_a_reset_is_a_reset():
    """``reset`` gives the client ECONNRESET, not an orderly end."""

    def handler(peer):
        peer.read_request()
        peer.reset()

    with ScriptedServer(handler) as server, pytest.raises(ConnectionResetError):
        ask(server, b"GET / HTTP/1.1\r\n\r\n")


def test_a_handler_waits_for_the_tests_event():
    """``wait`` holds an answer back until the test lets it go."""
    release = threading.Event()

    def handler(peer):
        peer.read_request()
        peer.wait(release)
        peer.answer()

    with ScriptedServer(handler) as server, connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        release.set()
        client.settimeout(5)
        assert client.recv(12) == b"HTTP/1.1 200"


def test_an_event_that_never_comes_is_an_error():
    """``wait`` does not let a test pass whose event was forgotten."""

    def handler(peer):
        peer.wait(threading.Event(), 0.02)

    with pytest.raises(TimeoutError, match="no event"), ScriptedServer(handler) as server:
        ask(server)


@pytest.mark.parametrize(
    "handler",
    [
        Peer.read_request,
        lambda peer: peer.wait(threading.Event(), 30),
        lambda peer: peer.sleep(30),
        lambda peer: peer.send(b"x" * 100_000_000),
    ],
    ids=["reads", "waits", "sleeps", "sends"],
)
def test_leaving_ends_a_busy_handler_and_closes_all(handler, open_descriptors):
    """Whatever a handler blocks on, the server ends at once and leaves no descriptor or thread."""
    descriptors, threads = open_descriptors(), set(threading.enumerate())
    began = time.monotonic()
    with ScriptedServer(handler) as server, connect(server):
        server.wait_until(lambda: server.open_connections == 1)
    assert time.monotonic() - began < 10
    assert open_descriptors() == descriptors
    assert set(threading.enumerate()) <= threads


def test_a_server_may_die_and_return_on_its_port():
    """``close`` in the middle of a test refuses clients; the port can be served again."""
    with serve(echo) as server:
        assert requests.get(server.url, timeout=5).ok
        server.close()
        with pytest.raises(ConnectionRefusedError):
            connect(server)
        with serve(echo, port=server.port) as successor:
            assert requests.get(successor.url, timeout=5).ok


def test_ipv6(plain_session):
    """``host`` may be any loopback address."""
    with serve(echo, host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert plain_session.get(server.url, timeout=5).ok


# --- what every test gets ---


A_CARELESS_SUITE = """
import os, threading
release = threading.Event()

def test_sees_nothing_of_the_machine():
    assert not {"http_proxy", "SSL_CERT_FILE", "TRACEDCLIENT_DEBUG"} & set(os.environ)

def test_leaves_a_thread():
    threading.Thread(target=release.wait, name="forgotten").start()

def test_is_not_blamed_for_it():
    pass

def teardown_module():
    release.set()
    assert os.environ["http_proxy"] == "http://proxy.invalid"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_not_traced():
    """What a tracer of the parent holds, as coverage's holds a lock, cannot hold up a child."""
    before = sys.gettrace(), threading.gettrace()
    sys.settrace(lambda *_: None)
    threading.settrace(lambda *_: None)
    try:
        child = os.fork()
        if child == 0:
            os._exit(0 if sys.gettrace() is None and threading.gettrace() is None else 1)
        _, status = os.waitpid(child, 0)
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])
    assert os.waitstatus_to_exitcode(status) == 0


def test_isolation_and_leak_check(tmp_path):
    """The machine's settings are hidden from each test, and a thread left behind fails its test."""
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_careless.py").write_text(A_CARELESS_SUITE)
    machine = {
        "http_proxy": "http://proxy.invalid",
        "SSL_CERT_FILE": "/nonexistent",
        "TRACEDCLIENT_DEBUG": "1",
        "PYTEST_ADDOPTS": "",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-v"]
    ran = subprocess.run(
        [*command, "test_careless.py"],
        cwd=tmp_path,
        env=os.environ | machine,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "3 passed, 1 error" in ran.stdout
    assert "ERROR test_careless.py::test_leaves_a_thread" in ran.stdout
    assert "forgotten" in ran.stdout
