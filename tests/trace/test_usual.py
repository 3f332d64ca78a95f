"""The line of a usual call, without its record: the bytes that its record would have."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedclient import httptrace
from tracedclient._usual import figures
from tracedclient.notes import BodyRead, Notes
from tracedclient.recorder import Recorder, _lines
from tracedclient.trace.decision import Decision
from tracedclient.trace.figures import Figures, Shape
from tracedclient.trace.model import TCP, Resolver
from tracedclient.trace.schema import to_json
from tracedclient.trace.usual import MAX_SHAPES, Lines

MAYBE_MS = st.one_of(st.none(), st.floats(0, 100, allow_nan=False))
COUNT = st.integers(0, 10**6)
STEP = st.integers(0, 10**5)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=5)

TCPS = st.one_of(
    st.none(),
    st.builds(
        TCP,
        rtt_ms=MAYBE_MS,
        min_rtt_ms=MAYBE_MS,
        retransmits=COUNT,
        segments_out=COUNT,
        bytes_acked=st.one_of(st.none(), COUNT),
    ),
)
CONNS = st.builds(
    httptrace.GotConnInfo,
    conn_id=COUNT,
    reused=st.booleans(),
    was_idle=st.booleans(),
    idle_time=MAYBE_MS,
    age=st.floats(0, 1e6),
    uses=COUNT,
    local=st.one_of(st.none(), st.just("[::1]:50412")),
    remote=st.sampled_from([None, "10.0.0.9:443", "[::1]:80", "odd"]),
)
POOLS = st.builds(
    httptrace.GetConnInfo, host_port=st.just("h:1"), in_use=COUNT, idle=COUNT, limit=COUNT
)
CALLS = st.fixed_dictionaries(
    {
        "url": st.one_of(
            st.just("http://h.test/orders/1"), TEXT.map(lambda text: f"https://h.test/{text}?q=%5B")
        ),
        "service": st.sampled_from(["", "orders", 'n"ai%sve']),
        "parent": st.sampled_from([None, "00f067aa0ba902b7"]),
        "span": st.sampled_from([None, "53995c3f42cd8ad8"]),
        "method": st.sampled_from(["GET", "P%sT", 'A"B']),
        "decision": st.sampled_from(
            [
                Decision(source="call"),
                Decision(source="file", rule="r%1", revision='"7"'),
            ]
        ),
    }
)
NOTED = st.fixed_dictionaries(
    {
        "status": st.sampled_from([200, 204, 301, 399]),
        "bytes_sent": COUNT,
        "bytes_read": COUNT,
        "reads": st.integers(1, 3),
        "longest_silence": st.floats(0, 0.1),
        "buffered": MAYBE_MS,
        "not_kept": st.sampled_from([None, "the pool is full"]),
        "tcp": TCPS,
    }
)
DNS_DONE = st.builds(
    httptrace.DNSDoneInfo,
    host=st.sampled_from(["h.test", 'h"%s']),
    addrs=st.lists(st.sampled_from(["10.0.0.9", "::1", "%d"]), max_size=2).map(tuple),
    error=st.sampled_from([None, OSError("odd")]),
    resolver=st.sampled_from([None, Resolver(ndots=2, explanation="5 %s")]),
)
CONNECT_DONE = st.builds(
    httptrace.ConnectDoneInfo,
    network=st.just("tcp"),
    addr=st.sampled_from(["10.0.0.9:443", "[::1]:80"]),
    error=st.sampled_from([None, OSError("odd")]),
)
TLS_STATE = st.builds(
    httptrace.TLSState,
    version=st.sampled_from([None, "TLSv1.2", "TLSv1.3"]),
    cipher=st.sampled_from([None, "TLS_AES_256_GCM_SHA384"]),
    alpn=st.sampled_from([None, "http/1.1"]),
    resumed=st.sampled_from([None, True, False]),
    verified=st.booleans(),
    subject=st.one_of(st.none(), TEXT),
    issuer=st.sampled_from([None, 'commonName=50% "ours"']),
    not_after=st.sampled_from([None, "2030-01-01T00:00:00Z"]),
    alt_names=st.lists(TEXT, max_size=2).map(tuple),
)
TLS_DONE = st.builds(
    httptrace.TLSHandshakeDoneInfo,
    server_name=st.sampled_from(["h.test", 'h"%s']),
    proxy=st.booleans(),
    state=st.one_of(st.none(), TLS_STATE),
    error=st.sampled_from([None, OSError("odd")]),
)
STEPS = st.one_of(DNS_DONE, CONNECT_DONE, TLS_DONE)
OPENED = st.one_of(
    st.just(()),
    st.tuples(CONNECT_DONE),
    st.tuples(DNS_DONE, CONNECT_DONE),
    st.tuples(CONNECT_DONE, TLS_DONE),
    st.tuples(DNS_DONE, CONNECT_DONE, TLS_DONE),
    st.lists(STEPS, max_size=5),
)
"""How a connection was opened; the last is often no way to do it."""


def tell_opening(recorder, steps):
    for done in steps:
        if isinstance(done, httptrace.DNSDoneInfo):
            recorder.dns_start(httptrace.DNSStartInfo(host=done.host))
            recorder.dns_done(done)
        elif isinstance(done, httptrace.ConnectDoneInfo):
            recorder.connect_start(httptrace.ConnectStartInfo(network="tcp", addr=done.addr))
            recorder.connect_done(done)
        elif isinstance(done, httptrace.StaleConnDiscardedInfo):
            recorder.stale_conn_discarded(done)
        else:
            name, proxy = done.server_name, done.proxy
            start = httptrace.TLSHandshakeStartInfo(server_name=name, proxy=proxy)
            recorder.tls_handshake_start(start)
            recorder.tls_handshake_done(done)


def recorded(call, pool, conn, noted, steps, body, is_put, opened=()):
    """A recorder that was told of a call: one attempt, one exchange, nothing remarkable."""
    recorder = Recorder(
        "4bf92f3577b34da6a3ce929d0e0e4736",
        method=call["method"],
        url=call["url"],
        service=call["service"],
        decision=call["decision"],
        parent_span_id=call["parent"],
    )
    recorder.attempt_start(httptrace.AttemptStartInfo(number=1))
    recorder.exchange_start(
        httptrace.ExchangeStartInfo(
            method=call["method"], url=call["url"], proxy=None, span_id=call["span"]
        )
    )
    recorder.get_conn(pool)
    tell_opening(recorder, opened)
    recorder.noted(notes(conn, noted, steps, body, is_put))
    recorder.attempt_done(
        httptrace.AttemptDoneInfo(
            number=1,
            status=noted["status"],
            error=None,
            retry=False,
            reason="answered",
            sleep=0.0,
        )
    )
    recorder.end(noted["status"], None)
    return recorder


def notes(conn, noted, steps, body, is_put):
    made = Notes(conn, time.perf_counter_ns())
    for name, fact in noted.items():
        setattr(made, name, fact)
    names = ("wrote_at", "first_byte_at", "head_at", "put_at", "body_done_at")
    at = made.got_conn_at
    for name, step in zip(names, steps, strict=True):
        at += step
        setattr(made, name, at)
    read_at = made.head_at
    for size in body:
        read_at = min(read_at + size, made.body_done_at)
        made.body_reads.append(BodyRead(size, size / 1e9, read_at))
    if not is_put:
        made.put_at, made.not_kept = 0, None
    while time.perf_counter_ns() < made.body_done_at:
        pass  # it is told at the end
    return made


@settings(max_examples=600, deadline=None)
@given(
    CALLS,
    POOLS,
    CONNS,
    NOTED,
    st.lists(STEP, min_size=5, max_size=5),
    st.lists(COUNT, max_size=2),
    st.booleans(),
    OPENED,
)
def test_line_is_that_of_the_record(call, pool, conn, noted, steps, body, is_put, opened):
    """Whatever was noted of a call, its line has the very bytes of its record's JSON."""
    # Twice: the second one's is filled into what the first one left.
    recorded(call, pool, conn, noted, steps, body, is_put, opened).usual_line()
    recorder = recorded(call, pool, conn, noted, steps, body, is_put, opened)
    line = recorder.usual_line()
    # A call that began in one second and ended in the next has no line of its own.
    assert line is None or line.encode() == to_json(recorder.result())


