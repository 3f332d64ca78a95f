"""An exchange that is noted whole has the record that its hooks would have made, and errors their place."""

from __future__ import annotations

import re

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import ScriptedServer

from tracedclient import TracedSession
from tracedclient.httptrace import client_trace
from tracedclient.recorder import Recorder
from tracedclient.trace.schema import to_dict


class Hooked(Recorder):
    """A recorder that is told of every event."""

    takes_notes = False


class Script:
    """A server that answers with ``answer``, and closes or does not; without one, it closes at once."""

    def __init__(self):
        self.answer = b""
        self.closes = False

    def __call__(self, peer):
        while peer.socket.recv(65536):
            if not self.answer:
                return
            peer.socket.sendall(self.answer)
            if self.closes:
                return


@pytest.fixture(scope="module")
def script():
    return Script()


@pytest.fixture(scope="module")
def url(script):
    with ScriptedServer(script) as server:
        yield f"{server.url}/orders/1"


def records(kind, url, method):
    """The records of two requests in a row on one session, without what differs from run to run."""
    with TracedSession() as session:
        return [recorded(kind, session, url, method) for _ in range(2)]


def recorded(kind, session, url, method):
    recorder = kind("t-1", method=method, url=url)
    status = error = None
    with client_trace(recorder):
        try:
            status = session.request(method, url, timeout=5, allow_redirects=False).status_code
        except requests.RequestException as failure:
            error = failure
    return comparable(to_dict(recorder.finish(status, error)))


def comparable(record):
    """``record`` with a mark in the place of each time, port and number of a connection."""
    if isinstance(record, dict):
        return {key: fact(key, value) for key, value in record.items() if key not in SOMETIMES}
    if isinstance(record, (list, tuple)):
        return [comparable(each) for each in record]
    return record


# The kernel begins to stamp some moments after it was asked to; in less than 5 ms, nobody asks what
# was throttled.
SOMETIMES = {"buffered_ms", "throttled_ms"}
# How much comes with one read, and how many segments it took, is the network's business.
CHANCE = {"at", "started_at", "local", "remote", "id", "tcp", "reads", "slowest_phase", "uses"}


def fact(key, value):
    if key in CHANCE or (key.endswith("_ms") and value is not None):
        return "…"
    if key == "verdict_sentence" and value:
        # Which phase took longest is the machine's business too.
        return re.sub(r"longest: \w+|[0-9.]+", "…", value)
    if key == "ms" and isinstance(value, float):
        return "…"
    if key == "ms":
        return sorted(value.keys() - {"unaccounted"})
    return comparable(value)


ANSWERS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
        b"garbage\r\n\r\n",
        b"",
    ]
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.booleans(), st.sampled_from(["GET", "HEAD", "POST"]))
def test_both_records_are_alike(script, url, answer, closes, method):
    """Whatever the server does, the record says the same, whether events were noted or told one by
    one: the same events in the same order, the same phases, counts and errors.
    """
    cut_off = answer.endswith(b"cut") or answer.startswith((b"garbage", b"HTTP/1.0"))
    script.answer, script.closes = answer, closes or cut_off
    if script.closes and answer and b"close" not in answer:
        # Whether the next request finds that out in time is a matter of luck.
        one_each = [records(kind, url, method)[0] for kind in (Recorder, Hooked)]
        assert one_each[0] == one_each[1]
    else:
        assert records(Recorder, url, method) == records(Hooked, url, method)


def test_what_is_compared_are_two_ways(script, url):
    """A recorder is told of a usual exchange at its end, and the other one is not."""
    script.answer, script.closes = b"HTTP/1.1 204 No Content\r\n\r\n", False
    noted = []

    class Watched(Recorder):
        def noted(self, notes):
            noted.append(type(self).takes_notes)
            super().noted(notes)

    class WatchedHooks(Watched):
        takes_notes = False

    records(Watched, url, "GET")
    records(WatchedHooks, url, "GET")
    assert noted == [True, True]
