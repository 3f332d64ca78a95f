"""``Expect: 100-continue``, by what the server does with it."""

from __future__ import annotations

import pytest
import servers

from httptrace.watching import ask

EXPECT = {"Expect": "100-continue"}
BODY = b"Expect100"


class Server:
    """Answers a head with ``first``, and the body, if one comes, with ``then``."""

    def __init__(self, first, then=b""):
        self.first, self.then = first, then
        self.body = None

    def __call__(self, peer):
        head = peer.read_head()
        peer.send(self.first)
        if b" 100 " in self.first or not self.first:
            self.body = peer.read_body(head).body
            peer.send(self.then)
        peer.drain()


def ok(status, *fields):
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Content-Length: 2", *fields, b"", b"ok"])


def test_expect_100_continue_sent(session, journal, start):
    """Go: TestTransportExpect100ContinueSent. The body follows the 100."""
    server = Server(b"HTTP/1.1 100 Continue\r\n\r\n", ok(b"200 OK"))

    response = put(session, start(servers.ScriptedServer(server)).url, journal)

    assert (response.status_code, server.body) == (200, BODY)
    assert journal.one("wrote_request").complete is True
    assert journal.one("put_idle_conn").error is None
    order = ["wait_100_continue", "got_100_continue", "wrote_request", "response_head"]
    assert [hook for hook in journal.hooks if hook in order] == order


def put(session, url, journal):
    return ask(session, url, journal, "PUT", data=BODY, headers=EXPECT)


@pytest.mark.parametrize(
    ("go", "answer"),
    [
        ("200ResponseWithConnClose", ok(b"200 OK", b"Connection: close")),
        ("200ResponseNoConnClose", ok(b"200 OK")),
        ("500ResponseWithConnClose", ok(b"500 No", b"Connection: close")),
        ("500ResponseNoConnClose", ok(b"500 No")),
    ],
)
def test_expect_a_final_answer(session, journal, start, go, answer):
    """Go: TestTransportExpect100Continue*. A final answer without a 100: the body is not sent, and
    the connection not kept. (Go sends the body all the same unless that answer says close.)"""
    server = start(servers.ScriptedServer(Server(answer)))

    response = put(session, server.url, journal)

    assert (response.status_code, response.text) == (int(answer[9:12]), "ok")
    written = journal.one("wrote_request")
    assert (written.complete, written.error, written.writes) == (False, None, 1)
    assert "put_idle_conn" not in journal.hooks
    assert "failed" not in journal.hooks
    server.wait_until(lambda: server.open_connections == 0)


def test_expect_500_response_timeout(session, journal, start):
    """Go: TestTransportExpect100Continue500ResponseTimeout. After a silence the body is sent; what
    the server then says is the answer."""
    server = Server(b"", ok(b"500 No"))

    response = put(session, start(servers.ScriptedServer(server)).url, journal)

    assert (response.status_code, server.body) == (500, BODY)
    assert journal.one("wait_100_continue").timeout == 1.0
    assert journal.count("got_100_continue") == 0
    assert journal.one("wrote_request").complete is True