def usual(opened=(), local="10.0.0.1:50412", remote="10.0.0.9:80", **facts):
    conn = httptrace.GotConnInfo(
        conn_id=7,
        reused=True,
        was_idle=True,
        idle_time=0.5,
        age=9.0,
        uses=3,
        local=local,
        remote=remote,
    )
    pool = httptrace.GetConnInfo(host_port="h.test:80", in_use=0, idle=1, limit=64)
    call = {"url": "http://h.test/", "service": "usual", "parent": None, "span": None}
    call |= {"method": "GET", "decision": Decision(source="call")}
    noted = {"status": 200, "bytes_sent": 9, "bytes_read": 99, "reads": 1, "tcp": None}
    noted |= {"longest_silence": 0.0, "buffered": None, "not_kept": None}
    return recorded(call | facts, pool, conn, noted, [10, 10, 10, 10, 10], [], True, opened)


CONNECTED = httptrace.ConnectDoneInfo(network="tcp", addr="10.0.0.9:443", error=None)
LOOKED_UP = httptrace.DNSDoneInfo(host="h.test", addrs=("10.0.0.9",), error=None, resolver=None)
AGREED = httptrace.TLSHandshakeDoneInfo(
    server_name="h.test",
    proxy=False,
    state=httptrace.TLSState(
        version="TLSv1.3",
        cipher=None,
        alpn=None,
        resumed=False,
        verified=True,
        subject="commonName=h.test",
        issuer=None,
        not_after=None,
        alt_names=("h.test",),
    ),
    error=None,
)


