"""Trace ids going out: in which headers, to whom, and as which span."""

from __future__ import annotations

import json
import pickle
import re

import pytest
import requests
import servers
import tenacity

from tracedclient import HTTPClient, Propagation, RedirectPolicy, RetryPolicy
from tracedclient.inbound import received_trace, trace_context
from tracedclient.instruments import Watch
from tracedclient.trace.context import TraceContext
from tracedclient.trace.schema import from_json, to_json

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
INBOUND = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
TRACEPARENT = re.compile(f"00-{TRACE}-([0-9a-f]{{16}})-01")
OURS = ("traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-trace-id", "baggage")


def ours(request):
    """What of a request belongs to a trace."""
    found = {name: request.headers.get(name) for name in OURS}
    return {name: value for name, value in found.items() if value is not None}


def span(request):
    return TRACEPARENT.fullmatch(request.headers.get("traceparent"))[1]


# --- formats ------------------------------------------------------------------------------------


def test_by_default_traceparent_and_x_trace_id(client, echo_server):
    """The trace goes on in both, with the tracestate that came with it."""
    with received_trace(INBOUND):
        client.get(echo_server.url)
    sent = ours(echo_server.requests[0])
    assert sent.pop("traceparent")
    assert sent == {"tracestate": "vendor=1", "x-trace-id": TRACE}


@pytest.mark.parametrize(
    ("formats", "pattern"),
    [
        (("b3",), {"b3": f"{TRACE}-[0-9a-f]{{16}}-1-{SPAN}"}),
        (("B3multi",), {"x-b3-traceid": TRACE, "x-b3-spanid": "[0-9a-f]{16}"}),
        (("X-Trace-ID",), {"x-trace-id": TRACE}),
        ((), {}),
        (
            ("b3", "TRACEPARENT"),
            {
                "b3": f"{TRACE}-[0-9a-f]{{16}}-1-{SPAN}",
                "traceparent": TRACEPARENT.pattern,
                "tracestate": "vendor=1",
            },
        ),
    ],
)
def test_formats_can_be_chosen(make_client, echo_server, formats, pattern):
    """Exactly the headers that were asked for go out."""
    client = make_client(propagation=Propagation(formats=formats))
    with received_trace(INBOUND):
        client.get(echo_server.url)
    sent = ours(echo_server.requests[0])
    assert sent.keys() == pattern.keys()
    assert all(re.fullmatch(pattern[name], value) for name, value in sent.items())


def test_all_of_a_trace_is_one_span(make_client, echo_server):
    """The formats of one request name the same span, and B3 its parent and decision."""
    client = make_client(propagation=Propagation(formats=("traceparent", "b3", "b3multi")))
    with received_trace(INBOUND):
        client.get(echo_server.url)
    headers = echo_server.requests[0].headers
    mine = span(echo_server.requests[0])
    assert headers.get("b3") == f"{TRACE}-{mine}-1-{SPAN}"
    assert headers.get("X-B3-SpanId") == mine
    assert headers.get("X-B3-ParentSpanId") == SPAN
    assert headers.get("X-B3-Sampled") == "1"


@pytest.mark.parametrize(
    ("inbound", "debug", "b3", "flags"),
    [
        (f"{TRACE}-{SPAN}", False, "", "00"),
        (f"{TRACE}-{SPAN}", True, f"-1-{SPAN}", "01"),
        (f"{TRACE}-{SPAN}-0", False, f"-0-{SPAN}", "00"),
        (f"{TRACE}-{SPAN}-1", False, f"-1-{SPAN}", "01"),
        (f"{TRACE}-{SPAN}-d", False, f"-d-{SPAN}", "01"),
    ],
)
def test_decision_of_the_caller_is_passed_on(make_client, echo_server, inbound, debug, b3, flags):
    """What the caller decided goes on; where nobody has decided, B3 leaves it to the receiver."""
    client = make_client(propagation=Propagation(formats=("b3", "traceparent")), debug=debug)
    with received_trace({"b3": inbound}):
        client.get(echo_server.url)
    headers = echo_server.requests[0].headers
    assert re.fullmatch(f"{TRACE}-[0-9a-f]{{16}}{b3}", headers.get("b3"))
    assert headers.get("traceparent").endswith(f"-{flags}")


