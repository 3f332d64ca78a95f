"""Which header names the trace of a request: their order, B3, and what is not believed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient import HTTPClient
from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware, current_context, current_trace_id
from tracedclient.inbound.accept import Acceptance

TRACE = "463ac35c9f6413ad48485a3953bb6124"
SPAN = "a2fb4a1d1a96d312"
PARENT = "0020000000000001"
MADE = re.compile("[0-9a-f]{32}")


def bound(serve, headers, **options):
    """What is bound while a request with ``headers`` is served."""
    seen = []
    serve(lambda: seen.append(current_context()), headers, **options)
    (context,) = seen
    return context


# --- the order ----------------------------------------------------------------------------------

ALL = {
    "traceparent": f"00-{'1' * 32}-{SPAN}-01",
    "b3": f"{'2' * 32}-{SPAN}",
    "X-B3-TraceId": "3" * 32,
    "X-B3-SpanId": SPAN,
    "X-Trace-Id": "four",
    "X-Request-Id": "five",
}


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ([], "1" * 32),
        (["traceparent"], "2" * 32),
        (["traceparent", "b3"], "3" * 32),
        (["traceparent", "b3", "X-B3-SpanId"], "four"),
        (["traceparent", "b3", "X-B3-SpanId", "X-Trace-Id"], "five"),
    ],
)
def test_first_good_header_counts(serve, without, expected):
    """Of several headers that contradict each other the first of the order counts, as a whole."""
    headers = [(name, value) for name, value in ALL.items() if name not in without]
    assert bound(serve, headers).trace_id == expected


def test_order_can_be_chosen(serve):
    """``accept`` names the headers and their order, also ones of the company's own."""
    headers = [*ALL.items(), ("X-Correlation-Id", "six")]
    accept = ("x-correlation-id", "X-Request-Id", "traceparent")
    assert bound(serve, headers, accept=accept).trace_id == "six"
    assert bound(serve, headers[:-1], accept=accept).trace_id == "five"
    assert MADE.fullmatch(bound(serve, [("b3", ALL["b3"])], accept=accept).trace_id)


def test_nothing_need_be_believed(serve):
    """With ``accept=()`` every request gets a new id: for a service that anyone can reach."""
    context = bound(serve, ALL.items(), accept=())
    assert MADE.fullmatch(context.trace_id)
    assert context.trace_id not in {"1" * 32, "2" * 32, "3" * 32}
    assert (context.span_id, context.sampled, context.tracestate) == (None, None, "")


def test_next_header_counts_when_one_is_bad(serve):
    """A header that is not good does not stand in the way of the next."""
    headers = {**ALL, "traceparent": "00-short-01", "b3": "nonsense"}
    assert bound(serve, headers.items()).trace_id == "3" * 32


@pytest.mark.parametrize("middleware", [WSGIMiddleware, ASGIMiddleware])
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"accept": "traceparent"}, TypeError, "accept must be a sequence"),
        ({"accept": {"traceparent"}}, TypeError, "accept must be a sequence"),
        ({"accept": (5,)}, TypeError, "accept must hold names"),
        ({"accept": ("X Trace",)}, ValueError, "'X Trace' is none"),
        ({"accept": ("tracestate",)}, ValueError, "tracestate holds no trace id"),
        ({"accept": ("Baggage",)}, ValueError, "Baggage holds no trace id"),
        ({"response_header": "a: b"}, ValueError, "response_header must be"),
        ({"response_header": "a\n"}, ValueError, "response_header must be"),
        ({"app": None}, TypeError, "app must be"),
    ],
)
def test_bad_argument_is_named(middleware, options, error, words):
    """A middleware that cannot work is refused when it is made."""
    settings = {"app": lambda *_: None, **options}
    with pytest.raises(error, match=words):
        middleware(settings.pop("app"), **settings)


