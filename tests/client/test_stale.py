"""The keep-alive race: the server closes an idle connection just as a request is sent on it."""

from __future__ import annotations

import threading

import pytest
import requests
import servers


def closing_on_the_second(peer):
    """Answers one request, takes another one, and closes instead of answering."""
    peer.read_request()
    peer.answer(200, b"first")
    peer.read_request()


def racy(times):
    """A server of which so many connections do that; later ones answer for ever."""

    def handle(peer):
        if peer.number <= times:
            closing_on_the_second(peer)
        else:
            while peer.read_request():
                peer.answer(200, b"answered")

    return servers.ScriptedServer(handle)


def test_a_get_gets_one_free_try_on_a_new_connection(client, start):
    """A GET that met the race is sent again at once, on a new connection, and it counts as none."""
    server = start(racy(1))
    client.get(server.url)

    response = client.get(server.url)

    assert response.text == "answered"
    first, second = response.trace.attempts
    assert (first.reason, first.sleep_ms, second.reason) == ("stale connection", 0.0, "answered")
    assert first.exchanges[0].connection.reused is True
    assert second.exchanges[0].connection.reused is False


def test_the_free_try_takes_no_pooled_connection(make_client, start):
    """The free try opens a connection, even where others that may be stale lie in the pool."""
    both = threading.Barrier(2)

    def handle(peer):
        peer.read_request()
        if peer.number <= 2:
            both.wait(5)
            peer.answer(200, b"first")
            peer.read_request()
        else:
            peer.answer(200, b"answered")

    server = start(servers.ScriptedServer(handle))
    client = make_client()
    threads = [threading.Thread(target=client.get, args=(server.url,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    trace = client.get(server.url).trace

    assert [attempt.reason for attempt in trace.attempts] == ["stale connection", "answered"]
    assert server.connections == 3


def test_a_server_that_always_does_it_is_not_asked_for_ever(client, start):
    """There is one free try; after that every try counts."""
    server = start(servers.ScriptedServer(lambda peer: peer.read_request()))
    good = start(racy(1))
    client.get(good.url)

    with pytest.raises(requests.ConnectionError) as caught:
        client.get(server.url)

    assert caught.value.trace.attempt_count == 3


def test_a_post_is_not_sent_again(client, start):
    """A POST may have been executed: the error is the caller's to judge."""
    server = start(racy(1))
    client.get(server.url)

    with pytest.raises(requests.ConnectionError) as caught:
        client.post(server.url, data=b"x")

    assert [request.method for request in server.requests] == ["GET", "POST"]
    assert caught.value.trace.attempts[0].reason == "wait failed, POST is not idempotent"


def test_a_post_with_a_key_is_sent_again(client, start):
    """A keyed POST gets the free try, with the same key."""
    server = start(racy(1))
    client.get(server.url)

    assert client.post(server.url, data=b"x", idempotency_key="k-1").text == "answered"

    assert [r.headers.get("Idempotency-Key") for r in server.requests] == [None, "k-1", "k-1"]


def test_a_connection_that_closed_before_is_no_attempt(client, start):
    """A connection that the server closed while it was idle is replaced without any retry."""
    server = start(servers.ScriptedServer(lambda peer: (peer.read_request(), peer.answer())))
    client.get(server.url)
    server.wait_until(lambda: server.open_connections == 0)

    assert client.post(server.url, data=b"x").trace.attempt_count == 1
