"""The connection pool as a trace shows it: waits and who caused them, idle times, what was dropped."""

from __future__ import annotations

import threading
import time

import pytest
import requests
import servers

from tracedclient import Timeout
from tracedclient.transport.connection import opening


def test_a_wait_names_who_holds_the_connections(make_client, echo_server):
    """A pool of one held by an unread body: the waiting call's trace says by whom, and for how long."""
    client = make_client(pool_maxsize=1, pool_block=True)
    holder = client.get(f"{echo_server.url}/bytes/1000000", trace_id="holder", stream=True)
    threading.Timer(0.5, lambda: holder.content).start()

    trace = client.get(echo_server.url, trace_id="waiter").trace

    exchange = trace.attempts[0].exchanges[0]
    assert trace.blocked_ms >= 200
    assert (exchange.pool.in_use, exchange.pool.idle, exchange.pool.limit) == (1, 0, 1)
    (held,) = exchange.pool.holders
    assert (held.trace_id, held.phase) == ("holder", "receive")


def test_a_wait_ends_with_the_total_timeout(make_client, echo_server):
    """A call that gets no connection in time fails in blocked, the pool being the culprit."""
    client = make_client(pool_maxsize=1, pool_block=True, timeout=Timeout(1, 1, 0.3))
    with client.get(f"{echo_server.url}/bytes/1000000", stream=True):
        began = time.monotonic()
        with pytest.raises(requests.ConnectionError) as caught:
            client.get(echo_server.url)

    assert 0.25 < time.monotonic() - began < 5
    assert (caught.value.trace.error_phase, caught.value.trace.verdict_culprit) == (
        "blocked",
        "pool",
    )


def test_every_connection_comes_back(make_client, start):
    """After answers, errors and closed streams the pool counts nothing as in use."""
    server = start(servers.serve(servers.echo))
    client = make_client()
    client.get(server.url)
    client.get(f"{server.url}/bytes/1000000", stream=True).close()
    with pytest.raises(requests.ConnectionError):
        client.get(f"http://127.0.0.1:{servers.refused_port()}/")

    trace = client.get(server.url).trace

    assert trace.attempts[0].exchanges[0].pool.in_use == 0


def test_an_idle_connection_is_dropped_before_the_server_does(client, start, monkeypatch):
    """A connection idle for longer than allowed is closed by us and replaced, and said to be."""
    monkeypatch.setattr(opening, "MAX_IDLE", 0.05)
    server = start(servers.serve(servers.echo))
    client.get(server.url)
    time.sleep(0.08)

    trace = client.get(server.url).trace

    found = trace.attempts[0].exchanges[0].connection
    assert (found.reused, found.stale_discarded) == (False, 1)
    assert found.stale_reason == "idle for more than 0.05 s"
    assert server.connections == 2


def test_the_servers_keep_alive_timeout_is_honoured(client, start):
    """``Keep-Alive: timeout=1`` means that the connection is not used again after that second."""
    server = start(servers.serve(lambda _: (200, [("Keep-Alive", "timeout=1, max=99")], b"")))
    client.get(server.url)
    time.sleep(0.01)

    trace = client.get(server.url).trace

    assert trace.attempts[0].exchanges[0].connection.stale_reason == "idle for more than 0 s"


def test_a_connection_in_use_is_left_alone(client, echo_server):
    """A connection that is not idle for long is used again."""
    client.get(echo_server.url)

    assert client.get(echo_server.url).trace.conn_reused is True