@pytest.mark.parametrize(
    ("trace_id", "names"),
    [
        ("order-5", {"x-trace-id"}),
        ("463ac35c9f6413ad", {"b3", "x-trace-id"}),
        ("0" * 32, {"x-trace-id"}),
        (TRACE.upper(), {"x-trace-id"}),
    ],
)
def test_id_that_a_format_cannot_say_is_not_said_in_it(make_client, echo_server, trace_id, names):
    """No format gets an id that its readers would refuse."""
    client = make_client(propagation=Propagation(formats=("traceparent", "b3", "X-Trace-Id")))
    client.get(echo_server.url, trace_id=trace_id)
    assert ours(echo_server.requests[0]).keys() == names


def test_header_of_another_tracer_stays(client, collected, echo_server):
    """A ``traceparent`` that came with the request is sent as it is, on every attempt."""
    given = f"00-{'a' * 32}-{'b' * 16}-01"
    client.get(f"{echo_server.url}/status/503", headers={"Traceparent": given}, trace_id=TRACE)
    assert [r.headers.get("traceparent") for r in echo_server.requests] == [given] * 3
    assert [r.headers.get("X-Trace-Id") for r in echo_server.requests] == [TRACE] * 3
    spans = {
        exchange.span_id for attempt in collected.one.attempts for exchange in attempt.exchanges
    }
    assert spans == {"b" * 16}


def test_id_of_its_own_begins_another_trace(client, echo_server):
    """``do(trace_id=…)`` within a request takes nothing of that request along, but for the same id."""
    with received_trace(INBOUND):
        client.get(echo_server.url, trace_id="c" * 32)
        client.get(echo_server.url, trace_id=TRACE)
    other, same = echo_server.requests
    assert other.headers.get("tracestate") is None
    assert same.headers.get("tracestate") == "vendor=1"


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"formats": "b3"}, TypeError, "formats must be a sequence"),
        ({"formats": ("a b",)}, ValueError, "formats must hold names of headers"),
        ({"formats": ("a\n",)}, ValueError, "formats must hold names of headers"),
        ({"formats": (b"b3",)}, TypeError, "formats must hold names of headers"),
        ({"formats": ("baggage",)}, ValueError, "baggage holds no trace id"),
        ({"origins": "*.internal"}, TypeError, "origins must be a collection"),
        ({"origins": 5}, TypeError, "origins must be a collection"),
        ({"origins": (5,)}, TypeError, "origins must hold hosts"),
        *[
            ({"origins": (bad,)}, ValueError, "origins must hold hosts")
            for bad in (
                "",
                "*",
                "*.",
                "a.*",
                "ftp://a",
                "a/b",
                "http://a/",
                "a:b",
                "u@a",
                "a b",
                "ä",
            )
        ],
    ],
)
def test_bad_setting_is_named(settings, error, words):
    """A propagation that cannot be meant is refused when it is made."""
    with pytest.raises(error, match=words):
        Propagation(**settings)


def test_propagation_is_a_value():
    """Two of the same settings are equal; one prints as it is written, and pickles."""
    one = Propagation(formats=["b3"], origins=["*.internal"])
    assert one == Propagation(formats=("b3",), origins=("*.internal",))
    assert repr(one) == "Propagation(formats=('b3',), origins=('*.internal',))"
    assert pickle.loads(pickle.dumps(one)) == one


