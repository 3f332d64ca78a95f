"""Faults by script, on real sockets, as plain sockets and the client see them."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

import pytest
import requests
import tenacity

from tracedclient import DeadlineExceeded, HTTPClient, RetryPolicy, Timeout
from tracedclient.testing import (
    Answer,
    Close,
    Drip,
    Garbage,
    Hang,
    Reset,
    Step,
    Truncated,
    faulty_server,
    refused_url,
)

ASK = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture
def client():
    with HTTPClient(debug=True, sinks=(), retry=ONCE, timeout=Timeout(total=5)) as client:
        yield client


def port_of(server):
    return int(server.url.rpartition(":")[2])


def ask(server, sent=ASK):
    """What comes back for ``sent``, until the server closes."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_answer(client):
    """An answer is what was asked for, and its connection carries the next request."""
    answer = Answer(201, b"made", {"Location": "/7", "X-Thing": "a b"})
    with faulty_server(answer) as server:
        first, second = client.post(server.url, data=b"x"), client.get(f"{server.url}/7?a=b")

    assert (first.status_code, first.reason, first.content) == (201, "Created", b"made")
    assert (first.headers["X-Thing"], second.trace.conn_reused) == ("a b", True)


def test_requests_are_kept(client):
    """Each request is there with its method, path, headers in any case, and body."""
    with faulty_server(Answer()) as server:
        client.put(f"{server.url}/a?b=c", data=b"body", trace_id="4bf92f35")
        client.post(server.url, data=iter([b"one", b"two"]))
        put, post = server.requests

    assert (put.method, put.path, put.body) == ("PUT", "/a?b=c", b"body")
    assert (put.headers["X-TRACE-ID"], put.headers["no-such"]) == ("4bf92f35", None)
    assert (post.method, post.path, post.body) == ("POST", "/", b"onetwo")
    assert post.headers["transfer-encoding"] == "chunked"


def test_the_script_is_played_by_request_and_its_last_step_for_ever(client):
    """One step for each request, whichever connection it comes on."""
    with faulty_server(Answer(200), Answer(404), Answer(500)) as server:
        assert [client.get(server.url).status_code for _ in range(4)] == [200, 404, 500, 500]
        assert requests.get(server.url, timeout=5).status_code == 500


def test_expect_100_continue(client):
    """A body that waits for its 100 is told to come."""
    with faulty_server(Answer()) as server:
        client.post(server.url, data=b"late", headers={"Expect": "100-continue"})
        (request,) = server.requests
    assert request.body == b"late"


def test_head_and_answers_without_a_body(client):
    """HEAD gets the head of the answer only, and a 204 has no length: the connection stays good."""
    with faulty_server(Answer(200, b"12345"), Answer(204), Answer(200, b"end")) as server:
        head = client.head(server.url)
        assert (head.headers["Content-Length"], head.content) == ("5", b"")
        assert "Content-Length" not in client.get(server.url).headers
        last = client.get(server.url)
    assert (last.content, last.trace.conn_reused) == (b"end", True)


def test_connection_close(client):
    """An answer with ``Connection: close`` closes, and so does a request's."""
    closing = Answer(200, b"x", [("Set-Cookie", "a=1"), ("Connection", "close")])
    with faulty_server(closing) as server:
        assert ask(server).endswith(b"\r\nContent-Length: 1\r\n\r\nx")
    with faulty_server(Answer()) as server:
        assert ask(server, ASK.replace(b"Host", b"Connection: close\r\nHost")).startswith(b"HTTP/")


def test_own_framing():
    """Headers that say how long the body is are not contradicted."""
    chunks = Answer(200, b"1\r\nx\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"})
    with faulty_server(chunks) as server:
        response = requests.get(server.url, timeout=5)
    assert (response.content, "Content-Length" in response.headers) == (b"x", False)


def test_a_late_answer(client):
    """A delay is waited for before the first byte."""
    with faulty_server(Answer(delay=0.1)) as server:
        # The server's clock starts before the client has noted that the request is written.
        assert client.get(server.url).trace.wait_ms >= 70


def test_reset(client):
    """The client's kernel gets a RST."""
    with faulty_server(Reset()) as server:
        with pytest.raises(ConnectionResetError):
            ask(server)
        with pytest.raises(requests.ConnectionError) as raised:
            client.post(server.url, data=b"x")
    assert "ECONNRESET" in raised.value.trace.error_message


def test_close(client):
    """The client gets a FIN without a byte."""
    with faulty_server(Close()) as server:
        assert ask(server) == b""
        with pytest.raises(requests.ConnectionError, match="without response"):
            client.get(server.url)
        assert len(server.requests) == 2


def test_hang(client):
    """Nothing comes until the client's timeout, and the server is free for the next step then."""
    with faulty_server(Hang(), Answer()) as server:
        with pytest.raises(requests.ReadTimeout):
            client.get(server.url, timeout=(1, 0.05))
        assert client.get(server.url).status_code == 200


def test_drip(client):
    """No read waits long, but the call does: only a total timeout ends it."""
    with faulty_server(Drip(b"abc", 0.001), Drip(bytes(100), 0.05)) as server:
        assert client.get(server.url).content == b"abc"
        with pytest.raises(DeadlineExceeded):
            client.get(server.url, timeout=Timeout(read=1, total=0.2))