@settings(max_examples=300, deadline=None)
@given(OPENED, OPENED)
def test_what_was_learnt_of_one_opening_is_not_said_of_another(learnt, opened):
    """Of two calls that differ only in how their connections were opened, each has its own line."""
    usual(learnt).usual_line()
    recorder = usual(opened)
    line = recorder.usual_line()
    assert line is None or line.encode() == to_json(recorder.result())


@pytest.fixture
def few_are_known():
    """What other tests have had recorded leaves room for what this one has to be learnt."""
    _lines.forget()


def seldom_none(recorders):
    # Of two in a row, one at least did not cross into the next second.
    return [line for line in (r.usual_line() for r in recorders) if line is not None]


@pytest.mark.usefixtures("few_are_known")
def test_a_usual_call_has_its_line_without_its_record():
    """For the second call of a kind, no record is made."""
    assert seldom_none([usual(), usual()])
    recorders = [usual(), usual()]
    assert seldom_none(recorders)
    assert None in [recorder._result for recorder in recorders]


@pytest.mark.parametrize("end", ["local", "remote"])
def test_address_is_not_said_as_it_is_where_json_would_escape_it(end):
    """A link-local address has the name of its interface, which may hold a quote: its line is JSON."""
    assert seldom_none([usual(), usual()])
    recorder = usual(**{end: '[fe80::1%e"0]:80'})
    line = recorder.usual_line()
    assert line is None or line.encode() == to_json(recorder.result())


