"""Traces as Chrome's trace events."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs_of_traces import KINDS, REFUSED_CALL, RETRIED, of_one_call
from made_traces import attempt, exchange, result

from tracedclient.cli.convert.chrome import to_chrome

MICROSECONDS = st.integers(0, 400_000)
MS = st.floats(0, 500, allow_nan=False)


def events(*traces):
    return json.loads(b"".join(to_chrome(traces)))["traceEvents"]


def slices(*traces):
    return [event for event in events(*traces) if event["ph"] == "X"]


def test_no_trace_is_an_empty_file():
    """Without any trace the file is JSON of the same form."""
    assert events() == []


def test_what_is_drawn_of_a_call():
    """A retried call is itself, its attempts with exchanges and phases, and the sleep between them."""
    names = [s["name"] for s in slices(RETRIED)]
    assert names == [
        "GET api.example.org",
        *("attempt 1", "GET 503", "dns", "connect", "tls", "send", "wait", "receive"),
        "retry sleep",
        *("attempt 2", "GET 200", "send", "wait", "receive"),
    ]


def test_times_are_microseconds():
    """Begin and length are whole microseconds, since the epoch and of the call."""
    call = slices(RETRIED)[0]
    assert (call["ts"], call["dur"]) == (1_795_213_678_009_238, 118_400)


def test_the_process_is_named():
    """Service, host and process id are the track's title, said once for all calls of a process."""
    titles = [e["args"]["name"] for e in events(RETRIED, RETRIED) if e["ph"] == "M"]
    assert titles == ["orders on orders-7d9f, process 4711"]


def test_two_hosts_with_the_same_pid_are_two_processes():
    """Tracks of different hosts do not mix, even where their process ids are equal."""
    one, other = (of_one_call(0, 1.0, host_name=host, process_pid=1) for host in "ab")
    assert len({e["pid"] for e in slices(one, other)}) == 2


def test_calls_at_the_same_time_have_lanes_of_their_own():
    """Two calls that overlap do not share a lane; one that comes after them takes a free one."""
    traces = [of_one_call(0, 10.0), of_one_call(5_000, 10.0), of_one_call(20_000, 1.0)]
    lanes = [s["tid"] for s in slices(*traces) if s["name"] == "call"]
    assert lanes == [1, 2, 1]


def test_a_failed_exchange_says_so():
    """What got no answer is called failed; its facts are the slice's arguments."""
    found = next(s for s in slices(REFUSED_CALL) if s["name"] == "GET failed")
    assert found["args"]["error"]["type"] == "ConnectionError"


@pytest.mark.parametrize("kind", KINDS)
def test_what_shares_a_lane_nests(kind):
    """Any slice of a lane lies within, or beside, any other: viewers drop what does not."""
    assert_nested(slices(KINDS[kind]))


@given(st.lists(st.tuples(MICROSECONDS, MS, MICROSECONDS, MS, MS), max_size=6))
def test_what_shares_a_lane_nests_whatever_the_clocks_said(facts):
    """Slices nest even where exchanges begin before their calls, and outlast them."""
    traces = []
    for call_at, lasts, sent_at, sent_lasts, waited in facts:
        began, sent = (f"2026-11-20T22:27:58.{at:06d}Z" for at in (call_at, sent_at))
        on_wire = exchange(started_at=sent, duration_ms=sent_lasts, ms={"dns": 1.5, "wait": waited})
        tried = attempt(on_wire, on_wire, started_at=began, duration_ms=lasts, sleep_ms=0.5)
        traces.append(result(tried, started_at=began, duration_ms=lasts))
    assert_nested(slices(*traces))


def assert_nested(found):
    lanes = defaultdict(list)
    for part in found:
        lanes[part["pid"], part["tid"]].append((part["ts"], part["ts"] + part["dur"]))
    for spans in lanes.values():
        opened = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while opened and opened[-1] <= start:
                opened.pop()
            assert not opened or end <= opened[-1]
            opened.append(end)
