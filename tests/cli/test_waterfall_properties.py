from unicodedata import east_asian_width

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracedclient.cli.terminal import Style
from tracedclient.cli.waterfall import render
from tracedclient.trace.model import (
    DNS,
    PHASES,
    SCHEMA,
    TLS,
    Attempt,
    Connect,
    Connection,
    ErrorInfo,
    Exchange,
    Proxy,
    Timings,
    TraceResult,
)

# A trace has a hundred fields, so that a busy machine needs its time to make one up.
unhurried = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ms = st.floats(min_value=0, max_value=1e7)
maybe_ms = st.none() | ms
texts = st.text(max_size=20)
maybe_text = st.none() | texts
counts = st.integers(min_value=0, max_value=10**12)
times = st.integers(0, 10**9).map(
    lambda us: f"2026-01-01T00:{us // 60_000_000 % 60:02d}:{us / 1e6 % 60:09.6f}Z"
)


def several(strategy):
    return st.lists(strategy, max_size=2).map(tuple)


errors = st.builds(ErrorInfo, type=texts, phase=texts, message=maybe_text)
connections = st.builds(
    Connection,
    id=counts,
    reused=st.booleans(),
    age_ms=ms,
    uses=counts,
    idle_ms=maybe_ms,
    remote=maybe_text,
    not_returned=maybe_text,
    stale_discarded=st.none() | counts,
)
handshakes = st.builds(
    TLS, server_name=texts, version=maybe_text, not_after=maybe_text, error=maybe_text
)
exchanges = st.builds(
    Exchange,
    method=texts,
    url=texts,
    started_at=times,
    duration_ms=ms,
    status=st.none() | st.integers(100, 599),
    error=st.none() | errors,
    ms=st.builds(Timings, **dict.fromkeys(PHASES, maybe_ms), unaccounted=ms),
    connection=st.none() | connections,
    dns=st.none() | st.builds(DNS, host=texts, addrs=several(texts), error=maybe_text),
    connects=several(st.builds(Connect, addr=texts, ms=ms, error=maybe_text)),
    proxy=st.none() | st.builds(Proxy, url=texts, target=maybe_text, error=maybe_text),
    tls=several(handshakes),
    bytes_received=st.none() | counts,
)
attempts = st.builds(
    Attempt,
    number=st.integers(1, 99),
    started_at=times,
    duration_ms=ms,
    status=st.none() | st.integers(100, 599),
    error=st.none() | errors,
    retry=st.booleans(),
    reason=maybe_text,
    sleep_ms=maybe_ms,
    exchanges=several(exchanges),
)
traces = st.builds(
    TraceResult,
    schema=st.just(SCHEMA),
    trace_id=texts,
    outcome=texts,
    verdict_culprit=texts,
    verdict_sentence=maybe_text,
    http_request_method=maybe_text,
    url_full=maybe_text,
    http_response_status_code=st.none() | st.integers(100, 599),
    error_type=maybe_text,
    error_message=maybe_text,
    started_at=times,
    duration_ms=ms,
    attempt_count=counts,
    retry_count=counts,
    redirect_count=counts,
    unaccounted_ms=ms,
    service_name=maybe_text,
    truncated=st.booleans(),
    attempts=several(attempts),
)


def columns(line):
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in line)


@unhurried
@given(traces, st.integers(min_value=0, max_value=200), st.booleans())
def test_no_line_is_longer_than_the_terminal_is_wide(result, width, unicode):
    """Whatever the trace holds, no line runs over the edge (of a terminal of 40 or more)."""
    text = render(result, width=width, style=Style(colour=False, unicode=unicode))
    assert max(map(columns, text.split("\n"))) <= max(width, 40)


@unhurried
@given(traces)
def test_nothing_in_a_trace_can_steer_the_terminal(result):
    """Nothing but newlines and printable characters comes out, whatever came in."""
    text = render(result, width=80, style=Style(colour=False, unicode=True))
    assert text.replace("\n", "").isprintable()


@unhurried
@given(traces)
def test_an_ascii_terminal_gets_ascii(result):
    """Any trace can be written to a stream that takes nothing but ASCII."""
    assert render(result, width=80, style=Style(colour=False, unicode=False)).isascii()
