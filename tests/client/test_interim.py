"""1xx answers: left behind, told, bounded; never taken for the final answer."""

from __future__ import annotations

import threading

import pytest
import requests
import servers
from journal import Journal

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


def hinting(late, hints=HINTS, pause=0.05):
    """A handler that answers each request with interim answers at once and the rest later."""

    def handle(peer):
        while request := peer.read_request():
            peer.send(hints)
            late.wait(pause)
            peer.answer(200, f"answer to {request.target}".encode())

    return handle


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("hints", [HINTS, HINTS * 3, b"HTTP/1.1 102 Processing\r\n\r\n" + HINTS])
def test_three_requests_on_one_connection_get_their_own_answers(client, start, debug, hints):
    """After a 103 followed by a late 200, the next request never gets the previous one's body."""
    server = start(servers.ScriptedServer(hinting(threading.Event(), hints)))

    answers = [client.get(f"{server.url}/{who}", debug=debug) for who in ("alice", "bob", "carol")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.text for answer in answers] == [
        "answer to /alice",
        "answer to /bob",
        "answer to /carol",
    ]
    assert server.connections == 1


def test_a_session_with_the_adapter_alone_is_safe_too(start):
    """The adapter mounted on a plain session leaves 1xx behind as well."""
    from tracedclient import TracedAdapter

    server = start(servers.ScriptedServer(hinting(threading.Event())))
    with requests.Session() as session:
        session.mount("http://", TracedAdapter())

        assert [session.get(f"{server.url}/{n}").text for n in (1, 2)] == [
            "answer to /1",
            "answer to /2",
        ]


def test_interim_answers_are_told_with_their_headers(client, start):
    """Each 1xx is a hook with its status and headers, before the final head; the trace lists it."""
    server = start(servers.ScriptedServer(hinting(threading.Event(), HINTS * 2)))
    journal = Journal()

    trace = client.get(server.url, trace=journal).trace

    assert [info.status for info in journal.all("got_1xx_response")] == [103, 103]
    assert ("Link", "</a.css>; rel=preload") in journal.all("got_1xx_response")[0].headers
    assert journal.one("response_head").status == 200
    assert trace.attempts[0].exchanges[0].interim == (103, 103)


def test_the_servers_time_lasts_until_the_final_answer(client, start):
    """A 103 is not the answer: the time until the final head is the server's."""
    server = start(servers.ScriptedServer(hinting(threading.Event(), pause=0.3)))

    trace = client.get(server.url).trace

    assert trace.wait_ms >= 200


@pytest.mark.parametrize("status", [100, 103])
@pytest.mark.parametrize("debug", [False, True])
def test_a_flood_of_interim_answers_ends(client, start, status, debug):
    """Interim answers without end are an error in bounded time, not retried, and close the connection."""
    stop = threading.Event()

    def flood(peer):
        peer.read_request()
        while not stop.is_set():
            peer.send(f"HTTP/1.1 {status} More\r\nX: y\r\n\r\n".encode())

    server = start(servers.ScriptedServer(flood, expected=OSError))
    with pytest.raises(requests.ConnectionError, match="interim answers"):
        client.get(server.url, debug=debug)
    stop.set()

    assert server.connections == 1


def test_large_interim_answers_are_bounded_too(client, start):
    """A few interim answers with very large headers are refused as well."""
    large = b"HTTP/1.1 103 Hints\r\n" + b"".join(
        b"X-%d: %s\r\n" % (n, b"y" * 60_000) for n in range(2)
    )
    server = start(
        servers.ScriptedServer(hinting(threading.Event(), (large + b"\r\n") * 3), expected=OSError)
    )

    with pytest.raises(requests.ConnectionError, match="interim answers"):
        client.get(server.url)


def test_switching_protocols_is_final(client, start):
    """101 is a final answer, as RFC 9110 has it."""

    def switch(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")

    server = start(servers.ScriptedServer(switch))

    with client.get(server.url, stream=True) as response:
        assert response.status_code == 101
