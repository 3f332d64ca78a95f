"""The spans of a call, whole: names, kinds, parents, ids, attributes, events, status."""

from __future__ import annotations

import re

import pytest
import requests
import servers
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import NoOpTracerProvider

from tracedclient.inbound import current_context, trace_context
from tracedclient.instruments.otel import OpenTelemetry
from tracedclient.instruments.otel.ids import TraceIdGenerator
from tracedclient.propagation import Propagation
from tracedclient.trace.context import TraceContext

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"


def span_id(span):
    return f"{span.context.span_id:016x}"


def trace_id(span):
    return f"{span.context.trace_id:032x}"


def traceparent(request):
    return request.headers.get("traceparent")


def whole(span):
    """A span as a dictionary; times of phases, which differ, are only said to be there."""
    attributes = {
        key: "ms" if key.endswith("_ms") else value for key, value in span.attributes.items()
    }
    return {
        "name": span.name,
        "kind": span.kind.name,
        "status": (span.status.status_code.name, span.status.description),
        "attributes": attributes,
        "events": [event.name for event in span.events],
    }


def test_spans_of_a_plain_get(client, sdk, echo_server):
    """A GET is an INTERNAL span and a CLIENT span below it, and this is all that is on them."""
    url = f"{echo_server.url}/orders?token=s3cret"
    response = client.get(url.replace("://", "://ann:s3cret@"))

    call, exchange = sdk.spans
    host, port = echo_server.host, echo_server.port
    shown = f"http://REDACTED@{host}:{port}/orders?token=REDACTED"
    local = exchange.attributes["network.local.port"]
    ident = exchange.attributes["tracedclient.connection.id"]
    assert whole(call) == {
        "name": "tracedclient.do",
        "kind": "INTERNAL",
        "status": ("UNSET", None),
        "attributes": {
            "http.request.method": "GET",
            "url.full": shown,
            "server.address": host,
            "server.port": port,
            "http.response.status_code": 200,
            "tracedclient.outcome": "ok",
            "tracedclient.verdict_culprit": "none",
            "tracedclient.attempt_count": 1,
            "tracedclient.retry_count": 0,
            "tracedclient.redirect_count": 0,
            "tracedclient.slowest_phase": response.trace.slowest_phase,
            "tracedclient.debug_source": "instruments",
            "tracedclient.phase.connect_ms": "ms",
            "tracedclient.phase.send_ms": "ms",
            "tracedclient.phase.wait_ms": "ms",
            "tracedclient.phase.receive_ms": "ms",
            "tracedclient.phase.unaccounted_ms": "ms",
        },
        "events": [],
    }
    assert whole(exchange) == {
        "name": "GET",
        "kind": "CLIENT",
        "status": ("UNSET", None),
        "attributes": {
            "http.request.method": "GET",
            "url.full": shown,
            "server.address": host,
            "server.port": port,
            "http.response.status_code": 200,
            "network.protocol.name": "http",
            "network.protocol.version": "1.1",
            "network.peer.address": host,
            "network.peer.port": port,
            "network.local.address": host,
            "network.local.port": local,
            "tracedclient.connection.id": ident,
            "tracedclient.connection.reused": False,
            "tracedclient.connection.uses": 0,
            "tracedclient.connection.returned": True,
            "tracedclient.phase.connect_ms": "ms",
            "tracedclient.phase.send_ms": "ms",
            "tracedclient.phase.wait_ms": "ms",
            "tracedclient.phase.receive_ms": "ms",
            "tracedclient.phase.unaccounted_ms": "ms",
            "tracedclient.bytes_sent": len(echo_server.requests[0].raw),
            "tracedclient.bytes_received": exchange.attributes["tracedclient.bytes_received"],
            "tracedclient.buffered_ms": "ms",
            "tracedclient.body_complete": True,
        },
        "events": [event.event for event in response.trace.attempts[0].exchanges[0].events],
    }
    assert exchange.parent.span_id == call.context.span_id
    assert call.start_time <= exchange.start_time <= exchange.end_time <= call.end_time


def test_the_traceparent_that_is_sent_is_the_client_spans(client, sdk, echo_server):
    """What the server takes for its parent is the CLIENT span; the trace id is the spans' and ours."""
    response = client.get(echo_server.url)

    (exchange,) = sdk.client_spans
    (request,) = echo_server.requests
    assert traceparent(request)[:55] == f"00-{trace_id(exchange)}-{span_id(exchange)}-03"[:55]
    assert request.headers.get("X-Trace-Id") == trace_id(exchange) == response.trace.trace_id
    assert response.trace.attempts[0].exchanges[0].span_id == span_id(exchange)


