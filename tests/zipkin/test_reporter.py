"""What a collector gets of a client's calls."""

from __future__ import annotations

import pytest
import requests
import servers

from tracedclient import CircuitBreaker, Propagation
from tracedclient.inbound import trace_context
from tracedclient.instruments.zipkin import ZipkinReporter
from tracedclient.trace.context import TraceContext

TRACE = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)


def headers(server):
    return [request.headers for request in server.requests]


def test_a_call_is_posted_as_json(client, reporter, collector, echo_server):
    """A call's spans go to ``/api/v2/spans``, and are counted."""
    client.get(f"{echo_server.url}/a")
    assert reporter.flush(5)

    (posted,) = collector.server.requests
    assert (posted.method, posted.target) == ("POST", "/api/v2/spans")
    assert posted.headers.get("Content-Type") == "application/json"
    call, sent = collector.spans
    assert (call["name"], sent["name"], sent["parentId"]) == ("tracedclient.do", "get", call["id"])
    assert sent["localEndpoint"] == {"serviceName": "orders", "ipv4": "127.0.0.1"}
    assert sent["remoteEndpoint"] == {"ipv4": "127.0.0.1", "port": echo_server.port}
    assert "got_first_response_byte" in [note["value"] for note in sent["annotations"]]
    assert reporter.stats() == (1, 0, 0, None)


def test_the_ids_are_those_that_were_sent(make_client, reporter, collector, echo_server):
    """Each request's span is the one its server was told, by traceparent and by b3 alike."""
    client = make_client(propagation=Propagation(formats=("traceparent", "b3", "b3multi")))
    response = client.get(f"{echo_server.url}/status/503")
    reporter.flush(5)

    (call,) = collector.calls
    assert response.trace.trace_id == call["traceId"]
    assert "parentId" not in call
    for span, sent in zip(collector.requests, headers(echo_server), strict=True):
        ids = (span["traceId"], span["id"])
        assert sent.get("traceparent") == "00-{}-{}-03".format(*ids)
        assert sent.get("b3") == "{}-{}-1-{}".format(*ids, call["id"])
        assert (sent.get("X-B3-TraceId"), sent.get("X-B3-SpanId")) == ids
        assert sent.get("X-B3-ParentSpanId") == span["parentId"] == call["id"]
    assert len(collector.requests) == 3


def test_redirects_are_spans_of_one_call(client, reporter, collector, echo_server):
    """Each hop is a span with an id of its own, below the call."""
    client.get(f"{echo_server.url}/redirect?to=/landed")
    reporter.flush(5)

    (call,) = collector.calls
    sent = [head.get("traceparent").split("-")[2] for head in headers(echo_server)]
    assert [span["id"] for span in collector.requests] == sent
    assert {span["parentId"] for span in collector.requests} == {call["id"]}


def test_the_inbound_span_is_the_parent(client, reporter, collector, echo_server):
    """A call made for a request lies below the span which that request brought."""
    with trace_context(TRACE):
        client.get(echo_server.url)
    reporter.flush(5)

    (call,) = collector.calls
    assert (call["traceId"], call["parentId"]) == (TRACE.trace_id, TRACE.span_id)


def test_services_are_one_tree(make_client, reporter, collector, start):
    """Two services that report, one calling the other: four spans, each below the one before."""
    client = make_client()

    def relay(request):
        trace_id, span_id = request.headers.get("traceparent").split("-")[1:3]
        if request.path == "/outer":
            with trace_context(TraceContext(trace_id, span_id, sampled=True)):
                client.get(f"{server.url}/inner")
        return servers.Answer(200)

    server = start(servers.serve(relay))
    client.get(f"{server.url}/outer")
    reporter.flush(5)

    by_id = {span["id"]: span for span in collector.spans}
    (inner,) = [s for s in collector.requests if s["tags"]["http.path"] == "/inner"]
    path = [inner]
    while "parentId" in path[-1]:
        path.append(by_id[path[-1]["parentId"]])
    assert [span.get("kind") for span in path] == ["CLIENT", None, "CLIENT", None]
    assert {span["traceId"] for span in path} == {inner["traceId"]}


def test_an_id_of_the_callers_own(client, reporter, collector, echo_server):
    """``order-7`` goes out as it is, and its trace in Zipkin is the one in ``traceparent``."""
    client.get(echo_server.url, trace_id="order-7")
    reporter.flush(5)

    (call,) = collector.calls
    (head,) = headers(echo_server)
    assert head.get("X-Trace-Id") == call["tags"]["tracedclient.trace_id"] == "order-7"
    assert head.get("traceparent").split("-")[1] == call["traceId"]


