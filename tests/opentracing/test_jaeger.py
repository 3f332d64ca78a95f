"""A tracer that is in use: Jaeger's own client for OpenTracing, without its agent."""

from __future__ import annotations

import pytest
from jaeger_client import ConstSampler, Tracer
from jaeger_client.reporter import InMemoryReporter
from opentracing_serving import by_asgi, by_wsgi

from tracedclient import HTTPClient


class Jaeger:
    """A tracer, and the spans that it reported."""

    def __init__(self, *, sampled=True):
        self.reporter = InMemoryReporter()
        # Unless told, it looks for this machine's address, with a socket that it leaves open.
        known = {"ip": "127.0.0.1"}
        self.tracer = Tracer("orders", self.reporter, ConstSampler(sampled), tags=known)

    @property
    def spans(self):
        return sorted(self.reporter.get_spans(), key=lambda span: span.start_time)


def tags(span):
    values = {tag.key: (tag.vStr, tag.vLong, tag.vBool) for tag in span.tags}
    return {key: next(v for v in three if v is not None) for key, three in values.items()}


def logs(span):
    return [{field.key: field.vStr for field in log.fields} for log in span.logs]


@pytest.fixture
def jaeger():
    return Jaeger()


@pytest.fixture
def jaeger_client(jaeger):
    with HTTPClient(tracer=jaeger.tracer, sinks=[]) as client:
        yield client


def test_spans_of_jaegers(jaeger, jaeger_client, echo_server):
    """Parents, tags and logs are as on the mock tracer; ids and baggage go out as Jaeger writes them."""
    with jaeger.tracer.start_active_span("work") as scope:
        scope.span.set_baggage_item("user", "ann")
        response = jaeger_client.get(f"{echo_server.url}/a?b=c")

    work, root, span = jaeger.spans
    assert [s.operation_name for s in jaeger.spans] == ["work", "HTTP Client", "HTTP GET"]
    assert (root.parent_id, span.parent_id) == (work.span_id, root.span_id)
    where = f"{echo_server.host}:{echo_server.port}"
    assert tags(span) == {
        "span.kind": "client",
        "component": "tracedclient",
        "http.method": "GET",
        "http.url": f"http://{where}/a?b=REDACTED",
        "peer.address": where,
        "net/http.reused": False,
        "net/http.was_idle": False,
        "http.status_code": 200,
    }
    assert logs(span)[0] == {"event": "GetConn", "hostPort": where}
    assert logs(span)[-1] == {"event": "ClosedBody"}
    sent = echo_server.requests[0].headers
    ids = f"{span.trace_id:x}:{span.span_id:x}:{root.span_id:x}:1"
    assert (sent.get("uber-trace-id"), sent.get("uberctx-user")) == (ids, "ann")
    assert response.trace.trace_id == f"{span.trace_id:032x}"
    assert sent.get("traceparent") == f"00-{span.trace_id:032x}-{span.span_id:016x}-01"


def test_a_sampler_that_says_no(echo_server):
    """What Jaeger does not sample is not reported, and ``traceparent`` says so too."""
    jaeger = Jaeger(sampled=False)
    with HTTPClient(tracer=jaeger.tracer, sinks=[]) as client:
        client.get(echo_server.url)

    assert jaeger.spans == []
    assert echo_server.requests[0].headers.get("traceparent").endswith("-00")
    assert echo_server.requests[0].headers.get("uber-trace-id").endswith(":0")


@pytest.mark.parametrize("serve", [by_wsgi, by_asgi])
def test_a_service_of_jaegers(serve, jaeger, jaeger_client, echo_server):
    """What a caller sent is the served request's parent; what is forged begins a trace."""
    for brought in ("2a:17:0:1", "forged"):
        serve(
            lambda _: (jaeger_client.get(echo_server.url).status_code, []),
            headers=[("uber-trace-id", brought)],
            tracer=jaeger.tracer,
        )

    served = [s for s in jaeger.spans if tags(s).get("span.kind") == "server"]
    assert [(s.trace_id == 0x2A, s.parent_id) for s in served] == [(True, 0x17), (False, None)]
    roots = [s for s in jaeger.spans if s.operation_name == "HTTP Client"]
    assert [root.parent_id for root in roots] == [s.span_id for s in served]
