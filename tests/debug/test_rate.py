"""How many traces may be logged in a second."""

from __future__ import annotations

import json
import threading
import time
import tracemalloc

import pytest

from tracedclient import HTTPClient
from tracedclient.bucket import TokenBucket
from tracedclient.debug import FileSource, StaticFlag
from tracedclient.debug.document import DEFAULT_RATE
from tracedclient.debug.source import Document
from tracedclient.testing import RecordingSink
from tracedclient.trace.decision import BY_CALL

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def flag(updater, scripted, clock, document):
    """``flag(**fields)``: an updater on which a document with these fields is in force."""

    def make(**fields):
        body = document(clock.wall + 3600, **fields)
        return updater(scripted(Document(body, "r1"), immediate=True), clock=clock)

    return make


def test_ten_thousand_calls_a_second_hold_the_cap(flag, clock):
    """10,000 traced calls a second for ten seconds: 10 a second are logged, the others counted."""
    found, admitted = flag(max_per_second=10), 0
    decision = found.decide("GET", "a", "/", TRACE)
    tracemalloc.start()
    for n in range(100_000):
        if n % 100 == 0:
            clock.advance(0.01)
        if n == 10_000:
            before = tracemalloc.get_traced_memory()[0]
        admitted += found.admit(decision)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 100 <= admitted <= 111
    assert found.status().dropped == 100_000 - admitted
    assert grown < 50_000


def test_default_cap(flag):
    """A document that does not say may have a hundred lines logged a second."""
    found = flag()
    decision = found.decide("GET", "a", "/", TRACE)
    assert sum(found.admit(decision) for _ in range(1000)) == DEFAULT_RATE == 100


def test_less_than_one_a_second(flag, clock):
    """``max_per_second: 0.5`` is one trace every two seconds."""
    found = flag(max_per_second=0.5)
    decision = found.decide("GET", "a", "/", TRACE)
    admitted = []
    for _ in range(10):
        admitted.append(found.admit(decision))
        clock.advance(1)
    assert admitted == [True, False] * 5


def test_what_code_decided_is_not_capped(updater):
    """``debug=True`` and ``StaticFlag`` are the application's own wish, and logged in full."""
    found = updater(StaticFlag(True))
    decision = found.decide("GET", "a", "/", TRACE)
    assert (decision.source, decision.rule, decision.revision) == ("static", None, None)
    assert all(found.admit(decision) and found.admit(BY_CALL) for _ in range(1000))
    assert found.status().dropped == 0


def test_bucket_counts_right_from_many_threads(clock):
    """Threads that ask at once get as many tokens as there are, and no more."""
    bucket = TokenBucket(1.0, 500.0, clock.monotonic)
    got = []

    def take():
        got.append(sum(bucket.take() for _ in range(1000)))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 500
    assert bucket.refused == 3500


def test_clock_that_goes_back_gives_nothing(clock):
    """A clock that is set back neither gives tokens nor takes any."""
    bucket = TokenBucket(1.0, 1.0, clock.monotonic)
    assert bucket.take()
    clock.since_start -= 100
    assert not bucket.take()
    clock.since_start += 1
    assert bucket.take()


def test_stats_of_a_client_count_what_was_dropped(tmp_path, echo_server):
    """Calls past the cap keep their trace, leave no line, and are counted in ``client.stats()``."""
    path, sink = tmp_path / "flag.json", RecordingSink()
    document = {"schema": 1, "enabled": True, "until": time.time() + 60, "max_per_second": 0.001}
    path.write_text(json.dumps(document))
    with HTTPClient(debug=FileSource(path), sinks=[sink]) as client:
        answers = [client.get(echo_server.url) for _ in range(3)]
        assert all(answer.trace is not None for answer in answers)
        assert client.stats().traces_dropped == 2
    assert len(sink.results) == 1
