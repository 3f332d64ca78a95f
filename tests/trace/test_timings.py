"""Marks of events → phases: where the time went."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.httptrace import HOOKS
from tracedclient.trace.model import PHASES, Timings
from tracedclient.trace.timings import (
    WRITE_FAILED,
    Mark,
    milliseconds,
    phase_nanoseconds,
    timings,
    total,
)

MS = 1_000_000

# The canonical orders of events, with the millisecond at which each came.
NEW_HTTPS = {
    "exchange_start": 0,
    "get_conn": 1,
    "dns_start": 2,
    "dns_done": 12,
    "connect_start": 12,
    "connect_done": 32,
    "tls_handshake_start": 35,
    "tls_handshake_done": 75,
    "got_conn": 76,
    "wrote_headers": 77,
    "wrote_request": 80,
    "got_first_response_byte": 180,
    "response_head": 181,
    "body_done": 200,
}


def spent(marks, end):
    pairs = marks.items() if isinstance(marks, dict) else marks
    phases = phase_nanoseconds([Mark(hook, at * MS) for hook, at in pairs], 0, end * MS)
    return {phase: nanoseconds / MS for phase, nanoseconds in phases.items()}


def test_new_https_connection():
    """Each phase of a fresh https exchange lasts from its own start to its own end."""
    assert spent(NEW_HTTPS, 200) == {
        "dns": 10,
        "connect": 20,
        "tls": 40,
        "send": 4,
        "wait": 100,
        "receive": 20,
    }


def test_what_did_not_happen_is_absent():
    """A reused connection has no dns, connect and tls: None, not 0."""
    marks = {"get_conn": 0, "got_conn": 1, "wrote_request": 2, "got_first_response_byte": 7}
    found = timings([Mark(hook, at * MS) for hook, at in marks.items()], 0, 10 * MS)
    assert found == Timings(send=1.0, wait=5.0, receive=3.0, unaccounted=1.0)
    assert (found.dns, found.connect, found.tls, found.blocked, found.proxy) == (None,) * 5


def test_pool_wait_and_connect_request_are_phases_of_their_own():
    """Waiting for the pool is ``blocked``; the exchange with a proxy is ``proxy``."""
    marks = {
        "get_conn": 0,
        "pool_wait_start": 1,
        "pool_wait_done": 51,
        "connect_start": 52,
        "connect_done": 53,
        "proxy_connect_start": 53,
        "proxy_connect_done": 83,
        "tls_handshake_start": 84,
        "tls_handshake_done": 94,
        "got_conn": 95,
        "wrote_request": 96,
    }
    assert spent(marks, 96) == {
        "blocked": 50,
        "connect": 1,
        "proxy": 30,
        "tls": 10,
        "send": 1,
        "wait": 0,
    }


def test_every_address_tried_counts():
    """``connect`` is the sum over all addresses, the dead ones included."""
    marks = [
        ("connect_start", 0),
        ("connect_done", 1000),
        ("connect_start", 1001),
        ("connect_done", 1003),
    ]
    assert spent(marks, 1010) == {"connect": 1002}


def test_addresses_that_are_raced_count_once():
    """While several addresses are tried at once, time passes once, until the last of them is done."""
    marks = [
        ("connect_start", 0),
        ("connect_start", 300),
        ("connect_done", 400),
        ("connect_done", 520),
        ("got_conn", 521),
        ("wrote_request", 522),
    ]
    assert spent(marks, 522) == {"connect": 520, "send": 1, "wait": 0}


def test_both_handshakes_through_an_https_proxy_count():
    """``tls`` is the sum of the handshakes with the proxy and with the target."""
    marks = [
        ("tls_handshake_start", 0),
        ("tls_handshake_done", 10),
        ("proxy_connect_start", 10),
        ("proxy_connect_done", 15),
        ("tls_handshake_start", 15),
        ("tls_handshake_done", 35),
    ]
    assert spent(marks, 35) == {"tls": 30, "proxy": 5}


@pytest.mark.parametrize(
    ("hook", "phase"),
    [
        ("pool_wait_start", "blocked"),
        ("dns_start", "dns"),
        ("connect_start", "connect"),
        ("proxy_connect_start", "proxy"),
        ("tls_handshake_start", "tls"),
        ("got_conn", "send"),
        ("wrote_request", "wait"),
    ],
)
def test_phase_under_way_at_the_failure_lasts_until_it(hook, phase):
    """A phase that never ended lasts to the end of the exchange: a timeout shows as its time."""
    assert spent({hook: 3}, 1003) == {phase: 1000}


def test_interim_answer_does_not_hide_the_servers_time():
    """After a 1xx, ``wait`` ends with the final head, not with the first byte of the 1xx."""
    marks = {
        "wrote_request": 0,
        "got_first_response_byte": 1,
        "got_1xx_response": 1,
        "response_head": 601,
    }
    assert spent(marks, 611) == {"wait": 601, "receive": 10}


def test_answer_before_the_upload_is_done_takes_no_time_twice():
    """A server that answers during the upload waits for nobody: the time is ``send``'s alone."""
    marks = {"got_conn": 0, "got_first_response_byte": 40, "wrote_request": 100}
    assert spent(marks, 110) == {"send": 100, "wait": 0, "receive": 10}


