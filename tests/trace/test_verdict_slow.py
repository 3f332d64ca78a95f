"""Whose fault it was that a call went well, but slowly."""

from __future__ import annotations

import pytest
from made_traces import attempt, exchange, facts

from tracedclient.trace.model import DNS, PHASES, Connect, Holder, Pool, Resolver
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
    assert "slow, 2000 ms: 1900 ms" in verdict.sentence
    assert verdict.evidence == (f"{phase}_ms", "duration_ms")


def test_slow_for_sleeping_between_attempts_is_the_retrys():
    """When most of a slow call was sleep between tries, the retry is to blame."""
    verdict = judge(slow(2000.0, retry_sleep_ms=1500.0, wait=20.0))
    assert verdict.culprit == "retry"
    assert "1500 ms" in verdict.sentence


def test_slow_for_a_dead_address_names_it():
    """A slow connect that succeeded in the end names the addresses that did not answer."""
    alive = Connect(addr="10.0.0.10:443", ms=0.4)
    verdict = judge(slow(1100.0, attempt(exchange(connects=(V4, alive))), connect=1001.0))
    assert verdict.culprit == "connect"
    assert "10.0.0.9:443 (ETIMEDOUT: Connection timed out after 1000 ms)" in verdict.sentence
    assert "10.0.0.10" not in verdict.sentence


def test_slow_outside_of_the_wire_is_this_process():
    """When the wire explains less than half of a slow call, this process is to blame."""
    verdict = judge(slow(2000.0, wait=100.0, send=1.0))
    assert verdict.culprit == "client"
    assert "only 101 ms on the wire" in verdict.sentence
    assert "unaccounted_ms" in verdict.evidence


def test_slow_without_a_dominant_phase_says_so():
    """When no phase dominates, none is blamed, and the largest are listed."""
    verdict = judge(slow(1000.0, dns=300.0, tls=310.0, wait=320.0, send=1.0))
    assert verdict.culprit == "none"
    assert "no phase dominates (wait 320, tls 310, dns 300 ms)" in verdict.sentence


def test_half_is_enough_to_dominate():
    """A phase that took exactly half is the slow one, and the wire that took half is not let off."""
    assert judge(slow(1000.0, wait=500.0)).culprit == "server"
    assert judge(slow(1000.0, wait=250.0, dns=250.0)).culprit == "none"
    half = slow(1000.0, attempt(exchange(buffered_ms=500.0)), wait=1000.0)
    assert judge(half).culprit == "client"


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
    late = slow(1000.0, attempt(exchange(buffered_ms=900.0), exchange()), wait=990.0)
    verdict = judge(late)
    assert verdict.culprit == "client"
    assert "900 ms in this process's receive buffer" in verdict.sentence
    assert "CPU limit" not in verdict.sentence
    throttled = slow(1000.0, attempt(exchange(buffered_ms=900.0, throttled_ms=850.0)), wait=990.0)
    assert "CPU limit held it back for 850 ms" in judge(throttled).sentence


def test_answer_that_lay_in_our_buffer_for_a_moment_is_the_servers():
    """The server is to blame as long as it took most of the wait."""
    assert judge(slow(1000.0, attempt(exchange(buffered_ms=90.0)), wait=990.0)).culprit == "server"


def test_wait_for_the_pool_names_who_held_it():
    """A wait for a connection names the calls that held them, the oldest first, and for how long."""
    holders = tuple(Holder(trace_id=f"call-{n}", age_ms=5000.4, phase="wait") for n in range(9))
    waiting = attempt(exchange(pool=Pool(in_use=9, idle=0, limit=9, holders=holders)))
    sentence = judge(slow(2000.0, waiting, blocked=1900.0)).sentence
    assert "held by call-0 (5000 ms, wait), call-1" in sentence
    assert "call-3" not in sentence


def test_slow_lookup_says_what_the_resolver_was_told():
    """A slow lookup carries what the machine's resolver settings say about it."""
    explained = DNS(
        host="b.internal", resolver=Resolver(explanation="the first nameserver is silent")
    )
    sentence = judge(slow(2000.0, attempt(exchange(dns=explained)), dns=1900.0)).sentence
    assert sentence.endswith("looking up the name; the first nameserver is silent")