# --- origins ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origins", "allowed", "refused"),
    [
        (
            ("api.example.org",),
            [
                "http://api.example.org",
                "https://API.example.org.:8443/x",
                "http://u:p@api.example.org/",
            ],
            ["http://example.org", "http://x.api.example.org", "http://api.example.org.evil.test"],
        ),
        (
            ("*.internal",),
            ["http://a.internal", "https://a.b.internal:1?x#y"],
            ["http://internal", "http://xinternal", "http://a.internal.evil.test"],
        ),
        (("https://a.test",), ["https://a.test:8443/"], ["http://a.test"]),
        (("a.test:443",), ["https://a.test", "http://a.test:443"], ["https://a.test:8443"]),
        (("http://a.test:80",), ["http://a.test/"], ["https://a.test:80"]),
        (
            ("127.0.0.1", "[::1]"),
            ["http://127.0.0.1:5/", "http://[::1]:80/"],
            ["http://127.0.0.11"],
        ),
        ((), [], ["http://a.test"]),
        (
            ("x.internal",),
            [],
            [
                "http://evil.test\\@x.internal/",
                "http://evil.test/@x.internal",
                "http://evil.test?@x.internal",
                "http://evil.test#@x.internal",
                "http://a@evil.test@x.internal/",
                "http://x.internal@evil.test/",
                "http://x.internal:80@evil.test/",
                "http://x.internal%2eevil.test/",
                "http://x.internal\t.evil.test/",
                "ftp://x.internal/",
                "//x.internal/",
                "",
            ],
        ),
    ],
)
def test_origins(origins, allowed, refused):
    """Who is listed may see the trace; a URL that readers could take apart differently is not listed."""
    propagation = Propagation(origins=origins)
    assert [url for url in allowed if not propagation.allows(url)] == []
    assert [url for url in refused if propagation.allows(url)] == []


def test_nothing_of_a_trace_leaves_the_company(make_client, echo_server):
    """To an origin that is not listed goes no id and no baggage, whoever set them; the rest goes."""
    client = make_client(
        propagation=Propagation(
            formats=("traceparent", "b3", "X-Company-Id"), origins=("*.internal",)
        ),
        headers={"baggage": "user=u"},
    )
    given = {"B3": "0", "Traceparent": "x", "X-Trace-Id": "y", "x-request-id": "z", "X-A": "b"}
    with received_trace(INBOUND):
        client.get(echo_server.url, headers={**given, "X-Company-Id": "mine"})
    (request,) = echo_server.requests
    assert ours(request) == {}
    assert TRACE.encode() not in request.raw
    assert (request.headers.get("x-request-id"), request.headers.get("x-company-id")) == (
        None,
        None,
    )
    assert request.headers.get("X-A") == "b"


LISTED = Propagation(origins=("127.0.0.1",))
BAGGAGE = {**INBOUND, "baggage": "tenant=7;ttl=1, user = u"}


def test_baggage_goes_to_those_that_are_listed(make_client, echo_server):
    """What came with the request being served goes on with each attempt to an origin on the list."""
    client = make_client(propagation=LISTED)
    with received_trace(BAGGAGE):
        client.get(f"{echo_server.url}/status/503")
    sent = [request.headers.get_all("baggage") for request in echo_server.requests]
    assert sent == [["tenant=7;ttl=1,user = u"]] * 3


@pytest.mark.parametrize(
    ("propagation", "options"),
    [
        (Propagation(), {}),
        (Propagation(origins=("*.internal",)), {}),
        (Propagation(origins=()), {}),
        (Propagation(formats=(), origins=("127.0.0.1",)), {}),
        (LISTED, {"trace_id": "another"}),
    ],
    ids=["no list", "not listed", "none listed", "nothing is sent", "other work"],
)
def test_baggage_goes_to_nobody_else(make_client, echo_server, propagation, options):
    """Without a list it goes nowhere, nor where no trace goes, nor with work that is not its own."""
    client = make_client(propagation=propagation)
    with received_trace(BAGGAGE):
        client.get(echo_server.url, **options)
    assert echo_server.requests[0].headers.get("baggage") is None


def test_baggage_that_the_caller_set_stays(make_client, echo_server):
    """A ``baggage`` on the request itself is sent as it is, and nothing is added."""
    with received_trace(BAGGAGE):
        make_client(propagation=LISTED).get(echo_server.url, headers={"baggage": "mine=1"})
    assert echo_server.requests[0].headers.get_all("baggage") == ["mine=1"]


def test_baggage_follows_no_redirect_outside(make_client, echo_server, start):
    """A hop outside takes it off, and one back inside puts it on again."""
    other = start(servers.serve(servers.echo))
    client = make_client(propagation=Propagation(origins=(f"127.0.0.1:{echo_server.port}",)))
    with received_trace(BAGGAGE):
        client.get(to(echo_server, other, echo_server))
    seen = [request.headers.get("baggage") is not None for request in echo_server.requests]
    assert seen == [True, True]
    assert other.requests[0].headers.get("baggage") is None