def test_another_tracers_header_is_not_claimed(client, reporter, collector, echo_server):
    """A ``traceparent`` that the caller set is another's span, and no two requests have that id."""
    given = {"traceparent": f"00-{TRACE.trace_id}-{TRACE.span_id}-01"}
    client.get(f"{echo_server.url}/status/503", headers=given)
    reporter.flush(5)

    assert {head.get("traceparent") for head in headers(echo_server)} == set(given.values())
    found = {span["id"] for span in collector.requests}
    assert len(found) == 3
    assert TRACE.span_id not in found


def test_an_adapter_of_somebody_elses(make_client, reporter, collector):
    """A request that met no connection of ours is a call all the same."""

    class Canned(requests.adapters.BaseAdapter):
        def send(self, request, **_):
            response = requests.Response()
            response.status_code, response.request, response.url = 200, request, request.url
            response._content = b""
            return response

        def close(self):
            pass

    client = make_client()
    client.session.mount("http://canned.test", Canned())
    client.get("http://canned.test/")
    reporter.flush(5)
    assert len(collector.calls) == 1


def test_a_failure_is_reported(make_client, reporter, collector):
    """A call that raised has its error on both spans; one that sent nothing has one span."""
    url = f"http://127.0.0.1:{servers.refused_port()}/"
    client = make_client(breaker=CircuitBreaker(min_calls=1))
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            client.post(url, data=b"x")
    reporter.flush(5)

    refused, unsent = collector.calls
    below = [span for span in collector.requests if span["parentId"] == refused["id"]]
    assert below
    assert all("ECONNREFUSED" in span["tags"]["error"] for span in below)
    assert unsent["tags"]["tracedclient.outcome"] == "circuit_open"


def test_an_abandoned_stream_is_reported(client, reporter, collector, echo_server):
    """An answer that was let go of, neither read nor closed, is a span that says so."""
    client.get(f"{echo_server.url}/bytes/3000000", stream=True)
    collector.server.wait_until(lambda: len(collector.server.journal) == 1)
    (span,) = collector.requests
    assert span["tags"]["tracedclient.body_abandoned"] == "true"


# --- who decides ------------------------------------------------------------------------------


def test_a_caller_that_said_no_is_heard(client, reporter, collector, echo_server):
    """A request that came unsampled leads to no span here, and is passed on as unsampled."""
    unsampled = TraceContext(TRACE.trace_id, TRACE.span_id, sampled=False)
    with trace_context(unsampled):
        client.get(echo_server.url)
    assert reporter.flush(5)

    assert collector.spans == []
    (head,) = headers(echo_server)
    assert head.get("traceparent").endswith("-00")


def test_b3s_debug_is_marked(client, reporter, collector, echo_server):
    """What came with B3's ``d`` is reported as such, whatever the rate."""
    with trace_context(TraceContext(TRACE.trace_id, TRACE.span_id, debug=True)):
        client.get(echo_server.url)
    reporter.flush(5)
    assert [span["debug"] for span in collector.spans] == [True, True]


def test_a_rate_of_nothing(make_reporter, make_client, collector, echo_server):
    """Traces that begin here and are sampled out are not recorded, and servers are told so."""
    reporter = make_reporter(sample_rate=0)
    client = make_client(
        instruments=[reporter], propagation=Propagation(formats=("traceparent", "b3"))
    )
    response = client.get(echo_server.url)
    reporter.flush(5)

    assert (collector.spans, response.trace) == ([], None)
    (head,) = headers(echo_server)
    assert head.get("traceparent").endswith("-02")
    assert head.get("b3").split("-")[2] == "0"


def test_services_with_one_rate_decide_alike(make_reporter, make_client, collector, echo_server):
    """The trace's id decides: the lower half of all ids is reported at a rate of one half."""
    reporter = make_reporter(sample_rate=0.5)
    client = make_client(instruments=[reporter])
    low, high = (16 * "f" + digit + 15 * "0" for digit in "78")
    client.get(echo_server.url, trace_id=low)
    client.get(echo_server.url, trace_id=high)
    reporter.flush(5)
    assert {span["traceId"] for span in collector.spans} == {low}


def test_as_a_sink_it_reports_what_is_traced(make_client, reporter, collector, echo_server):
    """Among the sinks it gets the calls with debug on, with the span ids that were sent."""
    client = make_client(instruments=[], sinks=[reporter])
    client.get(f"{echo_server.url}/off")
    client.get(f"{echo_server.url}/on", debug=True)
    reporter.flush(5)

    (span,) = collector.requests
    head = headers(echo_server)[1]
    assert span["tags"]["http.path"] == "/on"
    assert head.get("traceparent").split("-")[1:3] == [span["traceId"], span["id"]]


