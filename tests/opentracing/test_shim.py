"""OpenTelemetry's shim as the tracer: what its SDK exports of spans begun through OpenTracing."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.shim.opentracing_shim import create_tracer
from opentracing_serving import by_asgi, by_wsgi

from tracedclient import HTTPClient, Propagation
from tracedclient.inbound import trace_context
from tracedclient.trace.context import TraceContext


class SDK:
    """A provider, the shim's tracer on it, and what came out."""

    def __init__(self, **options):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = create_tracer(self.provider)

    @property
    def spans(self):
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time)


@pytest.fixture
def make_sdk():
    made = []

    def make(**options):
        made.append(SDK(**options))
        return made[-1]

    yield make
    for sdk in made:
        sdk.provider.shutdown()


@pytest.fixture
def sdk(make_sdk):
    return make_sdk()


@pytest.fixture
def shim_client(sdk):
    with HTTPClient(tracer=sdk.tracer, sinks=[]) as client:
        yield client


def traceparent(request):
    return request.headers.get("traceparent")


def sent_by(span, flags="01"):
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{flags}"


def test_spans_through_the_shim(shim_client, sdk, echo_server):
    """Root and child are spans of the SDK's, tags their attributes, logs their events."""
    with sdk.tracer.start_active_span("work"):
        response = shim_client.get(f"{echo_server.url}/orders?token=s3cret")

    work, root, span = sdk.spans
    host = f"{echo_server.host}:{echo_server.port}"
    assert [s.name for s in sdk.spans] == ["work", "HTTP Client", "HTTP GET"]
    assert (root.parent.span_id, span.parent.span_id) == (
        work.context.span_id,
        root.context.span_id,
    )
    assert dict(root.attributes) == {"tracedclient.trace_id": response.trace.trace_id}
    assert dict(span.attributes) == {
        "span.kind": "client",
        "component": "tracedclient",
        "http.method": "GET",
        "http.url": f"http://{host}/orders?token=REDACTED",
        "peer.address": host,
        "net/http.reused": False,
        "net/http.was_idle": False,
        "http.status_code": 200,
    }
    where = {"network": "tcp", "addr": host}
    assert [(event.name, dict(event.attributes)) for event in span.events] == [
        (fields["event"], fields)
        for fields in (
            {"event": "GetConn", "hostPort": host},
            {"event": "ConnectStart", **where},
            {"event": "ConnectDone", **where},
            {"event": "GotConn"},
            {"event": "WroteHeaders"},
            {"event": "WroteRequest"},
            {"event": "GotFirstResponseByte"},
            {"event": "PutIdleConn"},
            {"event": "ClosedBody"},
        )
    ]


def test_the_span_of_opentelemetrys_own_api_is_the_parent(shim_client, sdk, echo_server):
    """A span begun without the shim is the parent too, which the shim's scope does not know."""
    with sdk.provider.get_tracer("app").start_as_current_span("work") as work:
        shim_client.get(echo_server.url)
    app = sdk.provider.get_tracer("app")
    with sdk.tracer.start_active_span("outer"), app.start_as_current_span("inner") as inner:
        shim_client.get(echo_server.url)

    roots = [s for s in sdk.spans if s.name == "HTTP Client"]
    assert [r.parent.span_id for r in roots] == [
        work.get_span_context().span_id,
        inner.get_span_context().span_id,
    ]


def test_without_a_span_in_force_a_trace_begins(shim_client, sdk, echo_server):
    """It is the trace that goes out and into the line."""
    response = shim_client.get(echo_server.url)

    root, span = sdk.spans
    assert root.parent is None
    assert response.trace.trace_id == f"{root.context.trace_id:032x}"
    assert traceparent(echo_server.requests[0])[:53] == sent_by(span)[:53]


def test_each_request_is_sent_as_its_own_span(shim_client, sdk, echo_server):
    """What the servers read in ``traceparent`` is the child's id, for each hop and each attempt."""
    shim_client.get(f"{echo_server.url}/redirect?to=/landed")

    children = [s for s in sdk.spans if s.name == "HTTP GET"]
    assert [traceparent(r)[:53] for r in echo_server.requests] == [
        sent_by(s)[:53] for s in children
    ]


def test_a_sampler_that_says_no(make_sdk, echo_server):
    """Spans that are not sampled are not exported, and the next service is told so."""
    sdk = make_sdk(sampler=ALWAYS_OFF)
    with HTTPClient(tracer=sdk.tracer, sinks=[]) as client:
        client.get(echo_server.url)

    assert sdk.spans == []
    assert traceparent(echo_server.requests[0])[-2:] in ("00", "02")


def test_what_the_served_request_brought_is_the_parent(shim_client, sdk, echo_server):
    """Below our middleware, which knows of no tracer, the call belongs to the inbound trace."""
    brought = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
    with trace_context(brought):
        shim_client.get(echo_server.url)

    root, span = sdk.spans
    assert f"{root.context.trace_id:032x}" == brought.trace_id
    assert f"{root.parent.span_id:016x}" == brought.span_id
    assert traceparent(echo_server.requests[0])[:53] == sent_by(span)[:53]


def test_an_origin_that_may_not_see_the_trace(sdk, echo_server):
    """Nothing of the shim's propagators goes where ``Propagation`` does not allow it."""
    elsewhere = Propagation(origins=("elsewhere.test",))
    with HTTPClient(tracer=sdk.tracer, propagation=elsewhere, sinks=[]) as client:
        client.get(echo_server.url)

    assert traceparent(echo_server.requests[0]) is None
    assert len(sdk.spans) == 2


def test_no_span_is_left_in_force(shim_client, sdk, echo_server):
    """After the call what was in force before it is in force again."""
    before = trace.get_current_span()
    shim_client.get(echo_server.url)

    assert trace.get_current_span() is before


@pytest.mark.parametrize("serve", [by_wsgi, by_asgi])
def test_a_service_through_the_shim(serve, shim_client, sdk, echo_server):
    """The served request's span is below the one that ``traceparent`` names, and above the call's."""
    inside = []

    def handler(_):
        inside.append(trace.get_current_span().get_span_context().span_id)
        return shim_client.get(echo_server.url).status_code, [b"ok"]

    brought = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    assert serve(handler, headers=[brought], tracer=sdk.tracer) == (200, b"ok")

    served, root, _ = sdk.spans
    assert f"{served.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert [served.context.span_id] == inside == [root.parent.span_id]
    assert dict(served.attributes) == {
        "span.kind": "server",
        "component": "tracedclient",
        "http.method": "GET",
        "http.url": "/root",
        "http.status_code": 200,
        "http.response_size": 2,
        "tracedclient.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    assert trace.get_current_span().get_span_context().is_valid is False


@pytest.mark.parametrize("serve", [by_wsgi, by_asgi])
def test_a_service_that_nobody_called_in_a_trace(serve, sdk):
    """Without a ``traceparent`` a trace begins, whatever span is in force."""
    with sdk.tracer.start_active_span("left over"):
        serve(lambda _: (200, []), tracer=sdk.tracer)

    served = next(s for s in sdk.spans if s.name == "HTTP GET")
    assert served.parent is None