def test_the_span_in_force_is_the_parent(client, sdk, echo_server):
    """A call below the application's span is its child, with its trace state sent on."""
    with sdk.tracers.get_tracer("app").start_as_current_span("work") as work:
        client.get(echo_server.url)

    call = next(span for span in sdk.spans if span.name == "tracedclient.do")
    assert call.parent.span_id == work.context.span_id
    assert trace_id(call) == trace_id(work) == traceparent(echo_server.requests[0]).split("-")[1]


def test_what_the_served_request_brought_is_the_parent(client, sdk, echo_server):
    """Without a span in force, the inbound trace's span is the parent, and its state goes on."""
    brought = TraceContext(TRACE_ID, SPAN_ID, sampled=True, tracestate="vendor=1")
    with trace_context(brought):
        client.get(echo_server.url)

    call, exchange = sdk.spans
    assert (trace_id(call), f"{call.parent.span_id:016x}") == (TRACE_ID, SPAN_ID)
    assert call.parent.is_remote
    assert traceparent(echo_server.requests[0]) == f"00-{TRACE_ID}-{span_id(exchange)}-01"
    assert echo_server.requests[0].headers.get("tracestate") == "vendor=1"


def test_a_caller_that_does_not_sample_is_heeded(make_sdk, make_client, echo_server):
    """Below a parent that is not sampled no span is exported, and the next service is told so."""
    sdk = make_sdk()
    client = make_client(instruments=[sdk.instrument()])
    with trace_context(TraceContext(TRACE_ID, SPAN_ID, sampled=False)):
        client.get(echo_server.url)

    assert sdk.spans == []
    assert re.fullmatch(f"00-{TRACE_ID}-[0-9a-f]{{16}}-00", traceparent(echo_server.requests[0]))


def test_an_id_of_the_callers_own_is_found_on_the_span(client, sdk, echo_server):
    """``trace_id=`` goes out and into the trace as given; the call's span has it as an attribute."""
    response = client.get(echo_server.url, trace_id="order-7")

    call, exchange = sdk.spans
    (request,) = echo_server.requests
    assert response.trace.trace_id == request.headers.get("X-Trace-Id") == "order-7"
    assert call.attributes["tracedclient.trace_id"] == "order-7"
    assert traceparent(request).split("-")[1:3] == [trace_id(exchange), span_id(exchange)]


def test_the_id_generator_makes_it_the_traces_id(make_sdk, make_client, echo_server):
    """With ``TraceIdGenerator``, 32 hex digits that the caller gave are the id of the spans too."""
    sdk = make_sdk(id_generator=TraceIdGenerator())
    client = make_client(instruments=[sdk.instrument()])
    client.get(echo_server.url, trace_id=TRACE_ID)
    client.get(echo_server.url)

    ids = [trace_id(span) for span in sdk.client_spans]
    assert ids[0] == TRACE_ID == traceparent(echo_server.requests[0]).split("-")[1]
    assert ids[1] not in (TRACE_ID, "0" * 32)
    assert "tracedclient.trace_id" not in sdk.spans[0].attributes


def test_the_id_generator_takes_the_id_of_the_request_being_served(make_sdk):
    """Whoever begins the trace of a request that brought no span does so with the id its lines have."""
    tracer = make_sdk(id_generator=TraceIdGenerator(current_context)).tracers.get_tracer(
        "framework"
    )

    def begun(trace):
        with trace_context(trace):
            return trace_id(tracer.start_span("GET /orders"))

    assert begun(TRACE_ID) == TRACE_ID
    assert begun("order-7") not in (TRACE_ID, "0" * 32)
    # Who begins another trace below a span that came in wants another one.
    assert begun(TraceContext(TRACE_ID, SPAN_ID)) != TRACE_ID
    assert trace_id(tracer.start_span("cron")) != TRACE_ID


def test_each_attempt_is_a_span(client, sdk, echo_server):
    """A call that is tried three times has three CLIENT spans, the resends numbered, each its own."""
    client.get(f"{echo_server.url}/status/503")

    call, *tries = sdk.spans
    assert [t.attributes.get("http.request.resend_count") for t in tries] == [None, 1, 2]
    assert [t.attributes["error.type"] for t in tries] == ["503"] * 3
    assert [t.status.status_code.name for t in tries] == ["ERROR"] * 3
    sent = [traceparent(request).split("-")[2] for request in echo_server.requests]
    assert sent == [span_id(t) for t in tries]
    assert (call.attributes["error.type"], call.attributes["tracedclient.retry_count"]) == (
        "503",
        2,
    )


