"""Whatever the config centre says, and whatever the clocks do: requests go on, and debug ends."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.debug.document import MAX_BYTES, MAX_TTL
from tracedclient.debug.override import override
from tracedclient.debug.source import Absent, Document, NotModified
from tracedclient.debug.state import FlagState

NOW = 1_800_000_000.0
ROUNDING = 1e-5
"""Seconds: a double that holds the epoch's is good for a quarter of a microsecond."""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Hands:
    """Both clocks, moved by a test."""

    def __init__(self):
        self.wall, self.since = NOW, 1000.0

    def time(self):
        return self.wall

    def monotonic(self):
        return self.since


def decide(state, clock, *, method="GET", host="a", path="/", trace_id=TRACE):
    book = state.in_force(clock.since).book
    return book.first(method, host, path, trace_id, clock.wall, clock.since)


bodies = st.one_of(
    st.binary(max_size=200),
    st.just(b"true"),
    st.floats(NOW - 1e5, NOW + 1e5).map(
        lambda until: json.dumps({"schema": 1, "enabled": True, "until": until}).encode()
    ),
    st.sampled_from([1e300, -1e300, 253402300800, NOW * 1000, 0]).map(
        lambda until: json.dumps({"schema": 1, "enabled": True, "until": until}).encode()
    ),
)
answers = st.one_of(
    st.builds(Document, bodies, st.sampled_from(["r1", "r2", "r3"])),
    st.just(Absent()),
    st.just(NotModified()),
)
steps = st.one_of(
    answers,
    st.tuples(st.just("both"), st.floats(0, 2 * MAX_TTL)),
    st.tuples(st.just("wall"), st.floats(-1e10, 1e10)),
)


@given(st.lists(steps, max_size=20))
def test_no_history_keeps_debug_on(history):
    """After any documents and any jumps of the wall clock, four hours without news end debug."""
    clock = Hands()
    state = FlagState("s", clock=clock, patience=6.0, constant=False, settle=0.0)
    for step in history:
        if not isinstance(step, tuple):
            state.learn(step)
        else:
            clock.wall += step[1]
            clock.since += step[1] if step[0] == "both" else 0
        state.tick()
        state.status()
        decide(state, clock)
    clock.since += MAX_TTL + ROUNDING
    assert decide(state, clock) is None
    assert not state.is_on()
    state.tick()
    assert not state.known.snapshot.on


@given(st.floats(NOW - 1e6, NOW + 1e6), st.floats(-1e9, 0))
def test_until_holds_whichever_way_the_clock_is_set(until, back):
    """At ``until`` debug is over, by the wall clock, and by the monotonic one if that is set back."""
    clock = Hands()
    state = FlagState("s", clock=clock, patience=6.0, constant=False, settle=0.0)
    body = json.dumps({"schema": 1, "enabled": True, "until": until}).encode()
    state.learn(Document(body, "r1"))
    clock.wall = max(NOW, until)
    assert decide(state, clock) is None
    clock.since += max(0.0, until - NOW) + ROUNDING
    clock.wall = NOW + back
    assert decide(state, clock) is None


@given(st.text(), st.text(), st.text(), st.text(min_size=1))
def test_no_request_breaks_a_rule(method, host, path, trace_id):
    """Any strings where method, host, path and trace id should be: an answer, and no exception."""
    clock = Hands()
    state = FlagState("s", clock=clock, patience=6.0, constant=False, settle=0.0)
    rule = {
        "id": "r",
        "hosts": ["a*b*", "*.c"],
        "paths": ["/*/x*"],
        "methods": ["GET"],
        "percent": 50,
    }
    body = {"schema": 1, "enabled": True, "until": NOW + 60, "rules": [rule, {"id": "all"}]}
    state.learn(Document(json.dumps(body).encode(), "r1"))
    found = decide(state, clock, method=method, host=host, path=path, trace_id=trace_id)
    assert found is not None


def test_trace_id_that_is_no_text_is_not_traced(updater, scripted, document):
    """A trace id that cannot be encoded has no share: the call goes untraced, and nothing is raised."""
    body = document(time.time() + 60, rules=[{"id": "r", "percent": 50}])
    flag = updater(scripted(Document(body, "r1"), immediate=True))
    assert flag.decide("GET", "a", "/", "\ud800") is None


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html>Sign in to the network</html>",
        b"\x1f\x8b\x08" + bytes(100),
        b"{" * MAX_BYTES,
        b'{"schema":1,"enabled":true,"until":NaN}',
        b'{"schema":1,"enabled":true,"until":Infinity}',
        b"true".ljust(MAX_BYTES + 1),
        b"true\x00",
        b"[true]",
    ],
)
def test_what_is_no_document_is_refused_once(updater, scripted, lines, body):
    """A captive proxy's page, a gzip stream, NaN, 64 kB and a byte: last good kept, one warning."""
    source = scripted(Document(b"true", "r1"))
    flag = updater(source)
    assert flag.wait_ready(10)
    source.taken(Document(body, "r2"))
    source.taken(Document(body, "r2"))
    assert flag.is_on()
    assert (flag.status().state, flag.status().revision) == ("ERROR", "r1")
    assert len(lines("WARNING")) == 1


def test_year_9999_is_four_hours():
    """An ``until`` in the year 9999 is cut, and the log line that tells of it can be written."""
    clock = Hands()
    state = FlagState("s", clock=clock, patience=6.0, constant=False, settle=0.0)
    state.learn(Document(b'{"schema":1,"enabled":true,"until":253402300799}', "r1"))
    assert state.status().until == NOW + MAX_TTL


@pytest.mark.parametrize("wall", [0.0, -1e9, 1e12, 1e300, math.inf])
def test_absurd_wall_clock(wall):
    """A wall clock at zero, before it or far beyond: no exception, and an end all the same."""
    clock = Hands()
    clock.wall = wall
    state = FlagState("s", clock=clock, patience=6.0, constant=False, settle=0.0)
    state.learn(Document(b"true", "r1"))
    state.learn(Document(b'{"schema":1,"enabled":true,"until":5}', "r2"))
    clock.since += MAX_TTL + ROUNDING
    assert decide(state, clock) is None


@given(st.binary(max_size=100), st.floats(0.1, MAX_TTL))
def test_override_ends_too(body, ttl):
    """Whatever an override says, it is over after its ttl."""
    clock = Hands()
    try:
        found = override(body, ttl, by="call", clock=clock)
    except ValueError:
        return
    assert found.snapshot.book.first("GET", "a", "/", TRACE, NOW, 1000.0 + ttl + ROUNDING) is None