def test_baggage_goes_with_a_span_of_an_instrument(make_client, echo_server):
    """An instrument that gives the span does not lose what came along with its parent."""

    class Spans(Watch):
        trace = TraceContext("a" * 32, SPAN)

        def watch(self, client):
            pass

        def begin(self, _):
            return self

    client = make_client(propagation=LISTED, instruments=[Spans()])
    with received_trace(BAGGAGE):
        client.get(echo_server.url)
    assert echo_server.requests[0].headers.get("baggage") == "tenant=7;ttl=1,user = u"


def test_names_of_headers_that_are_bytes_do_not_leave_either(make_client, echo_server):
    """A prepared request may hold names as bytes: those of a trace are found all the same."""
    prepared = requests.Request("GET", echo_server.url).prepare()
    prepared.headers[b"Baggage"] = "user=u"
    client = make_client(propagation=Propagation(origins=()))
    client.do(prepared, trace_id=TRACE)
    assert ours(echo_server.requests[0]) == {}


@pytest.fixture
def other(start):
    """Another origin: the same host, another port."""
    return start(servers.serve(servers.echo))


def to(*hops):
    """A URL at the first server whose redirects lead from hop to hop."""
    url = f"{hops[-1].url}/landed"
    for server in reversed(hops[:-1]):
        url = f"{server.url}/redirect?to={requests.utils.quote(url, safe='')}"
    return url


def test_redirect_out_of_the_company_takes_nothing_along(make_client, echo_server, other):
    """At a hop to an origin that is not listed the headers go, though the redirect policy lets them."""
    client = make_client(
        propagation=Propagation(origins=(f"127.0.0.1:{echo_server.port}",)),
        redirects=RedirectPolicy(headers={"X-Trace-Id", "traceparent", "tracestate", "baggage"}),
    )
    with received_trace(INBOUND):
        client.get(to(echo_server, other), headers={"baggage": "a=b"})
    assert ours(echo_server.requests[0]).keys() == {
        "traceparent",
        "tracestate",
        "x-trace-id",
        "baggage",
    }
    assert ours(other.requests[0]) == {}


def test_redirect_between_listed_origins_keeps_the_trace(make_client, echo_server, other):
    """Both are the company's: the trace goes on, each hop a span of its own, as the trace says."""
    client = make_client(propagation=Propagation(origins=("127.0.0.1",)))
    with received_trace(INBOUND):
        trace = client.get(to(echo_server, other, echo_server)).trace
    first, last = echo_server.requests
    assert ours(other.requests[0]).keys() == {"traceparent", "tracestate", "x-trace-id"}
    spans = [span(request) for request in (first, other.requests[0], last)]
    assert len(set(spans)) == 3
    assert [exchange.span_id for exchange in trace.attempts[0].exchanges] == spans


def test_redirect_back_into_the_company_has_the_trace_again(make_client, echo_server, other):
    """What an outsider did not see is there again behind it."""
    client = make_client(propagation=Propagation(origins=(f"127.0.0.1:{echo_server.port}",)))
    with received_trace(INBOUND):
        client.get(to(echo_server, other, echo_server))
    assert ours(other.requests[0]) == {}
    assert ours(echo_server.requests[1]).keys() == {"traceparent", "tracestate", "x-trace-id"}


def test_without_a_list_the_redirect_policy_decides(make_client, echo_server, other):
    """Nothing crosses by default, and what may cross is a new span."""
    client = make_client(redirects=RedirectPolicy(headers={"traceparent"}))
    with received_trace(INBOUND):
        client.get(to(echo_server, other))
    assert ours(other.requests[0]).keys() == {"traceparent"}
    assert span(other.requests[0]) != span(echo_server.requests[0])


# --- spans --------------------------------------------------------------------------------------


