"""1xx answers: delivered, bounded, left behind."""

from __future__ import annotations

import threading

import pytest
import requests
import servers

from httptrace.watching import Awaited, ask
from tracedclient.transport.response import MAX_INTERIM


def sending(raw):
    """A handler that answers one request with these bytes."""

    def handle(peer):
        peer.read_request()
        peer.send(raw)
        peer.drain()

    return handle


def test_ignore_1xx_responses(session, journal, start):
    """Go: TestTransportIgnore1xxResponses. An unknown 1xx is told, with its own headers; the answer
    is the next one, with its own."""
    raw = (
        b"HTTP/1.1 123 OneTwoThree\r\nFoo: bar\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nBar: baz\r\nContent-Length: 5\r\n\r\nHello"
    )

    response = ask(session, start(servers.ScriptedServer(sending(raw))).url, journal)

    assert (response.status_code, response.text) == (200, "Hello")
    assert dict(response.headers) == {"Bar": "baz", "Content-Length": "5"}
    interim = journal.one("got_1xx_response")
    assert (interim.status, interim.headers) == (123, (("Foo", "bar"),))
    assert (journal.one("response_head").status, journal.count("got_100_continue")) == (200, 0)


def hundreds(count):
    field = b"X-Test: " + b"x" * 90
    return (b"HTTP/1.1 123 OneTwoThree\r\n" + field + b"\r\n\r\n") * count


def test_limits_1xx_responses(session, journal, start):
    """Go: TestTransportLimits1xxResponses. A server that sends them without end is given up. Here
    also when a hook takes them."""
    server = start(servers.ScriptedServer(sending(hundreds(MAX_INTERIM + 1))))

    with pytest.raises(requests.ConnectionError, match="interim answers"):
        ask(session, server.url, journal)

    assert journal.count("got_1xx_response") == MAX_INTERIM
    assert (journal.one("failed").phase, journal.hooks[-1]) == ("wait", "failed")


def test_does_not_limit_delivered_1xx_responses(session, journal, start):
    """Go: TestTransportDoesNotLimitDelivered1xxResponses. Ten of a hundred bytes are delivered."""
    raw = hundreds(10) + b"HTTP/1.1 204 No Content\r\n\r\n"

    response = ask(session, start(servers.ScriptedServer(sending(raw))).url, journal)

    assert response.status_code == 204
    assert [info.status for info in journal.all("got_1xx_response")] == [123] * 10


def test_early_hints_request(session, journal, start):
    """Go: TestEarlyHintsRequest. Each 103 is told when it comes, not with the final answer; its
    headers do not end up in that."""
    first = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nLink: </script.js>\r\n\r\n"
    second = first[:-2] + b"Link: </foo.js>\r\n\r\n"
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLink: </final.css>\r\n\r\nend"

    def handle(peer):
        peer.read_request()
        peer.send(first)
        journal.wait_for("got_1xx_response", 1)
        peer.send(second)
        journal.wait_for("got_1xx_response", 2)
        peer.send(final)
        peer.drain()

    response = ask(session, start(servers.ScriptedServer(handle)).url, journal)

    links = [[value for _, value in info.headers] for info in journal.all("got_1xx_response")]
    assert links == [
        ["</style.css>", "</script.js>"],
        ["</style.css>", "</script.js>", "</foo.js>"],
    ]
    assert (response.headers["Link"], response.text) == ("</final.css>", "end")
    assert journal.count("got_first_response_byte") == 1


def test_1xx_responses(session, journal, start):
    """Go: Test1xxResponses. Kinds of 1xx may be mixed: 103, then 102, counted two."""
    raw = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 102 Processing\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )

    assert ask(session, start(servers.ScriptedServer(sending(raw))).url, journal).ok
    assert [info.status for info in journal.all("got_1xx_response")] == [103, 102]


class RefusesTheFirst(Awaited):
    """Gives a request up at its first 1xx."""

    def got_1xx_response(self, info):
        super().got_1xx_response(info)
        return RuntimeError("enough")


def test_nothing_follows_a_refused_1xx(session, start):
    """Go: Test1xxHeadersNotModifiedAfterRoundTrip. After the first of five was refused no hook is
    called, and the connection, with four of them still in it, is not used again."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 5
    server = start(servers.ScriptedServer(sending(hints)))
    refusing = RefusesTheFirst()

    for _ in range(2):
        with pytest.raises(requests.ConnectionError, match="refused the 103"):
            ask(session, server.url, refusing)

    assert server.connections == 2
    assert refusing.count("got_1xx_response") == 2
    assert refusing.hooks[-2:] == ["got_1xx_response", "failed"]


def test_reading_100_continue(session, journal, start):
    """Go: TestTransportReading100Continue. Unsolicited 100s are skipped, request by request, and
    told as 1xx only."""

    def handle(peer):
        while request := peer.read_request():
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.answer(200, f"got {request.target}".encode())

    server = start(servers.ScriptedServer(handle))
    texts = [ask(session, f"{server.url}/{n}", journal, "POST", data=b"x").text for n in range(5)]

    assert texts == [f"got /{n}" for n in range(5)]
    assert journal.count("got_1xx_response") == 5
    assert journal.count("got_100_continue") == 0
    assert server.connections == 1


def test_treat_101_terminal(session, journal, start):
    """Go: TestTransportTreat101Terminal. 101 is the answer, not an interim one."""
    raw = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"

    response = ask(session, start(servers.ScriptedServer(sending(raw))).url, journal, stream=True)
    response.close()

    assert response.status_code == 101
    assert journal.count("got_1xx_response") == 0
    assert journal.one("response_head").status == 101


def test_a_late_answer_is_nobody_elses(session, journal, start):
    """Beyond Go: after a 103 and a pause the next request on the connection gets its own answer."""
    pause = threading.Event()

    def handle(peer):
        while request := peer.read_request():
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            pause.wait(0.02)
            peer.answer(200, request.target.encode())

    server = start(servers.ScriptedServer(handle))

    assert [ask(session, f"{server.url}/{n}", journal).text for n in range(3)] == ["/0", "/1", "/2"]
    assert server.connections == 1