# --- B3 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "trace", "sampled", "debug"),
    [
        (f"{TRACE}-{SPAN}-1-{PARENT}", TRACE, True, False),
        (f"{TRACE}-{SPAN}-0", TRACE, False, False),
        (f"{TRACE}-{SPAN}-d", TRACE, True, True),
        (f"{TRACE}-{SPAN}", TRACE, None, False),
        (f"{TRACE[16:]}-{SPAN}-1", f"{'0' * 16}{TRACE[16:]}", True, False),
        (f" {TRACE}-{SPAN}\t", TRACE, None, False),
    ],
)
def test_b3_single(serve, value, trace, sampled, debug):
    """The single header's ids and decision are taken; a short id is the end of a long one."""
    context = bound(serve, [("b3", value)])
    assert (context.trace_id, context.span_id) == (trace, SPAN)
    assert (context.sampled, context.debug) == (sampled, debug)


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "1",
        "d",
        "",
        TRACE,
        f"{TRACE}-",
        f"{'0' * 32}-{SPAN}-1",
        f"{'0' * 16}-{SPAN}-1",
        f"{TRACE}-{'0' * 16}-1",
        f"{TRACE[1:]}-{SPAN}",
        f"{TRACE}0-{SPAN}",
        f"{TRACE}-{SPAN}-2",
        f"{TRACE}-{SPAN}-1-{PARENT[1:]}",
        f"{TRACE}-{SPAN}-1-{PARENT}-1",
        f"{TRACE.upper()}-{SPAN}",
        f"{TRACE}-{SPAN}\n",
    ],
)
def test_b3_single_that_names_no_trace(serve, value):
    """A decision alone, and what is not well-formed, name no trace: it begins here."""
    context = bound(serve, [("b3", value)])
    assert context.trace_id != TRACE
    assert context.span_id is None


@pytest.mark.parametrize(
    ("fields", "sampled", "debug"),
    [
        ({}, None, False),
        ({"X-B3-Sampled": "1"}, True, False),
        ({"X-B3-Sampled": "0", "X-B3-ParentSpanId": PARENT}, False, False),
        ({"x-b3-sampled": "True"}, True, False),
        ({"X-B3-Flags": "1"}, True, True),
        ({"X-B3-Flags": "1", "X-B3-Sampled": "0"}, True, True),
        ({"X-B3-Sampled": "maybe"}, None, False),
    ],
)
def test_b3_in_several_headers(serve, fields, sampled, debug):
    """The headers of their own say the same; who wrote ``true`` before the specification too."""
    context = bound(serve, [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), *fields.items()])
    assert (context.trace_id, context.span_id) == (TRACE, SPAN)
    assert (context.sampled, context.debug) == (sampled, debug)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-B3-TraceId": TRACE},
        {"X-B3-SpanId": SPAN},
        {"X-B3-Sampled": "0"},
        {"X-B3-TraceId": TRACE, "X-B3-SpanId": "0" * 16},
        {"X-B3-TraceId": "0" * 32, "X-B3-SpanId": SPAN},
        {"X-B3-TraceId": f"{TRACE} ", "X-B3-SpanId": "nonsense"},
    ],
)
def test_half_of_b3_is_none(serve, headers):
    """Both ids are needed, and both must be good."""
    assert bound(serve, headers.items()).trace_id not in {TRACE, "0" * 32}


# --- what is not believed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x" * 129,
        "a\nlevel=error",
        "a\r\nSet-Cookie: a=b",
        "a\x00b",
        "a b",
        "a,b",
        '{"a":1}',
        "\x1b[31mred",
        "caf\xe9",
        "<script>",
        "${jndi:ldap://x}",
        "'; drop table logs --",
    ],
)
@pytest.mark.parametrize("name", ["X-Trace-Id", "X-Request-Id"])
def test_id_that_could_forge_something_is_replaced(serve, name, value):
    """A line end, a quote, an escape sequence: such an id gets nowhere, a new one is made."""
    answer = serve(current_trace_id, [(name, value)])
    assert answer.status == 200
    (given_back,) = answer.header("X-Trace-Id")
    assert MADE.fullmatch(given_back)
    assert answer.body.decode() == given_back