def test_each_attempt_is_a_span_of_its_own(client, collected, echo_server):
    """Retries have the trace's id and spans that differ, and the log line says which was which."""
    with received_trace(INBOUND):
        client.get(f"{echo_server.url}/status/503")
    spans = [span(request) for request in echo_server.requests]
    assert len({*spans, SPAN}) == 4
    trace = collected.one
    assert trace.parent_span_id == SPAN
    assert [attempt.exchanges[0].span_id for attempt in trace.attempts] == spans
    assert {r.headers.get("X-Trace-Id") for r in echo_server.requests} == {TRACE}


def test_span_is_found_whatever_the_format(make_client, collected, echo_server):
    """B3 alone says the span too; a header that holds only the id says none."""
    for formats in (("b3",), ("b3multi",), ("X-Trace-Id",)):
        make_client(propagation=Propagation(formats=formats)).get(echo_server.url, trace_id=TRACE)
    b3, multi, alone = (trace.attempts[0].exchanges[0].span_id for trace in collected.results)
    first, second, _ = echo_server.requests
    assert first.headers.get("b3").split("-")[1] == b3
    assert second.headers.get("X-B3-SpanId") == multi
    assert alone is None


def test_junk_in_the_header_of_another_tracer_is_no_span(client, collected, echo_server):
    """What is no span id does not get into the log line."""
    client.get(echo_server.url, headers={"traceparent": "00-secret-token"}, trace_id=TRACE)
    assert "secret-token" not in to_json(collected.one).decode()
    assert collected.one.attempts[0].exchanges[0].span_id is None


def test_logs_of_two_services_join_into_a_tree(make_client, collected, start, echo_server):
    """What one service logs as an exchange's span, the next logs as its calls' parent."""

    def middle(request):
        with received_trace(dict(request.headers)):
            client.get(echo_server.url)
        return servers.Answer(200)

    client = make_client()
    service = start(servers.serve(middle))
    client.get(service.url, trace_id=TRACE)
    inner, outer = (from_json(to_json(trace)) for trace in collected.results)
    assert inner.trace_id == outer.trace_id == TRACE
    assert outer.parent_span_id is None
    assert inner.parent_span_id == outer.attempts[0].exchanges[0].span_id


def test_id_alone_has_no_parent(client, collected, echo_server):
    """An id that came without a span makes none up."""
    with trace_context("order-5"):
        client.get(echo_server.url)
    assert collected.one.parent_span_id is None
    assert "parent_span_id" not in json.loads(to_json(collected.one))


def test_answer_with_its_request_can_be_pickled(client, echo_server):
    """A response that is sent to another process takes its request along, as with requests."""
    answer = pickle.loads(pickle.dumps(client.get(echo_server.url, trace_id=TRACE, debug=False)))
    assert answer.request.headers["X-Trace-Id"] == TRACE


def test_the_request_of_the_caller_is_not_altered(client, echo_server):
    """A prepared request that is sent twice goes out as two traces."""
    prepared = requests.Request("GET", echo_server.url).prepare()
    client.do(prepared, trace_id="first")
    client.do(prepared, trace_id="second")
    assert "X-Trace-Id" not in prepared.headers
    assert [r.headers.get("X-Trace-Id") for r in echo_server.requests] == ["first", "second"]


def test_request_of_an_answer_begins_a_new_span(client, echo_server):
    """``do(response.request)`` is a call of its own: nothing of the first one's trace is left in it."""
    with received_trace(INBOUND):
        first = client.get(echo_server.url)
    client.do(first.request, trace_id="c" * 32)
    again = echo_server.requests[1]
    assert again.headers.get("traceparent").startswith(f"00-{'c' * 32}-")
    assert again.headers.get("tracestate") is None


def test_streamed_retries_have_their_spans(echo_server):
    """With debug off too, each attempt is a span of its own."""
    policy = RetryPolicy(wait=tenacity.wait_fixed(0))
    with HTTPClient(retry=policy) as client:
        client.get(f"{echo_server.url}/status/503", trace_id=TRACE, stream=True).close()
    sent = [request.headers.get("traceparent") for request in echo_server.requests]
    assert len(set(sent)) == 3
    assert all(value.startswith(f"00-{TRACE}-") and value.endswith("-00") for value in sent)
