"""An answer in many small pieces, as TLS brings them one record at a time."""

from __future__ import annotations

import time

import pytest
from servers import ScriptedServer

from tracedclient import TracedSession
from tracedclient.transport.answer import WholeResponse

BODY = b"0123456789" * 100_000
HEADS = {"/length": f"Content-Length: {len(BODY)}", "/chunked": "Transfer-Encoding: chunked"}


def in_small_records(peer):
    while request := peer.read_request():
        peer.send(f"HTTP/1.1 200 OK\r\n{HEADS[request.path]}\r\n\r\n".encode())
        pieces = [BODY[at : at + 100] for at in range(0, len(BODY), 100)]
        if request.path == "/chunked":
            pieces = [b"64\r\n%b\r\n" % piece for piece in pieces] + [b"0\r\n\r\n"]
        for piece in pieces:
            peer.send(piece)


@pytest.fixture
def server(start, server_context):
    return start(ScriptedServer(in_small_records, tls=server_context("localhost")))


def seconds(get):
    """Of this thread's CPU time; the less of two, for other work of the machine adds to both."""
    began = time.thread_time()
    answer = get()
    first = time.thread_time() - began
    assert answer.content == BODY
    began = time.thread_time()
    get()
    return min(first, time.thread_time() - began)


@pytest.mark.parametrize("path", list(HEADS))
def test_many_pieces_cost_no_more_than_requests(server, ca_file, plain_session, path):
    """What was read is not copied whole with every piece that comes: that would be several times
    what requests takes for a megabyte in pieces of a hundred bytes.
    """
    url = f"https://localhost:{server.port}{path}"
    with TracedSession() as session:
        assert isinstance(session.get(url, verify=ca_file, timeout=30), WholeResponse)
        ours, theirs = (
            seconds(lambda each=each: each.get(url, verify=ca_file, timeout=30))
            for each in (session, plain_session)
        )
    assert ours < 2.5 * theirs
