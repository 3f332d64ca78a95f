"""Retries that a test does not wait for, on real sockets."""

from __future__ import annotations

import threading
import time

import pytest
import tenacity

from tracedclient import HTTPClient, RetryPolicy
from tracedclient.errors import ClientClosed
from tracedclient.retry import RetryBudget, testmode
from tracedclient.testing import (
    Answer,
    RecordingSink,
    Reset,
    faulty_server,
    retries_without_sleeping,
)

A_MINUTE = tenacity.wait_fixed(60)
PATIENT = RetryPolicy(max_attempts=4, wait=A_MINUTE, wait_throttled=A_MINUTE)


@pytest.fixture
def client(sink):
    with HTTPClient(debug=True, sinks=[sink], retry=PATIENT, timeout=120) as client:
        yield client


def tries(client, *script):
    """How many requests one call makes of a server with ``script``."""
    with faulty_server(*script) as server:
        client.get(server.url)
        return len(server.requests)


def test_no_sleep_between_attempts(client, sink):
    """As many attempts as ever, none of which waits; the trace says that it did not."""
    begun = time.monotonic()
    with retries_without_sleeping():
        assert tries(client, Answer(503), Reset(), Answer(429), Answer(200)) == 4

    assert time.monotonic() - begun < 5
    assert [attempt.sleep_ms for attempt in sink.one.attempts] == [0.0, 0.0, 0.0, None]
    assert (sink.one.outcome, sink.one.retry_count) == ("ok", 3)


def test_retry_after_is_not_waited_for(client):
    """A server's word on when to come back does not hold up a test."""
    begun = time.monotonic()
    with retries_without_sleeping():
        assert tries(client, Answer(503, headers={"Retry-After": "9"}), Answer()) == 2
    assert time.monotonic() - begun < 5


def test_too_long_a_retry_after_still_ends_the_call(client, sink):
    """What the policy decides stays the same: a Retry-After beyond its limit is no retry."""
    with retries_without_sleeping():
        assert tries(client, Answer(503, headers={"Retry-After": "3600"})) == 1
    assert "Retry-After of 3600 s is too long" in sink.one.attempts[0].reason


def test_no_time_is_no_reason_any_more(sink):
    """A sleep that would end after the deadline does not end a call that does not sleep."""
    with (
        HTTPClient(sinks=[sink], retry=PATIENT, timeout=10) as client,
        retries_without_sleeping(),
    ):
        assert tries(client, Answer(503), Answer(200)) == 2


@pytest.mark.parametrize(("attempts", "made"), [(1, 1), (2, 2), (4, 4), (9, 4), (None, 4)])
def test_at_most_so_many_attempts(client, attempts, made):
    """``attempts`` is a limit beside the policy's, and never more than that."""
    with retries_without_sleeping(attempts):
        assert tries(client, Answer(503)) == made


def test_the_innermost_number_counts(client):
    """Nested, the innermost that gives a number counts; leaving it brings the outer one back."""
    with retries_without_sleeping(attempts=1):
        with retries_without_sleeping(attempts=3):
            assert tries(client, Answer(503)) == 3
            with retries_without_sleeping():
                assert tries(client, Answer(503)) == 3
        assert tries(client, Answer(503)) == 1


def test_it_ends_with_an_exception():
    """What the block raises gets out, and test mode is off afterwards, sleeps and budgets on."""
    with pytest.raises(ZeroDivisionError), retries_without_sleeping(1):
        raise ZeroDivisionError
    assert testmode.current is None

    brief = RetryPolicy(wait=tenacity.wait_fixed(0.02), wait_throttled=tenacity.wait_fixed(0.02))
    sink = RecordingSink()
    with HTTPClient(debug=True, sinks=[sink], retry=brief) as client:
        assert tries(client, Answer(503)) == 3
    assert sink.one.retry_sleep_ms == 40.0


def test_overlapping_blocks_of_two_threads():
    """Blocks that overlap without being nested each take back their own part only."""
    inside, leave = threading.Event(), threading.Event()

    def other():
        with retries_without_sleeping(attempts=2):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with retries_without_sleeping(attempts=1):
        thread.start()
        assert inside.wait(10)
    assert testmode.current is not None
    assert testmode.current.attempts == 2
    leave.set()
    thread.join()
    assert testmode.current is None


def test_it_holds_for_other_threads(client):
    """The service under test may call from a thread of its own."""
    made = []
    thread = threading.Thread(target=lambda: made.append(tries(client, Answer(503))))
    with retries_without_sleeping(attempts=2):
        thread.start()
        thread.join(10)
    assert made == [2]


def test_no_budget_is_asked_or_spent(sink):
    """A client that all tests share does not run out of retries in the middle of them."""
    budget = RetryBudget(ratio=0, min_per_second=0.1)
    with (
        HTTPClient(sinks=[sink], retry=PATIENT, budget=budget) as client,
        faulty_server(Answer(503)) as server,
    ):
        with retries_without_sleeping():
            for _ in range(5):
                client.get(server.url)
        assert len(server.requests) == 20
        assert client.stats().retries_left == {server.url: 1.0}


def test_a_closed_client_still_says_so(client):
    """A client that is closed in the middle of a call ends it, as without test mode."""
    with faulty_server(Answer(503)) as server, retries_without_sleeping():
        client.close()
        with pytest.raises(ClientClosed):
            client.get(server.url)


@pytest.mark.parametrize(
    ("attempts", "error"), [(0, ValueError), (-1, ValueError), (True, TypeError), ("2", TypeError)]
)
def test_bad_attempts(attempts, error):
    """What cannot be meant is refused by its name, and leaves test mode off."""
    with pytest.raises(error, match="attempts must be"), retries_without_sleeping(attempts):
        pass
    assert testmode.current is None


@retries_without_sleeping(attempts=2)
def test_it_can_decorate_a_function(client):
    """As a decorator it holds for the function."""
    assert tries(client, Answer(503)) == 2
