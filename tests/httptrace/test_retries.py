"""Tries, redirects and what may be repeated."""

from __future__ import annotations

import pytest
import requests
import servers

IN_ATTEMPT = ("connect_start", "got_conn", "wrote_request", "failed", "attempt_done")


def dropping_second(peer):
    """Drops a kept-alive connection when its second request has arrived."""
    peer.read_request()
    peer.answer(200, b"first")
    peer.read_request()
    if peer.number > 1:
        peer.answer(200, b"again")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_retry_requests_on_error(client, journal, start, method):
    """Go: TestRetryRequestsOnError. A kept-alive connection dropped under an idempotent request:
    failed, why it may be repeated, and a new connection, in this order."""
    server = start(servers.ScriptedServer(dropping_second))
    client.get(server.url)

    assert client.request(method, server.url, trace=journal).text == "first"

    told = [hook for hook in journal.hooks if hook in IN_ATTEMPT]
    assert told == [
        *("got_conn", "wrote_request", "failed", "attempt_done"),
        *("connect_start", "got_conn", "wrote_request", "attempt_done"),
    ]
    assert [info.reused for info in journal.all("got_conn")] == [True, False]
    assert [info.number for info in journal.all("attempt_start")] == [1, 2]
    assert [info.retry for info in journal.all("attempt_done")] == [True, False]
    assert (journal.one("failed").sent, journal.one("failed").reused) == (True, True)
    assert journal.one("failed").error is not None


def test_a_post_is_not_repeated(client, journal, start):
    """Go: RetryRequestsOnError, of a POST that was written. It fails, and says why no try follows."""
    server = start(servers.ScriptedServer(dropping_second))
    client.get(server.url)

    with pytest.raises(requests.ConnectionError):
        client.post(server.url, data=b"x", trace=journal)

    assert journal.one("attempt_done").retry is False
    assert "POST is not idempotent" in journal.one("attempt_done").reason
    assert len(server.requests) == 2


def test_a_post_of_which_nothing_was_written(client, journal, echo_server, resolver):
    """Go: TestRetryRequestsOnError, "POST nothing written". Whatever the method, it is sent again
    when nothing has left, with its whole body."""
    lookups = iter([["127.0.0.9"], ["127.0.0.1"]])
    resolver["two.test"] = lambda: next(lookups)

    url = f"http://two.test:{echo_server.port}/"
    assert client.post(url, data=b"foo", trace=journal).json()["body"] == "foo"

    assert (journal.one("failed").phase, journal.one("failed").sent) == ("connect", False)
    assert [info.retry for info in journal.all("attempt_done")] == [True, False]
    assert journal.count("dns_start") == 2


def test_server_closing_unexpectedly(client, journal, start):
    """Go: TestTransportServerClosingUnexpectedly. A server that closes after each answer without
    saying so costs a new connection, and no request."""

    def handle(peer):
        peer.read_request()
        peer.answer(200, str(peer.number).encode())

    server = start(servers.ScriptedServer(handle))
    texts = []
    for _ in range(3):
        texts.append(client.get(server.url, trace=journal).text)
        server.wait_until(lambda: server.open_connections == 0)

    assert texts == ["1", "2", "3"]
    assert "failed" not in journal.hooks


def test_an_end_before_the_first_answer_is_retried_here(client, journal, start):
    """Beyond Go, which repeats on reused connections only: so does an idempotent request here whose
    connection was new."""

    def handle(peer):
        peer.read_request()
        if peer.number == 2:
            peer.answer(200, b"at last")

    assert client.get(start(servers.ScriptedServer(handle)).url, trace=journal).text == "at last"
    assert [info.reused for info in journal.all("got_conn")] == [False, False]
    assert journal.one("failed").phase == "wait"


def test_each_hop_of_a_redirect(client, journal, echo_server):
    """Go: a trace sees every hop, and nothing says which. Here ``redirected`` stands between, and
    each hop's events follow its own ``exchange_start``."""
    client.get(f"{echo_server.url}/redirect-chain/2", trace=journal)

    marks = [h for h in journal.hooks if h in ("exchange_start", "redirected", "got_conn")]
    assert marks == [
        "exchange_start",
        "got_conn",
        *["redirected", "exchange_start", "got_conn"] * 2,
    ]
    started = [info.url.removeprefix(echo_server.url) for info in journal.all("exchange_start")]
    assert started == [f"/redirect-chain/{left}" for left in (2, 1, 0)]
    assert journal.hooks.count("attempt_start") == 1