@pytest.mark.parametrize(
    "opened",
    [
        (CONNECTED,),
        (LOOKED_UP, CONNECTED),
        (CONNECTED, AGREED),
        (LOOKED_UP, CONNECTED, AGREED),
    ],
    ids=["address", "name", "address with TLS", "name with TLS"],
)
@pytest.mark.usefixtures("few_are_known")
def test_a_call_that_opens_its_connection_has_its_line_without_its_record(opened):
    """Neither is one made for a connection that was opened at the first try."""
    assert seldom_none([usual(opened), usual(opened)])
    recorders = [usual(opened), usual(opened)]
    lines = seldom_none(recorders)
    assert lines
    assert all('"connects":[{"addr":"10.0.0.9:443",' in line for line in lines)
    assert None in [recorder._result for recorder in recorders]


def test_a_second_address_or_a_stale_connection_has_no_line():
    """What did not go well at the first try is summarised as ever."""
    stale = httptrace.StaleConnDiscardedInfo(
        conn_id=1, idle_time=0.1, uses=1, reason="closed by the server"
    )
    refused = CONNECTED, CONNECTED
    assert usual(refused).usual_line() is None
    assert usual((CONNECTED, LOOKED_UP)).usual_line() is None
    assert usual((stale, CONNECTED)).usual_line() is None


def test_record_can_be_had_afterwards():
    """A call whose line was written still has its record, and it says the same."""
    for recorder in (usual(), usual(), usual()):
        line = recorder.usual_line()
        if line is not None:
            assert line.encode() == to_json(recorder.result())
        assert recorder.result() is recorder.result()


def test_what_is_remarkable_has_no_line():
    """A redirect, a failure or a 4xx is summarised and judged as ever."""
    missing = usual()
    missing._status = 404
    redirected = usual()
    redirected.exchange_start(
        httptrace.ExchangeStartInfo(method="GET", url="http://h.test/", proxy=None)
    )
    assert missing.usual_line() is None
    assert redirected.usual_line() is None


def usual_and_its_figures():
    recorder = usual()
    url, clock = "http://h.test/", recorder._clock
    ended = (recorder.trace_id, None, url, url, 200, clock, recorder._ended, ())
    found = figures(ended, recorder._journal)
    # One that crossed into the next second has none.
    if found is None:
        return usual_and_its_figures()
    return recorder, Shape(*found[0]), Figures(*found[1])


def test_moments_have_six_digits_in_any_second():
    """What was learnt in one second fills the lines of the next, and those of the one before."""
    lines = Lines()
    recorder, shape, filled = usual_and_its_figures()
    lines.line(shape, filled, recorder.result)
    for second in ("2030-01-01T00:00:00", "2030-01-01T00:00:01", "2030-01-01T00:00:00"):
        times = {"call_start": 0, "started": 7, "wrote": 100_000, "done": 999_999}
        times = {name: 1_000_000 + time for name, time in times.items()}
        told = filled._replace(second=second, **times)
        trace = msgspec.json.decode(lines.line(shape, told, recorder.result))
        (exchange,) = trace["attempts"][0]["exchanges"]
        at = {event["event"]: event["at"] for event in exchange["events"]}
        assert trace["started_at"] == f"{second}.000000Z"
        assert at["exchange_start"] == f"{second}.000007Z"
        assert at["wrote_headers"] == at["wrote_request"] == f"{second}.100000Z"
        assert at["body_done"] == f"{second}.999999Z"


def test_many_kinds_of_calls_are_not_learnt_for_ever():
    """Of a client that calls ever other origins, no more than ``MAX_SHAPES`` kinds are kept, and for a
    minute none is forgotten for another one.
    """
    now = [0.0]
    lines = Lines(clock=lambda: now[0])
    recorder, shape, filled = usual_and_its_figures()

    def write(number):
        line = lines.line(shape._replace(constants=(number,)), filled, recorder.result)
        assert line.encode() == to_json(recorder.result())

    for number in range(MAX_SHAPES + 100):
        write(number)
    assert lines.shapes == 100
    for number in range(1000, 1000 + MAX_SHAPES):
        write(number)
    assert lines.shapes == MAX_SHAPES
    now[0] += 60.0
    write(2000)
    assert lines.shapes == 1
