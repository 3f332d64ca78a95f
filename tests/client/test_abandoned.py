"""Streamed answers whose caller lets go of them, neither read nor closed."""

from __future__ import annotations

import gc
import threading
from contextvars import ContextVar

import pytest

LARGE = "/bytes/3000000"
whose = ContextVar("whose", default=None)


class Emitted:
    """A sink that others can wait for."""

    def __init__(self):
        self.results = []
        self.contexts = []
        self.there_is_one = threading.Event()

    def emit(self, result):
        self.results.append(result)
        self.contexts.append(whose.get())
        self.there_is_one.set()

    @property
    def exchange(self):
        assert self.there_is_one.wait(5)
        (result,) = self.results
        return result.attempts[-1].exchanges[-1]


@pytest.fixture
def emitted():
    return Emitted()


@pytest.fixture
def streamed(make_client, emitted, echo_server):
    """``streamed()``: an answer of three megabytes, of which nothing has been read."""
    client = make_client(sinks=[emitted])
    yield lambda: client.get(f"{echo_server.url}{LARGE}", stream=True)
    assert client.in_flight() == ()


def test_a_dropped_answer_ends_its_trace(streamed, emitted, echo_server):
    """An answer that nobody holds any more is logged, as abandoned; its connection is closed."""
    response = streamed()
    assert emitted.results == []
    del response

    assert emitted.exchange.body_abandoned is True
    assert emitted.exchange.body_complete is False
    assert emitted.exchange.connection.returned is False
    echo_server.wait_until(lambda: echo_server.open_connections == 0)


def test_one_in_a_cycle_is_found_by_the_collector(streamed, emitted):
    """An answer that holds itself is abandoned when the garbage collector comes to it."""
    response = streamed()
    response.myself = response
    del response
    gc.collect()
    assert emitted.exchange.body_abandoned is True


def test_half_read_is_abandoned_too(streamed, emitted):
    """Who stops in the middle and lets go has abandoned it as well."""
    for _ in streamed().iter_content(1000):
        break
    assert emitted.exchange.body_abandoned is True


@pytest.mark.parametrize("end", ["close", "content"])
def test_what_is_closed_or_read_is_not(streamed, emitted, end):
    """An answer that was closed or read, and let go of then, is not abandoned."""
    response = streamed()
    response.close() if end == "close" else response.content
    del response
    gc.collect()
    assert emitted.exchange.body_abandoned is None


def test_whoever_holds_the_raw_answer_may_read_on(streamed, emitted):
    """The body of an answer that was let go of can be read by way of ``raw``, and is complete then."""
    raw = streamed().raw
    assert emitted.results == []
    assert len(raw.read()) == 3000000
    assert (emitted.exchange.body_complete, emitted.exchange.body_abandoned) == (True, None)


def test_letting_go_waits_for_no_lock(make_client, echo_server):
    """An answer may be dropped by whoever holds the lock that a sink needs: nothing hangs."""
    lock, emitted = threading.Lock(), Emitted()

    class Locked:
        def emit(self, result):
            with lock:
                emitted.emit(result)

    client = make_client(sinks=[Locked()])
    response = client.get(f"{echo_server.url}{LARGE}", stream=True)
    with lock:
        del response
    assert emitted.exchange.body_abandoned is True


def test_its_line_has_the_context_of_its_call(streamed, emitted):
    """What was bound when the call was made is bound when it is logged, wherever that happens."""
    token = whose.set("request 5")
    response = streamed()
    whose.reset(token)
    del response
    assert emitted.exchange.body_abandoned is True
    assert emitted.contexts == ["request 5"]


def test_many_of_them_leave_nothing(make_client, echo_server, open_descriptors):
    """A service that forgets to close its answers does not run out of descriptors."""
    emitted = Emitted()
    client = make_client(sinks=[emitted])
    before = open_descriptors()
    for _ in range(20):
        client.get(f"{echo_server.url}{LARGE}", stream=True)
    echo_server.wait_until(lambda: echo_server.open_connections == 0)
    assert client.in_flight() == ()
    assert open_descriptors() <= before + 2