def test_servers_are_named_up_to_a_bound(
    make_reporter, make_client, collector, echo_server, resolver
):
    """Hosts are services by name, or by their template, and only so many of them."""
    for name in ("a.shards.test", "b.shards.test", "c.test", "d.test"):
        resolver[name] = ["127.0.0.1"]
    reporter = make_reporter(max_origins=2, origin_templates=("*.shards.test",))
    client = make_client(instruments=[reporter])
    for name in ("a.shards", "b.shards", "c", "d"):
        client.get(f"http://{name}.test:{echo_server.port}/")
    reporter.flush(5)

    named = [span["remoteEndpoint"].get("serviceName") for span in collector.requests]
    assert named == ["*.shards.test", "*.shards.test", "c.test", None]


# --- its own posts ------------------------------------------------------------------------------


def test_its_posts_are_its_own(make_reporter, make_client, collector, echo_server):
    """A batch carries the headers that were given, and no trace; posting makes no spans."""
    reporter = make_reporter(headers={"Authorization": "Bearer t"})
    client = make_client(instruments=[reporter])
    for _ in range(3):
        with trace_context(TRACE):
            client.get(echo_server.url)
        reporter.flush(5)

    assert len(collector.calls) == len(collector.requests) == 3
    for posted in collector.server.requests:
        names = {name.lower() for name, _ in posted.headers}
        assert names <= {
            "host",
            "accept-encoding",
            "content-length",
            "content-type",
            "authorization",
        }
        assert posted.headers.get("Authorization") == "Bearer t"
    assert collector.server.connections == 1


def test_over_tls(start, make_client, echo_server, server_context, ca_file):
    """An https collector is checked, by the certificates that are named."""
    server = start(servers.serve(lambda _: servers.Answer(202), tls=server_context("localhost")))
    url = f"https://localhost:{server.port}"
    trusting, other = ZipkinReporter(url, ca_file=ca_file), ZipkinReporter(url)
    client = make_client(instruments=[trusting, other])
    client.get(echo_server.url)
    client.close()

    assert (trusting.stats().sent, other.stats().sent) == (1, 0)
    assert "CERTIFICATE_VERIFY_FAILED" in other.stats().failing


@pytest.mark.parametrize(
    ("endpoint", "target"),
    [("", "/api/v2/spans"), ("/", "/api/v2/spans"), ("/zipkin/spans?k=v", "/zipkin/spans?k=v")],
)
def test_where_it_posts(make_reporter, make_client, collector, echo_server, endpoint, target):
    """An endpoint with a path is taken as it is, one without gets Zipkin's."""
    reporter = make_reporter(collector.url + endpoint)
    make_client(instruments=[reporter]).get(echo_server.url)
    reporter.flush(5)
    assert collector.server.requests[0].target == target


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"endpoint": 5}, TypeError, "endpoint must be a URL"),
        ({"endpoint": "zipkin:9411"}, ValueError, "endpoint must be a URL such as"),
        ({"endpoint": "http://[::1"}, ValueError, "endpoint must be a URL such as"),
        ({"endpoint": "http://z:99999"}, ValueError, "endpoint must be a URL such as"),
        ({"endpoint": "http://z/\r\nX: y"}, ValueError, "endpoint must be a URL such as"),
        ({"endpoint": "http://u:p@z"}, ValueError, "endpoint must hold no credentials"),
        ({"headers": {"a b": "c"}}, ValueError, "headers must be named"),
        ({"headers": {"a": "secret\n"}}, ValueError, "the value of a must be"),
        ({"endpoint": "https://z", "ca_file": "/nowhere"}, ValueError, "ca_file must be a file"),
        ({"sample_rate": 2}, ValueError, "sample_rate must be from 0 to 1"),
        ({"timeout": "5"}, TypeError, "timeout must be a number"),
        ({"close_timeout": -1}, ValueError, "close_timeout must be"),
        ({"max_queued": 0}, ValueError, "max_queued must be an int"),
        ({"max_origins": 0}, ValueError, "max_origins must be an int"),
    ],
)
def test_wrong_arguments_are_named(wrong, error, words):
    """Whatever cannot be meant is an error at once that names it, and quotes no secret."""
    with pytest.raises(error, match=words) as raised:
        ZipkinReporter(**{"endpoint": "http://z", **wrong})
    assert "secret" not in str(raised.value)