@pytest.mark.parametrize("values", [("a", "b"), ("a", "a")])
def test_repeated_header_is_not_believed(serve, values):
    """Nobody knows which of two was added on the way."""
    assert MADE.fullmatch(bound(serve, [("X-Trace-Id", value) for value in values]).trace_id)


def test_header_bombs_are_harmless(serve):
    """Values of a megabyte, ten thousand fields of a name: a new id, and nothing of them is kept."""
    bombs = [
        ("traceparent", f"cc-{TRACE}-{SPAN}-01-{'x' * 1_000_000}"),
        ("b3", "0" * 1_000_000),
        ("X-Trace-Id", "x" * 1_000_000),
        *[("X-Request-Id", "x") for _ in range(10_000)],
    ]
    assert MADE.fullmatch(bound(serve, bombs).trace_id)
    states = [("tracestate", f"k{n}={'v' * 200}") for n in range(10_000)]
    context = bound(serve, [("traceparent", f"00-{TRACE}-{SPAN}-01"), *states])
    assert (context.trace_id, context.tracestate) == (TRACE, "")


def test_baggage_comes_along(serve):
    """``baggage`` is kept with the trace, with the one that is made where none came, too."""
    sent = [("Baggage", "a=1"), ("traceparent", f"00-{TRACE}-{SPAN}-01"), ("baggage", "b=2;p")]
    context = bound(serve, sent)
    assert (context.trace_id, context.baggage) == (TRACE, "a=1,b=2;p")
    context = bound(serve, sent[:1])
    assert MADE.fullmatch(context.trace_id)
    assert context.baggage == "a=1"


def test_where_nothing_is_believed_no_baggage_is(serve):
    """A service that the Internet can reach, with ``accept=()``, takes nobody's baggage."""
    assert bound(serve, [("baggage", "a=1")], accept=()).baggage == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(Acceptance().names)),
            st.text(st.sampled_from("0123456789abcdefABCDEF-,= \t\n\0\u2028xyz"), max_size=60)
            | st.text(max_size=20)
            | st.builds("{}-{}".format, st.just(TRACE), st.just(SPAN)),
        ),
        max_size=8,
    )
)
def test_whatever_comes_a_safe_id_is_bound(headers):
    """No headers make it raise, and what it takes from them can forge neither line nor header."""
    context = Acceptance().read(headers)
    assert re.fullmatch(r"[A-Za-z0-9._:/+=@-]{1,128}", context.trace_id)
    assert context.span_id is None or re.fullmatch("[0-9a-f]{16}", context.span_id)
    assert (
        context.tracestate.isascii() and context.tracestate.isprintable()
    ) or not context.tracestate
    assert re.fullmatch(r"[\t\x20-\x7e]{0,8192}", context.baggage)


# --- and back, and on ---------------------------------------------------------------------------


def test_id_is_given_back(serve):
    """The response says the id, whether it was brought or made."""
    assert serve(current_trace_id, [("X-Trace-Id", "order-5")]).header("X-Trace-Id") == ["order-5"]
    answer = serve(current_trace_id)
    assert answer.header("X-Trace-Id") == [answer.body.decode()]


def test_response_header_can_be_chosen(serve):
    """Under another name, or not at all."""
    headers = [("X-Trace-Id", "order-5")]
    assert serve(current_trace_id, headers, response_header="X-Id").header("X-Id") == ["order-5"]
    assert serve(current_trace_id, headers, response_header=None).headers in (
        [],
        [("content-type", "text/plain")],
    )


def test_nothing_is_bound_after_the_request(serve):
    """What is done next in the same thread belongs to no request."""
    serve(current_trace_id, [("X-Trace-Id", "order-5")])
    assert current_trace_id() is None


def test_do_takes_the_id_unasked(serve, echo_server):
    """A call made while serving carries the request's id; an id given to ``do`` wins."""
    with HTTPClient() as client:

        def work():
            client.get(echo_server.url)
            client.get(echo_server.url, trace_id="another")

        serve(work, [("X-Request-Id", "order-5")])
    sent = [request.headers.get("X-Trace-Id") for request in echo_server.requests]
    assert sent == ["order-5", "another"]