def test_garbage(client):
    """What is sent is no HTTP, and comes byte for byte."""
    with faulty_server(Garbage(b"\x15\x03\x01 no")) as server:
        assert ask(server) == b"\x15\x03\x01 no"
        with pytest.raises(requests.ConnectionError):
            client.get(server.url)


def test_truncated(client):
    """The length announced is that of the whole body, and a part of it comes."""
    with faulty_server(Truncated(b"0123456789", at=4)) as server:
        assert ask(server).endswith(b"Content-Length: 10\r\n\r\n0123")
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="4 bytes read"):
            client.get(server.url)


def test_every_fault_is_retried(client):
    """A client that may try again gets through all of them to the answer."""
    quick = tenacity.wait_none()
    faults = (Reset(), Close(), Truncated(b"12", at=1), Answer(503), Answer(200, b"there"))
    policy = RetryPolicy(max_attempts=5, wait=quick, wait_throttled=quick)
    with faulty_server(*faults) as server, HTTPClient(retry=policy, sinks=()) as patient:
        assert patient.get(server.url).content == b"there"


def test_what_is_no_request():
    """A client that talks TLS, or nothing at all, or leaves half way, is closed and not counted."""
    with faulty_server(Answer()) as server:
        assert ask(server, b"\x16\x03\x01\x02\x00\r\n") == b""
        socket.create_connection(("127.0.0.1", port_of(server))).close()
        with socket.create_connection(("127.0.0.1", port_of(server))) as half:
            half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1")
        assert server.requests == []


@pytest.mark.parametrize("step", [Hang(), Answer(delay=600), Drip(bytes(9), 600), Answer()])
def test_leaving_ends_everything(step, open_descriptors):
    """However a step waits, leaving the block ends it at once: no thread or socket is left."""
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    begun = time.monotonic()
    with ExitStack() as clients:
        with faulty_server(step) as server:
            for sent in (ASK, b""):
                address = ("127.0.0.1", port_of(server))
                client = clients.enter_context(socket.create_connection(address))
                client.sendall(sent)
            while not server.requests:
                time.sleep(0.001)
        assert time.monotonic() - begun < 5
        assert set(threading.enumerate()) <= threads
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
    assert open_descriptors() == descriptors


def test_it_ends_with_an_exception():
    """What the block raises gets out of a server that is gone."""
    with pytest.raises(ZeroDivisionError), faulty_server(Hang()) as server:
        raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        ask(server)


def test_many_clients_at_once():
    """Each request gets a step of its own, also when they come at the same moment."""
    steps = [Answer(200, str(number).encode()) for number in range(20)]
    got = []
    with faulty_server(*steps) as server:
        asking = [
            threading.Thread(target=lambda: got.append(requests.get(server.url, timeout=5).text))
            for _ in steps
        ]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
    assert sorted(map(int, got)) == list(range(20))


def test_url_before_it_listens():
    """A server that was not entered says so."""
    with pytest.raises(RuntimeError, match="with faulty_server"):
        _ = faulty_server(Answer()).url


def test_a_step_of_ones_own():
    """A subclass of Step may do what no step here does."""

    class Echo(Step):
        def play(self, request, wire):
            return Answer(200, request.path.encode()).play(request, wire)

    with faulty_server(Echo()) as server:
        assert requests.get(f"{server.url}/echo", timeout=5).text == "/echo"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (faulty_server, ValueError, "needs a step"),
        (lambda: faulty_server(503), TypeError, "a step must be"),
        (lambda: faulty_server(Reset), TypeError, "a step must be"),
        (lambda: Answer(99), ValueError, "status must be"),
        (lambda: Answer("200"), ValueError, "status must be"),
        (lambda: Answer(200, "text"), TypeError, "body must be bytes, not str"),
        (lambda: Answer(204, b"x"), ValueError, "body must be empty"),
        (lambda: Answer(delay=-1), ValueError, "delay must be"),
        (lambda: Answer(headers={"Retry-After": 5}), TypeError, "headers must have"),
        (lambda: Answer(headers={"A": "b\r\nC: d"}), ValueError, "headers must be printable"),
        (lambda: Drip(b"x", -1), ValueError, "seconds_per_byte must be"),
        (lambda: Garbage("x"), TypeError, "data must be bytes"),
        (lambda: Truncated(b"123", at=3), ValueError, "at must be from 0 to 2"),
        (lambda: Truncated(b"123", at=-1), ValueError, "at must be from 0 to 2"),
    ],
)
def test_bad_scripts(make, error, message):
    """What cannot be meant is refused where it stands, not in a thread later on."""
    with pytest.raises(error, match=message):
        make()


def test_steps_are_values():
    """Steps of the same kind and contents are equal, others are not, and none can be changed."""
    assert Answer(503) == Answer(503) != Answer(200)
    assert Reset() != Close()
    with pytest.raises(AttributeError):
        Answer().status = 500


def test_refused_url(client):
    """Nobody listens there, and a socket bound afterwards does not get that port."""
    url = refused_url()
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert not url.endswith(f":{other.getsockname()[1]}")
        with pytest.raises(requests.ConnectionError) as raised:
            client.get(url)
    assert raised.value.trace.outcome == "connect_error"
    assert "ECONNREFUSED" in raised.value.trace.error_message
