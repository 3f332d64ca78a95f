"""Whose fault it was that a call went well, but slowly."""

from __future__ import annotations

import pytest
from made_traces import attempt, exchange, facts

from tracedclient.trace.model import (
    DNS,
    PHASES,
    TCP,
    Connect,
    Event,
    Holder,
    Pool,
    Proxy,
    Resolver,
)
from tracedclient.trace.verdict import SLOW_MS, judge


def slow(duration_ms=2000.0, *attempts, retry_sleep_ms=0.0, **phases):
    return facts(
        *attempts,
        status=200,
        duration_ms=duration_ms,
        phases=phases,
        retry_sleep_ms=retry_sleep_ms,
    )


V4 = Connect(addr="10.0.0.9:443", ms=1000.4, error="ETIMEDOUT: Connection timed out")

SLOW = {
    "blocked": ("pool", "pool"),
    "dns": ("dns", "looking up the name"),
    "connect": ("connect", "opening the connection"),
    "proxy": ("proxy", "CONNECT"),
    "tls": ("tls", "handshake"),
    "send": ("send", "sending"),
    "wait": ("server", "server's answer"),
    "receive": ("body", "body"),
}


def test_every_phase_can_be_the_slow_one():
    """The table below has every phase there is."""
    assert tuple(SLOW) == PHASES


@pytest.mark.parametrize(("phase", "expected"), SLOW.items(), ids=SLOW)
def test_slow_call_blames_the_phase_that_took_most(phase, expected):
    """A slow call blames the phase that took most of it, in milliseconds and as evidence."""
    verdict = judge(slow(2000.0, **{phase: 1900.0}))
    culprit, words = expected
    assert verdict.culprit == culprit
    assert words in verdict.sentence
    assert "slow, 2.0 s: 1.9 s of it" in verdict.sentence
    assert verdict.evidence == (f"{phase}_ms", "duration_ms")


def test_slow_for_sleeping_between_attempts_is_the_retrys():
    """When most of a slow call was sleep between tries, the retry is to blame."""
    verdict = judge(slow(2000.0, retry_sleep_ms=1500.0, wait=20.0))
    assert verdict.culprit == "retry"
    assert "1.5 s" in verdict.sentence


def test_sleep_that_the_server_asked_for_is_the_servers():
    """A ``Retry-After`` that was kept is the server's time, and not our policy's."""
    asked = attempt(exchange(), status=429, sleep_ms=1_050.0, retry_after_ms=1_000.0)
    verdict = judge(slow(2000.0, asked, attempt(number=2), retry_sleep_ms=1_950.0, wait=20.0))
    assert verdict.culprit == "server"
    assert "52% (1.1 s) sleeping between attempts, as the server's Retry-After asked and 45%" in (
        verdict.sentence
    )


def test_slow_for_a_dead_address_names_it():
    """A slow connect that succeeded in the end names the addresses that did not answer."""
    alive = Connect(addr="10.0.0.10:443", ms=0.4)
    verdict = judge(slow(1100.0, attempt(exchange(connects=(V4, alive))), connect=1001.0))
    assert verdict.culprit == "connect"
    assert verdict.sentence.endswith(
        "; 10.0.0.9:443 did not answer for 1.0 s, 10.0.0.10:443 did after 0.4 ms"
    )


def test_slow_outside_of_the_wire_is_this_process():
    """When the wire explains less than half of a slow call, this process is to blame."""
    verdict = judge(slow(2000.0, wait=100.0, send=1.0))
    assert verdict.culprit == "client"
    assert "1.9 s of it outside of the wire, in this process or in the reader" in verdict.sentence
    assert "unaccounted_ms" in verdict.evidence
    worked = judge(slow(2000.0, attempt(exchange(cpu_ms=1700.0, throttled_ms=90.0)), wait=100.0))
    assert worked.sentence.endswith(
        "; this thread computed for 1.7 s; its CPU limit held it back for 90 ms"
    )


