"""A total outage: what the client adds to it. The number of attempts is what a server would get."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import servers
import tenacity

from tracedclient import HTTPClient, RetryPolicy
from tracedclient.httptrace import ClientTrace

THREADS = 16
AMPLIFICATION = 1.25
RESERVE = 10
"""Retries that the default budget has for each origin beside a part of its calls."""


class Attempts(ClientTrace):
    """Counts the attempts of all threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self.count = 0

    def attempt_start(self, info):
        with self._lock:
            self.count += 1


def down(number):
    """Calls of one service to one origin that is down, at the defaults; the attempts made."""
    attempts = Attempts()
    url = f"http://127.0.0.1:{servers.refused_port()}/"

    def call(_):
        with pytest.raises(requests.ConnectionError):
            client.request("GET", url, trace=attempts)

    with HTTPClient() as client, ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(call, range(number)):
            pass
    return attempts.count


def failing(number, status):
    """The same to one that answers with ``status``; the requests that it got."""

    def call(_):
        assert client.get(server.url).status_code == status

    with servers.serve(lambda _: (status, [], b"")) as server, HTTPClient() as client:
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(call, range(number)):
                pass
        return len(server.requests)


@pytest.mark.parametrize("outage", [down, lambda number: failing(number, 502)], ids=["down", "502"])
def test_an_outage_is_not_multiplied(outage):
    """When all calls fail, retries are a fifth of them and the reserve, not two for each."""
    made = outage(400)

    assert 400 < made <= 400 * 1.2 + 2 * RESERVE


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("outage", [down, lambda number: failing(number, 502)], ids=["down", "502"])
def test_ten_thousand_calls_to_an_outage(outage):
    """10,000 calls at the defaults send at most 1.25 times their number."""
    assert 10_000 < outage(10_000) <= 10_000 * AMPLIFICATION


@pytest.mark.long
@pytest.mark.timeout(300)
def test_ten_thousand_calls_to_an_overload():
    """The same where the server says 503, after which the waits are longer."""
    assert 10_000 < failing(10_000, 503) <= 10_000 * AMPLIFICATION


def test_threads_that_fail_at_the_same_moment():
    """Threads that get in each other's way wherever they can raise what they should, each its own."""
    fail_together(THREADS, 15, debug=True)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_32_threads_of_a_thousand_failing_calls():
    """The same for 32,000 calls with debug off: only what should be raised is."""
    fail_together(32, 1000, debug=False)


def fail_together(threads, calls, *, debug):
    """Let each thread make so many calls that are refused three times."""
    url = f"http://127.0.0.1:{servers.refused_port()}/"
    policy = RetryPolicy(wait=tenacity.wait_fixed(0))
    together = threading.Barrier(threads)

    def work(_):
        together.wait(10)
        for _ in range(calls):
            with pytest.raises(requests.ConnectionError) as caught:
                client.get(url)
            if debug:
                assert caught.value.trace.attempt_count == policy.max_attempts

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with (
            HTTPClient(debug=debug, sinks=[], retry=policy, budget=None) as client,
            ThreadPoolExecutor(threads) as pool,
        ):
            list(pool.map(work, range(threads)))
    finally:
        sys.setswitchinterval(interval)
