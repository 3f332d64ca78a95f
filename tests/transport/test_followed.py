"""What follows an answer on its connection was asked for by nobody, and answers nobody."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from servers import ScriptedServer, echo, serve

from tracedclient import TracedSession
from tracedclient.httptrace import ClientTrace, client_trace

FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


@pytest.fixture(params=["usual", "traced", "streamed"])
def get(request):
    """``get(method, url)``, each way an answer can be read."""
    traced = client_trace(ClientTrace()) if request.param == "traced" else nullcontext()
    streams = request.param == "streamed"
    with TracedSession() as session, traced:
        yield lambda method, url: session.request(method, url, timeout=5, stream=streams).content


def answering(first):
    """The first connection's first answer, whose rest comes when the next request has."""

    def handle(peer):
        peer.read_request()
        peer.send(first)
        if peer.read_request():
            peer.send(FORGED + GOOD)

    def handle_well(peer):
        peer.read_request()
        peer.send(GOOD)
        peer.read_request()

    return [handle, handle_well]


@pytest.mark.parametrize(
    ("method", "first"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<html"),
        ("HEAD", CHUNKED + b"\r\n63\r\n<html"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\n<html"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n<html"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody<html"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"-" * 300_000 + b"<html"),
        ("GET", CHUNKED + b"\r\n4\r\nbody\r\n0\r\n\r\n<html"),
        ("GET", CHUNKED + b"\r\n4\r\nbody\r\n0\r\nTrailer: 1\r\n\r\n<html"),
        ("GET", CHUNKED + b"Content-Length: 99\r\n\r\n4\r\nbody\r\n0\r\n\r\n<html"),
    ],
)
def test_connection_with_more_on_it_is_used_no_more(start, get, method, first):
    """An answer to HEAD with a body, a 204 with one, a body that is longer than announced: the rest of
    it may be on its way still, and could be made to look like the next request's answer.
    """
    server = start(ScriptedServer(answering(first)))
    get(method, server.url)
    assert get("GET", server.url) == b"good"


def test_connection_with_nothing_on_it_is_kept(start, get):
    """An answer that ends where it says is no reason to open another connection."""
    server = start(serve(echo))
    for path in ("/", "/bytes/300000", "/chunked/5", "/status/204", "/gzip"):
        get("GET", server.url + path)
        get("HEAD", server.url + path)
    assert server.connections == 1