def test_slow_without_a_dominant_phase_says_so():
    """When no cause has two fifths of the time, none is blamed, and the largest are listed."""
    verdict = judge(slow(1000.0, dns=300.0, tls=310.0, wait=320.0, send=1.0))
    assert verdict.culprit == "none"
    assert verdict.sentence == (
        "slow, 1.0 s, and no cause dominates: 32% (320 ms) waiting for the server's answer, "
        "31% (310 ms) in the TLS handshake and 30% (300 ms) looking up the name"
    )


def test_two_that_share_the_time_are_both_named():
    """The larger part has the culprit; what has a quarter or more is named beside it."""
    verdict = judge(slow(1000.0, wait=600.0, dns=250.0, tls=150.0))
    assert verdict.culprit == "server"
    assert verdict.sentence == (
        "slow, 1.0 s: 60% (600 ms) waiting for the server's answer and "
        "25% (250 ms) looking up the name"
    )
    assert verdict.evidence == ("wait_ms", "dns_ms", "duration_ms")
    assert "name" not in judge(slow(1000.0, wait=601.0, dns=249.0, tls=150.0)).sentence


def test_two_fifths_make_a_culprit():
    """A culprit needs two fifths of the time, in one cause or in several of its own."""
    assert judge(slow(1000.0, wait=400.0, dns=300.0, tls=300.0)).culprit == "server"
    assert judge(slow(1000.0, wait=399.0, dns=300.0, tls=301.0)).culprit == "none"
    mine = slow(1000.0, attempt(exchange(buffered_ms=300.0)), wait=650.0, dns=50.0)
    assert judge(mine).culprit == "client"


def test_two_equal_parts_are_told_to_be_equal():
    """Where chance decides which of two has the larger part, the sentence says so."""
    equal = judge(slow(1000.0, wait=500.0, dns=480.0)).sentence
    assert equal.startswith("slow, 1.0 s, of causes about equal: 50% (500 ms) waiting")
    assert "equal" not in judge(slow(1000.0, wait=500.0, dns=440.0)).sentence


def test_slow_begins_at_half_a_second():
    """A call of 500 ms is slow, one of less needs no explanation."""
    assert SLOW_MS == 500.0
    assert judge(slow(500.0, wait=500.0)).culprit == "server"


@pytest.mark.parametrize("status", [200, 204, 304, 399])
def test_good_and_fast_needs_no_explanation(status):
    """A call that went well within the limit has culprit ``none`` and no sentence."""
    good = facts(attempt(status=status), status=status, duration_ms=SLOW_MS - 0.001)
    assert judge(good) == ("none", None, ())


def test_answer_that_lay_in_our_own_buffer_is_not_the_servers():
    """Where the kernel had the answer long before it was read, this process was slow, not the server."""
    late = slow(1000.0, attempt(exchange(buffered_ms=900.0)), wait=990.0)
    verdict = judge(late)
    assert verdict.culprit == "client"
    assert "900 ms of it with the answer lying in this process's receive" in verdict.sentence
    assert "CPU limit" not in verdict.sentence
    throttled = slow(1000.0, attempt(exchange(buffered_ms=900.0, throttled_ms=850.0)), wait=990.0)
    assert "CPU limit held it back for 850 ms" in judge(throttled).sentence


def test_throttled_process_and_slow_server_share_the_time():
    """What lay in the buffer is the throttled process's, the rest of the wait the server's."""
    both = attempt(exchange(buffered_ms=400.0, throttled_ms=390.0))
    verdict = judge(slow(1000.0, both, wait=1000.0))
    assert verdict.culprit == "server"
    assert "60% (600 ms) waiting for the server's answer and 40% (400 ms) with" in verdict.sentence
    assert verdict.sentence.endswith("its CPU limit held it back for 390 ms")


def test_throttled_process_without_a_time_of_arrival_is_not_let_off():
    """Where the kernel gave no time of arrival, throttling may have been it, and that is said."""
    unknown = judge(slow(1000.0, attempt(exchange(throttled_ms=800.0)), wait=1000.0))
    assert unknown.culprit == "server"
    assert unknown.sentence.endswith(
        "; but its CPU limit held this process back for 800 ms meanwhile, and when the answer "
        "arrived is not known: it may have been either"
    )
    known = attempt(exchange(throttled_ms=800.0, buffered_ms=0.1))
    assert "either" not in judge(slow(1000.0, known, wait=1000.0)).sentence


