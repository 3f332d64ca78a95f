"""A long call against what is usual for its origin."""

from __future__ import annotations

import msgspec
import pytest
from made_traces import attempt, exchange, facts

from tracedclient.trace.model import ErrorInfo, Usual
from tracedclient.trace.verdict import GOOD, UNUSUAL_MS, UNUSUAL_TIMES, judge


def compared(duration_ms, usual, **phases):
    return facts(
        attempt(exchange()), status=200, duration_ms=duration_ms, phases=phases, usual=usual
    )


QUICK = Usual(calls=31, duration_ms=78.0, wait_ms=75.0, dns_ms=2.0)


def test_slow_call_says_how_many_times_its_usual_it_took():
    """The sentence has the usual duration, how many times that the call took, and the phase's usual."""
    verdict = judge(compared(3120.0, QUICK, wait=3000.0))
    assert verdict.culprit == "server"
    assert verdict.sentence == (
        "slow, 3.1 s, 40 times its usual 78 ms: 3.0 s of it waiting for the server's answer "
        "(usually 75 ms)"
    )
    assert verdict.evidence == ("wait_ms", "duration_ms", "usual")


def test_call_that_is_slow_as_ever_says_so():
    """Above the fixed limit a call is slow although it always is; its usual stands beside it."""
    always = Usual(calls=31, duration_ms=600.0, wait_ms=590.0)
    assert judge(compared(610.0, always, wait=600.0)).sentence == (
        "slow, 610 ms (usually 600 ms): 600 ms of it waiting for the server's answer"
    )


def test_unusual_call_is_slow_below_the_fixed_limit():
    """Five times its usual, from 100 ms on, is slow; less of either is not."""
    assert (UNUSUAL_MS, UNUSUAL_TIMES) == (100.0, 5.0)
    usual = Usual(calls=8, duration_ms=20.0, wait_ms=19.0)
    assert judge(compared(100.0, usual, wait=99.0)).culprit == "server"
    assert judge(compared(99.9, usual, wait=99.0)) == GOOD
    assert (
        judge(compared(100.0, msgspec.structs.replace(usual, duration_ms=20.1), wait=99.0)) == GOOD
    )


def test_what_is_unusual_is_blamed_and_not_what_always_takes_long():
    """Of a call that took twice its usual, what counts of each phase is what is above its usual."""
    usual = Usual(calls=31, duration_ms=410.0, wait_ms=400.0, dns_ms=2.0)
    verdict = judge(compared(830.0, usual, wait=420.0, dns=400.0))
    assert verdict.culprit == "dns"
    assert "400 ms of it looking up the name (usually 2.0 ms)" in verdict.sentence
    assert judge(compared(830.0, None, wait=420.0, dns=400.0)).culprit == "server"


def test_usual_of_no_time_compares_with_nothing():
    """A usual of 0 ms, which a clock may give, is no divisor."""
    assert judge(compared(300.0, Usual(calls=8, duration_ms=0.0), wait=300.0)) == GOOD


@pytest.mark.parametrize(
    ("phase", "words"),
    [("wait", "here an answer usually takes 75 ms"), ("dns", "here a lookup usually takes 2.0 ms")],
)
def test_timeout_says_what_is_usual(phase, words):
    """A call that failed after long says how long that phase usually takes here."""
    error = ErrorInfo(type="ReadTimeout", phase=phase, message="timed out")
    late = facts(attempt(exchange()), error=error, duration_ms=5000.0, usual=QUICK)
    assert words in judge(late).sentence
    assert "usually" not in judge(late._replace(duration_ms=300.0, usual=None)).sentence


def test_deadline_says_what_is_usual():
    """A total timeout that passed says how long such a call usually takes."""
    error = ErrorInfo(type="DeadlineExceeded", phase="wait")
    late = facts(attempt(), error=error, duration_ms=5000.0, phases={"wait": 4900.0}, usual=QUICK)
    assert "passed after 5.0 s (usually 78 ms) and 1 attempt: 4.9 s of it" in judge(late).sentence