def test_each_redirect_is_a_span(client, sdk, echo_server):
    """Each hop has its own URL, status, events and peer; none writes on another's span."""
    client.get(f"{echo_server.url}/redirect?to=/landed")

    _, first, second = sdk.spans
    assert (first.attributes["http.response.status_code"], first.status.status_code.name) == (
        302,
        "UNSET",
    )
    assert second.attributes["http.response.status_code"] == 200
    assert second.attributes["http.request.resend_count"] == 1
    assert second.attributes["url.full"].endswith("/landed")
    for span in (first, second):
        names = [event.name for event in span.events]
        assert names.count("got_first_response_byte") == names.count("body_done") == 1
        assert all(span.start_time // 1000 <= e.timestamp // 1000 for e in span.events)
    assert first.end_time <= second.start_time
    sent = [traceparent(request).split("-")[2] for request in echo_server.requests]
    assert sent == [span_id(first), span_id(second)]


def test_an_origin_that_may_not_see_the_trace_has_its_span(make_client, sdk, echo_server):
    """Where no header may go, the spans are the same."""
    client = make_client(propagation=Propagation(origins=("elsewhere.test",)))
    client.get(echo_server.url)

    (exchange,) = sdk.client_spans
    assert traceparent(echo_server.requests[0]) is None
    assert exchange.attributes["http.response.status_code"] == 200


def test_an_unknown_method_is_one_name(client, sdk, echo_server):
    """A method of no standard is ``_OTHER``, and only an attribute has it as it is."""
    client.request("BREW", echo_server.url)

    (exchange,) = sdk.client_spans
    assert exchange.name == "HTTP"
    assert exchange.attributes["http.request.method"] == "_OTHER"
    assert exchange.attributes["http.request.method_original"] == "BREW"


def test_events_can_be_left_out(make_client, sdk, echo_server):
    """``hook_events=False`` keeps the attributes and drops the events."""
    make_client(instruments=[sdk.instrument(hook_events=False)]).get(echo_server.url)

    (exchange,) = sdk.client_spans
    assert exchange.events == ()
    assert "tracedclient.phase.wait_ms" in exchange.attributes


def test_a_request_that_is_none_has_only_the_calls_span(client, sdk):
    """What was never sent has no CLIENT span; the call's span says what was wrong."""
    with pytest.raises(requests.exceptions.InvalidURL):
        client.get("http://")

    (call,) = sdk.spans
    assert call.attributes["error.type"] == "InvalidURL"
    assert call.attributes["tracedclient.outcome"] == "invalid_request"
    assert call.status.status_code.name == "ERROR"


def test_without_sdk_requests_go_out_as_before(make_client, echo_server):
    """With the API alone, the trace headers are this package's own, and whole."""
    quiet = OpenTelemetry(tracer_provider=NoOpTracerProvider())
    response = make_client(instruments=[quiet]).get(echo_server.url)

    _, sent, span, _ = traceparent(echo_server.requests[0]).split("-")
    assert sent == response.trace.trace_id
    assert span == response.trace.attempts[0].exchanges[0].span_id != "0" * 16


def test_a_sampler_that_says_no(make_sdk, make_client, echo_server):
    """A call that is not sampled is counted all the same, and has its ids."""
    sdk = make_sdk(sampler=ParentBased(ALWAYS_OFF))
    make_client(instruments=[sdk.instrument()]).get(echo_server.url)

    assert sdk.spans == []
    assert sdk.points("http.client.request.duration")[0].count == 1
    assert traceparent(echo_server.requests[0]).endswith(("-00", "-02"))


def test_an_adapter_of_somebody_elses(client, sdk):
    """A request that meets no connection of ours has a span with what came of it."""

    class Canned(requests.adapters.BaseAdapter):
        def send(self, request, **_):
            response = requests.Response()
            response.status_code, response.request, response.url = 404, request, request.url
            response.raw = None
            response._content = b""
            return response

        def close(self):
            pass

    client.session.mount("http://canned.test", Canned())
    client.get("http://canned.test/")

    (exchange,) = sdk.client_spans
    assert exchange.attributes["error.type"] == "404"
    assert exchange.attributes["server.address"] == "canned.test"


def test_a_streamed_body_is_in_the_span(client, sdk, echo_server):
    """The spans of a streamed answer end with its body, and not before."""
    response = client.get(f"{echo_server.url}/bytes/100000", stream=True)
    assert sdk.spans == []
    response.close()

    call, exchange = sdk.spans
    assert exchange.attributes["tracedclient.body_complete"] is False
    assert call.end_time >= exchange.end_time


def test_three_hosts(start, client, sdk):
    """Each server's name and port are its own spans'."""
    targets = [start(servers.serve(servers.echo)) for _ in range(3)]
    for target in targets:
        client.get(target.url)

    ports = [span.attributes["server.port"] for span in sdk.client_spans]
    assert ports == [target.port for target in targets]
