"""``Expect: 100-continue`` (RFC 9110 §10.1.1): the wait, its end, and what is not sent."""

from __future__ import annotations

import threading

import pytest
import servers
from journal import Journal

EXPECT = {"Expect": "100-continue"}
BODY = b"x" * 5000


def asked(client, server, journal=None, **options):
    return client.put(server.url, data=BODY, headers=EXPECT, trace=journal or Journal(), **options)


@pytest.mark.parametrize("debug", [False, True])
def test_the_body_waits_for_a_100(client, start, debug):
    """The head goes out alone; the body follows the 100, and the answer is the final one."""
    seen = []

    def handle(peer):
        head = peer.read_head()
        seen.append(peer.leftover())
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        seen.append(peer.read_body(head).body)
        peer.answer(200, b"done")
        peer.drain()

    server = start(servers.ScriptedServer(handle))

    assert asked(client, server, debug=debug).text == "done"
    assert seen == [b"", BODY]


def test_the_hooks_come_in_gos_order(client, start):
    """WroteHeaders, Wait100Continue, first byte, Got100Continue, Got1xx(100), WroteRequest."""
    server = start(servers.serve(servers.echo))
    journal = Journal()

    asked(client, server, journal)

    hooks = journal.hooks
    assert hooks[hooks.index("wrote_headers") : hooks.index("response_head")] == [
        "wrote_headers",
        "wait_100_continue",
        "got_first_response_byte",
        "got_100_continue",
        "got_1xx_response",
        "wrote_request",
    ]


@pytest.mark.parametrize("status", [417, 413, 200, 401])
def test_a_final_answer_instead_keeps_the_body_back(client, start, status):
    """A final answer without 100 is delivered, the body is not sent, and the connection closed."""
    sent = []

    def handle(peer):
        peer.read_head()
        peer.answer(status, b"no need")
        peer.drain()
        sent.append(peer.leftover())

    server = start(servers.ScriptedServer(handle))
    journal = Journal()

    response = asked(client, server, journal)

    assert (response.status_code, response.text) == (status, "no need")
    assert journal.one("wrote_request").complete is False
    server.wait_until(lambda: server.open_connections == 0)
    assert sent == [b""]
    assert "put_idle_conn" not in journal.hooks


def test_a_generator_is_not_touched_when_the_answer_comes_first(client, start):
    """A body that is not wanted is not even read."""
    taken = []

    def body():
        taken.append(True)
        yield BODY

    def handle(peer):
        peer.read_head()
        peer.answer(417)
        peer.drain()

    server = start(servers.ScriptedServer(handle))

    assert client.put(server.url, data=body(), headers=EXPECT).status_code == 417
    assert taken == []


def test_a_mute_server_gets_the_body_after_a_second(client, start):
    """A server that says nothing is sent the body all the same; its answer is read well."""
    server = start(servers.ScriptedServer(mute := Mute()))
    journal = Journal()

    response = asked(client, server, journal)

    assert response.text == "got it"
    assert mute.body == BODY
    assert "got_100_continue" not in journal.hooks
    assert journal.one("wait_100_continue").timeout == 1.0
    assert response.trace.send_ms >= 990
    assert client.get(server.url).trace.conn_reused is True


class Mute:
    """A server that ignores the expectation."""

    body = b""

    def __call__(self, peer):
        head = peer.read_head()
        self.body = peer.read_body(head).body
        peer.answer(200, b"got it")
        while peer.read_request():
            peer.answer(200)


def test_hints_before_the_100_are_left_behind(client, start):
    """A 103 before the 100 is told and does not count as the word to go on."""
    late = threading.Event()

    def handle(peer):
        head = peer.read_head()
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        late.wait(0.05)
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.read_body(head)
        peer.answer(200, b"done")
        peer.drain()

    journal = Journal()

    assert asked(client, start(servers.ScriptedServer(handle)), journal).text == "done"
    assert [info.status for info in journal.all("got_1xx_response")] == [103, 100]


def test_an_unsolicited_100_is_no_go_ahead(client, start):
    """A 100 that nobody waits for is a 1xx like any other."""

    def handle(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.answer(200)
        peer.drain()

    journal = Journal()
    client.get(start(servers.ScriptedServer(handle)).url, trace=journal)

    assert "got_100_continue" not in journal.hooks
    assert [info.status for info in journal.all("got_1xx_response")] == [100]


def test_an_end_instead_of_an_answer_is_told(make_client, start):
    """A server that closes while the body waits fails in wait, and the request counts as sent."""
    import requests

    server = start(servers.ScriptedServer(lambda peer: peer.read_head()))
    journal = Journal()

    with pytest.raises(requests.ConnectionError):
        asked(make_client(), server, journal)

    assert {info.phase for info in journal.all("failed")} == {"wait"}
    assert all(info.sent for info in journal.all("failed"))


def test_a_request_without_body_does_not_wait(client, echo_server):
    """An expectation without a body has nothing to wait for."""
    journal = Journal()

    client.get(echo_server.url, headers=EXPECT, trace=journal)

    assert "wait_100_continue" not in journal.hooks


def test_a_hook_can_refuse_an_interim_answer(client, start):
    """Go's Got1xxResponse: an error it returns ends the request, with that error as its cause."""
    import requests

    from tracedclient.httptrace import ClientTrace

    class Refuses(ClientTrace):
        def got_1xx_response(self, info):
            return RuntimeError(f"no {info.status} please")

    def handle(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        peer.answer(200)

    server = start(servers.ScriptedServer(handle))

    with pytest.raises(requests.ConnectionError, match="refused the 103"):
        client.post(server.url, trace=Refuses())
