from unicodedata import east_asian_width

from hypothesis import given, settings
from hypothesis import strategies as st

from tracedclient.cli.page import Page
from tracedclient.cli.series import table
from tracedclient.cli.terminal import Style
from tracedclient.cli.waterfall import escaped, render
from tracedclient.trace.model import (
    DNS,
    PHASES,
    SCHEMA,
    TCP,
    TLS,
    Attempt,
    Connect,
    Connection,
    ErrorInfo,
    Event,
    Exchange,
    Holder,
    Pool,
    Proxy,
    Resolver,
    Timings,
    TraceResult,
)

# A trace has a hundred fields, so that it takes its time to make one up.
fewer = settings(max_examples=50)

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
lookups = st.builds(
    DNS,
    host=texts,
    addrs=several(texts),
    error=maybe_text,
    resolver=st.none() | st.builds(Resolver, explanation=maybe_text),
)
pools = st.builds(
    Pool,
    in_use=counts,
    idle=counts,
    limit=counts,
    holders=several(st.builds(Holder, trace_id=texts, age_ms=ms, phase=texts)),
)
tcp = st.builds(
    TCP,
    rtt_ms=maybe_ms,
    min_rtt_ms=maybe_ms,
    retransmits=st.none() | counts,
    segments_out=st.none() | counts,
    delivery=st.sampled_from([None, "none_left", "acknowledged", "another word"]),
)
hooks = st.sampled_from(["dns_done", "connect_done", "got_conn", "got_first_response_byte"])
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
    dns=st.none() | lookups,
    pool=st.none() | pools,
    tcp=st.none() | tcp,
    reads=st.none() | counts,
    writes=st.none() | counts,
    bytes_sent=st.none() | counts,
    longest_silence_ms=maybe_ms,
    buffered_ms=maybe_ms,
    cpu_ms=maybe_ms,
    throttled_ms=maybe_ms,
    events=several(st.builds(Event, event=hooks, at=times)),
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
    **{f"{phase}_ms": maybe_ms for phase in PHASES},
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


@fewer
@given(traces, st.integers(min_value=0, max_value=200), st.booleans(), st.booleans())
def test_no_line_is_longer_than_the_terminal_is_wide(result, width, unicode, boxes):
    """Whatever the trace holds, no line runs over the edge (of a terminal of 40 or more)."""
    style = Style(colour=False, unicode=unicode)
    text = render(result, width=width, style=style, boxes=boxes)
    assert max(map(columns, text.split("\n"))) <= max(width, 40)


@fewer
@given(traces, st.booleans())
def test_nothing_in_a_trace_can_steer_the_terminal(result, boxes):
    """Nothing but newlines and printable characters comes out, whatever came in."""
    text = render(result, width=80, style=Style(colour=False, unicode=True), boxes=boxes)
    assert text.replace("\n", "").isprintable()


@fewer
@given(traces, st.booleans())
def test_an_ascii_terminal_gets_ascii(result, boxes):
    """Any trace can be written to a stream that takes nothing but ASCII."""
    style = Style(colour=False, unicode=False)
    assert render(result, width=80, style=style, boxes=boxes).isascii()


@fewer
@given(traces, st.integers(min_value=40, max_value=200))
def test_the_table_of_several_requests_fits_too(result, width):
    """Whatever the traces hold, no line of their table runs over the edge or steers the terminal."""
    style = Style(colour=False, unicode=False)
    lines = list(table([escaped(result, style)] * 2, Page(width, style)))
    assert max(map(columns, lines)) <= width
    assert all(line.isascii() and line.isprintable() for line in lines)