def test_request_that_was_not_sent_waits_for_nothing():
    """A write that failed without an answer has no ``wait``: the server was not asked."""
    assert spent({"got_conn": 0, "wrote_request": 30, WRITE_FAILED: 30}, 31) == {"send": 30}


def test_answer_to_a_refused_upload_is_measured():
    """A server that refuses an upload half way and answers has ``wait`` and ``receive``."""
    marks = {
        "got_conn": 0,
        "wrote_request": 30,
        WRITE_FAILED: 30,
        "got_first_response_byte": 35,
        "response_head": 36,
    }
    assert spent(marks, 40) == {"send": 30, "wait": 5, "receive": 5}


def test_late_marks_belong_to_no_phase():
    """What comes after the exchange's end adds nothing: the phases fit into the exchange."""
    assert spent({"got_conn": 0, "wrote_request": 90}, 50) == {"send": 50, "wait": 0}


any_marks = st.lists(
    st.builds(
        Mark,
        st.sampled_from((*HOOKS, WRITE_FAILED)),
        st.integers(-(10**6), 10**12),
    ),
    max_size=40,
)


@given(any_marks, st.booleans(), st.integers(0, 10**9), st.integers(0, 10**12))
def test_phases_are_disjoint_whatever_the_marks(marks, in_order, start, duration):
    """For any marks at all no phase is negative, and together they fit into the exchange."""
    if in_order:
        marks.sort(key=lambda mark: mark.at)
    phases = phase_nanoseconds(marks, start, start + duration)
    assert set(phases) <= set(PHASES)
    assert all(nanoseconds >= 0 for nanoseconds in phases.values())
    assert sum(phases.values()) <= duration


@given(any_marks, st.integers(0, 10**9), st.integers(0, 10**12))
def test_phases_and_the_rest_add_up(marks, start, duration):
    """Phases and ``unaccounted`` add up to the duration, but for the rounding to microseconds."""
    found = timings(marks, start, start + duration)
    parts = [getattr(found, phase) for phase in PHASES]
    accounted = sum(part for part in parts if part is not None)
    assert accounted + found.unaccounted == pytest.approx(duration / MS, abs=0.005)


def test_total_sums_over_exchanges_and_invents_nothing():
    """The sum over exchanges has the phases that took place in any, and only those."""
    first, second = Timings(dns=1.5, wait=10.0), Timings(wait=0.123, receive=0.0)
    assert total([first, second]) == {"dns": 1.5, "wait": 10.123, "receive": 0.0}
    assert total([Timings(wait=0.1)] * 3) == {"wait": 0.3}
    assert total([]) == {}


@pytest.mark.parametrize(
    ("nanoseconds", "expected"), [(0, 0.0), (1_000, 0.001), (1_234_567, 1.235), (499, 0.0)]
)
def test_milliseconds_are_to_the_microsecond(nanoseconds, expected):
    """Milliseconds carry three decimals."""
    assert milliseconds(nanoseconds) == expected
