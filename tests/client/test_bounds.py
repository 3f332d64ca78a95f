"""How much of an answer is taken."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
import requests
import servers

from tracedclient import Timeout
from tracedclient.errors import ResponseTooLarge


def zipped(data):
    return servers.serve(
        lambda _: (200, [("Content-Encoding", "gzip")], gzip.compress(data, 9)), expected=OSError
    )


def test_a_body_beyond_the_bound_is_refused(make_client, echo_server):
    """A body larger than ``max_response_bytes`` is an error, not memory, and is not asked for again."""
    client = make_client(max_response_bytes=100_000)

    assert len(client.get(f"{echo_server.url}/bytes/100000").content) == 100_000
    with pytest.raises(ResponseTooLarge, match="max_response_bytes=100000") as caught:
        client.get(f"{echo_server.url}/bytes/100001")

    assert caught.value.trace.attempt_count == 1


def test_a_bomb_is_refused_by_its_expansion(make_client, start):
    """A small compressed body that would be 200 MB is given up early."""
    # tracemalloc takes its time.
    client = make_client(timeout=Timeout(5, 60, None))
    server = start(zipped(bytes(200_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLarge, match="200 times"):
            client.get(server.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 60_000_000


def test_a_compressed_text_is_no_bomb(client, start):
    """Ordinary compressed text, highly repetitive even, is taken."""
    text = b"".join(b"line %d of a log that repeats itself\n" % n for n in range(100_000))
    server = start(zipped(text))

    assert client.get(server.url).content == text


def test_a_streamed_body_is_its_readers_to_bound(make_client, echo_server):
    """With ``stream=True`` the body may be as large as its reader likes."""
    client = make_client(max_response_bytes=1000)

    response = client.get(f"{echo_server.url}/bytes/100000", stream=True)

    assert sum(len(chunk) for chunk in response.iter_content(8192)) == 100_000


def test_the_bound_can_be_lifted(make_client, echo_server):
    """``None`` takes any size; a size that cannot be meant is refused."""
    client = make_client(max_response_bytes=None)

    assert len(client.get(f"{echo_server.url}/bytes/300000").content) == 300_000
    with pytest.raises(ValueError, match="max_response_bytes must be"):
        make_client(max_response_bytes=0)


def headed(kilobytes):
    """A server whose answers have so many headers of about a kilobyte."""

    def handle(peer):
        while peer.read_request():
            head = "".join(f"X-{n}: {'x' * 1010}\r\n" for n in range(kilobytes))
            peer.send(f"HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nok".encode())

    return servers.ScriptedServer(handle, expected=OSError)


def wide(kilobytes):
    """The same of four long lines, as http.client takes them."""

    def handle(peer):
        while peer.read_request():
            head = "".join(f"X-{n}: {'x' * (kilobytes * 256)}\r\n" for n in range(4))
            peer.send(f"HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nok".encode())

    return servers.ScriptedServer(handle, expected=OSError)


@pytest.mark.parametrize("server", [headed(90), wide(200)], ids=["90 kB", "200 kB"])
def test_a_large_head_is_taken(client, start, server):
    """Headers of 90 kB, or 200 kB in few lines, are an answer as any other."""
    assert client.get(start(server).url).text == "ok"


def test_a_head_without_end_is_refused(client, start):
    """Headers of more than 256 KiB are an error, and are not asked for again."""
    server = start(wide(255))
    assert client.get(server.url).text == "ok"
    larger = start(servers.ScriptedServer(endless, expected=OSError))

    with pytest.raises(requests.ConnectionError) as caught:
        client.get(larger.url)

    assert caught.value.trace.attempt_count == 1
    assert caught.value.trace.error_message == "the peer sent a head without end"


def endless(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(99):
        peer.send(b"X-%d: %s\r\n" % (number, b"x" * 65_000))
