"""Retries that cannot make an outage worse: the budget and the breaker, on real sockets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import servers
import tenacity
from descriptors import none_left

from tracedclient import HTTPClient, RetryPolicy, Timeout
from tracedclient.errors import CircuitOpen
from tracedclient.retry import CircuitBreaker, RetryBudget

NO_WAIT = tenacity.wait_fixed(0)
POLICY = RetryPolicy(wait=NO_WAIT, wait_throttled=NO_WAIT)


def failing(status=503):
    return servers.serve(lambda _: (status, [], b""))


def test_an_outage_gets_a_fifth_more_and_no_more(start):
    """When every call fails, the budget lets a fifth of them be tried again, and a small reserve."""
    server = start(failing())
    with HTTPClient(retry=POLICY) as client:
        for _ in range(300):
            assert client.get(server.url).status_code == 503

    assert 300 + 60 <= len(server.requests) <= 300 + 60 + 15


def test_an_empty_budget_is_said_in_the_trace(make_client, start):
    """An attempt that is not made for want of budget says so."""
    server = start(failing())
    client = make_client(retry=POLICY, budget=RetryBudget(ratio=0, min_per_second=0))

    trace = client.get(server.url).trace

    assert trace.attempt_count == 1
    assert trace.attempts[0].reason == "status 503; no budget left"


def test_another_origins_budget_is_its_own(make_client, start):
    """One origin's outage takes nothing from another's budget; both are in ``stats``."""
    bad, good = start(failing()), start(failing())
    client = make_client(retry=POLICY, budget=RetryBudget(ratio=0, min_per_second=0.2))
    for _ in range(3):
        client.get(bad.url)

    assert client.get(good.url).trace.attempt_count == 3
    left = client.stats().retries_left
    assert left[bad.url] < 1
    assert set(left) == {bad.url, good.url}


def test_the_free_try_after_a_stale_connection_costs_no_budget(make_client, start):
    """What is nobody's fault is not charged."""

    def handle(peer):
        peer.read_request()
        peer.answer(200)
        if peer.number == 1:
            peer.read_request()

    server = start(servers.ScriptedServer(handle))
    client = make_client(budget=RetryBudget(ratio=0, min_per_second=0))
    client.get(server.url)

    assert client.get(server.url).status_code == 200


def test_without_a_budget_every_attempt_is_made(make_client, start):
    """``budget=None`` limits nothing."""
    server = start(failing())
    client = make_client(retry=POLICY, budget=None)
    for _ in range(20):
        client.get(server.url)

    assert len(server.requests) == 60


def test_an_open_circuit_sends_nothing(make_client, start):
    """After enough failures calls to that origin end at once, and say why; others go on."""
    server, other = start(failing()), start(failing(200))
    client = make_client(
        retry=RetryPolicy(max_attempts=1), breaker=CircuitBreaker(min_calls=10, failure_ratio=0.5)
    )
    for _ in range(10):
        client.get(server.url)

    with pytest.raises(CircuitOpen) as caught:
        client.get(server.url)

    assert len(server.requests) == 10
    assert isinstance(caught.value, requests.ConnectionError)
    assert (caught.value.trace.outcome, caught.value.trace.attempt_count) == ("circuit_open", 1)
    assert "nothing was sent" in caught.value.trace.verdict_sentence
    assert client.stats().circuits[server.url].state == "open"
    assert client.get(other.url).status_code == 200


def test_client_errors_open_no_circuit(make_client, start):
    """Answers that object to the request say nothing against the server."""
    server = start(failing(404))
    client = make_client(breaker=CircuitBreaker(min_calls=5))
    for _ in range(20):
        assert client.get(server.url).status_code == 404


def test_credentials_are_in_no_statistic(make_client, start):
    """The origin in ``stats`` has no userinfo."""
    server = start(failing())
    client = make_client(retry=POLICY)
    client.get(server.url.replace("http://", "http://user:s3cret@"))

    assert "s3cret" not in repr(client.stats())


def test_want_of_a_connection_of_the_pool_opens_no_breaker(make_client, start):
    """Calls that found all connections of the pool in use say nothing of the origin: it is not left alone."""
    go = threading.Event()
    server = start(
        servers.ScriptedServer(lambda peer: [peer.read_request(), peer.wait(go), peer.answer(200)])
    )
    once = {"retry": RetryPolicy(max_attempts=1), "breaker": CircuitBreaker(min_calls=1)}
    client = make_client(pool_maxsize=1, pool_block=True, timeout=Timeout(5, 30, 60), **once)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(client.get, server.url)
        server.wait_until(lambda: len(server.requests) == 1)
        for _ in range(3):
            with pytest.raises(requests.ConnectionError) as caught:
                client.get(server.url, timeout=Timeout(0.05, 0.05, 0.1))
            assert caught.value.trace.verdict_culprit == "pool"
        go.set()
        assert first.result().status_code == 200
    assert client.stats().circuits[server.url].state == "closed"


def test_want_of_sockets_opens_no_breaker(make_client, echo_server):
    """Nor do those for which this process had no file descriptor left; the trace blames the process."""
    client = make_client(retry=RetryPolicy(max_attempts=1), breaker=CircuitBreaker(min_calls=2))
    client.get(echo_server.url)
    client.session.close()
    for _ in range(3):
        with none_left(), pytest.raises(requests.ConnectionError) as caught:
            client.get(echo_server.url)
        assert caught.value.trace.verdict_culprit == "client"
    assert client.get(echo_server.url).status_code == 200