def test_losses_that_can_explain_a_wait_are_told():
    """Segments sent again are named when they can have cost a quarter of the wait."""
    lossy = attempt(exchange(tcp=TCP(retransmits=2)))
    sentence = judge(slow(2400.0, lossy, wait=2400.0)).sentence
    assert sentence.endswith("the network may have a part in it: 2 segments sent again")
    assert "network" not in judge(slow(2500.0, lossy, wait=2500.0)).sentence


def test_head_that_dripped_in_is_not_the_bodys():
    """The time from the first byte to the end of the head is the server's, as the events tell."""
    events = (
        Event(event="got_first_response_byte", at="2026-12-31T23:59:59.500000Z"),
        Event(event="response_head", at="2027-01-01T00:00:01.000000Z"),
    )
    dripping = attempt(exchange(status=200, events=events, ms={"receive": 1900.0}))
    verdict = judge(slow(1900.0, dripping, receive=1900.0))
    assert verdict.culprit == "server"
    assert "1.5 s of it receiving the answer's head" in verdict.sentence


def test_answer_through_a_forwarding_proxy_may_be_the_proxys():
    """A proxy for plain http stands before the server: which of them was slow is not known."""
    through = attempt(exchange(proxy=Proxy(url="http://proxy.test:3128")))
    assert "of the proxy, or of the server behind it" in (
        judge(slow(1000.0, through, wait=990.0)).sentence
    )
    tunnel = attempt(exchange(proxy=Proxy(url="http://proxy.test:3128", target="api.test:443")))
    assert "of the server behind" not in judge(slow(1000.0, tunnel, wait=990.0)).sentence


def test_failure_that_a_retry_hid_is_told_without_a_culprit():
    """A call that went well in the end, and fast, has no culprit; what failed is told."""
    first = attempt(number=1, status=503, duration_ms=20.0)
    verdict = judge(facts(first, attempt(number=2, status=200), status=200))
    assert verdict == (
        "none",
        "went well on attempt 2; attempt 1 (of 20 ms) was answered 503",
        ("attempts",),
    )


def test_attempts_that_ended_alike_are_told_once():
    """Attempts before the last that had one fate share a clause, with the longest of their times."""
    tries = (
        attempt(number=1, status=503, duration_ms=20.0),
        attempt(number=2, status=503, duration_ms=30.0),
        attempt(number=3, reason="stale connection", duration_ms=1.0),
        attempt(number=4, duration_ms=1.0),
        attempt(number=5, status=200),
    )
    assert judge(facts(*tries, status=200)).sentence == (
        "went well on attempt 5; attempts 1 and 2 (at most 30 ms) were answered 503, attempt 3 "
        "(of 1.0 ms) met a kept-alive connection that the server had closed, attempt 4 "
        "(of 1.0 ms) ended without an answer"
    )


def test_answer_that_lay_in_our_buffer_for_a_moment_is_the_servers():
    """The server is to blame as long as it took most of the wait."""
    assert judge(slow(1000.0, attempt(exchange(buffered_ms=90.0)), wait=990.0)).culprit == "server"


def test_wait_for_the_pool_names_who_held_it():
    """A wait for a connection names the calls that held them, the oldest first, and for how long."""
    holders = tuple(Holder(trace_id=f"call-{n}", age_ms=5000.4, phase="wait") for n in range(9))
    waiting = attempt(exchange(pool=Pool(in_use=9, idle=0, limit=9, holders=holders)))
    sentence = judge(slow(2000.0, waiting, blocked=1900.0)).sentence
    assert "9 of 9 in use, held by call-0 (5.0 s, wait), call-1" in sentence
    assert "call-3" not in sentence


def test_slow_lookup_says_what_the_resolver_was_told():
    """A slow lookup carries what the machine's resolver settings say about it."""
    explained = DNS(
        host="b.internal", resolver=Resolver(explanation="the first nameserver is silent")
    )
    sentence = judge(slow(2000.0, attempt(exchange(dns=explained)), dns=1900.0)).sentence
    assert sentence.endswith("looking up the name; the first nameserver is silent")
