"""Made-up traces are traces."""

from __future__ import annotations

import pytest

from tracedclient.testing import make_trace_result
from tracedclient.trace.model import PHASES, Attempt, ErrorInfo, Exchange
from tracedclient.trace.schema import from_json, to_json

AT = "2026-11-20T22:27:58.009138Z"


def test_it_is_a_whole_trace():
    """Two attempts on one connection, the summary agreeing with them to the microsecond."""
    made = make_trace_result()

    assert (made.outcome, made.http_response_status_code, made.retry_count) == ("ok", 200, 1)
    assert [attempt.status for attempt in made.attempts] == [503, 200]
    spent = sum(getattr(made, f"{phase}_ms") or 0.0 for phase in PHASES)
    assert spent + made.unaccounted_ms + made.retry_sleep_ms == pytest.approx(made.duration_ms)
    assert all(a.duration_ms >= sum(e.duration_ms for e in a.exchanges) for a in made.attempts)
    assert from_json(to_json(made)) == made


def test_each_exchange_adds_up():
    """Like those of real exchanges, its phases and what is in none of them are its duration."""
    for attempt in make_trace_result().attempts:
        for exchange in attempt.exchanges:
            phases = [getattr(exchange.ms, phase) or 0.0 for phase in (*PHASES, "unaccounted")]
            assert sum(phases) == pytest.approx(exchange.duration_ms)


def test_overrides_are_taken():
    """Any field may be given, and the others stay."""
    made = make_trace_result(trace_id="4bf92f35", outcome="timeout", verdict_culprit="server")

    assert (made.trace_id, made.outcome, made.verdict_culprit) == ("4bf92f35", "timeout", "server")
    assert made.attempts == make_trace_result().attempts


def test_the_outcome_follows_the_status():
    """A made-up 500 is no success."""
    made = make_trace_result(http_response_status_code=500)
    assert (made.outcome, made.verdict_culprit) == ("http_error", "server")


def test_the_summary_follows_the_attempts():
    """Attempts that are given are counted and judged; lists will do for tuples."""
    refused = ErrorInfo(type="ConnectionError", phase="connect", message="refused")
    exchange = Exchange(
        method="GET", url="http://db.test/", started_at=AT, duration_ms=2.0, error=refused
    )
    attempt = Attempt(
        number=1, started_at=AT, duration_ms=3.0, error=refused, exchanges=(exchange,)
    )

    made = make_trace_result(attempts=[attempt])

    assert made.attempts == (attempt,)
    assert (made.attempt_count, made.retry_count, made.duration_ms) == (1, 0, 3.0)
    assert (made.outcome, made.verdict_culprit) == ("connect_error", "connect")
    assert made.error_type == "ConnectionError"


def test_a_call_without_attempts():
    """A call that never went out has no attempt, and can be made up too."""
    made = make_trace_result(attempts=(), outcome="invalid_request")
    assert (made.attempt_count, made.wait_ms, made.outcome) == (0, None, "invalid_request")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"status": 200}, "no field status"),
        ({"outcome": 3}, r"Expected `str`, got `int` - at `\$.outcome`"),
        ({"attempts": 3}, "Expected `array`"),
        ({"http_response_status_code": "200"}, "Expected `int"),
    ],
)
def test_what_no_trace_can_have_is_refused(overrides, message):
    """A test that makes up a trace which cannot exist tests nothing."""
    with pytest.raises(TypeError, match=message):
        make_trace_result(**overrides)
