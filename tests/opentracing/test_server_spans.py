"""The span of a request that is served: whole, in force while it is served, whatever the application does."""

from __future__ import annotations

import pytest
from opentracing_serving import by_asgi, by_wsgi

from tracedclient.inbound.opentracing import OpenTracingServer

BROUGHT = [("ot-tracer-traceid", "2a"), ("ot-tracer-spanid", "17"), ("ot-baggage-user", "ann")]


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def serve(request):
    return request.param


def test_span_of_a_request(serve, tracer, spans):
    """This is all that is on the span of a request that brought a trace."""
    headers = [*BROUGHT, ("X-Trace-Id", "order-5")]
    serve(lambda _: (201, [b"made"]), "/a/b?c=d", headers, "POST", tracer=tracer)

    (span,) = spans.finished
    assert (span.context.trace_id, span.parent_id) == (0x2A, 0x17)
    assert span.context.baggage == {"user": "ann"}
    assert spans.whole() == [
        {
            "name": "HTTP POST",
            "parent": None,
            "tags": {
                "span.kind": "server",
                "component": "tracedclient",
                "http.method": "POST",
                "http.url": "/a/b?c=REDACTED",
                "http.status_code": 201,
                "http.response_size": 4,
                "tracedclient.trace_id": "order-5",
            },
            "logs": [],
        }
    ]


def test_a_call_is_below_the_served_request(serve, tracer, spans, client, echo_server):
    """``client.do`` in the application is its child, and sends the trace on."""
    serve(lambda _: (client.get(echo_server.url).status_code, []), headers=BROUGHT, tracer=tracer)

    served, call, request = spans.finished
    assert [served.parent_id, call.parent_id, request.parent_id] == [
        *(0x17, served.context.span_id, call.context.span_id)
    ]
    sent = echo_server.requests[0].headers
    assert (sent.get("ot-tracer-traceid"), sent.get("ot-baggage-user")) == ("2a", "ann")
    assert tracer.active_span is None


@pytest.mark.parametrize("extract", [True, False])
def test_a_trace_that_is_not_to_be_believed(serve, tracer, spans, extract):
    """``extract=False`` begins a trace whatever the request brings."""
    server = OpenTracingServer(tracer, extract=extract)
    serve(lambda _: (200, []), headers=BROUGHT, tracer=server)

    assert spans.finished[0].parent_id == (0x17 if extract else None)


@pytest.mark.parametrize(
    "headers", [[("ot-tracer-traceid", "2a")], [("ot-tracer-traceid", "no"), BROUGHT[1]]]
)
def test_a_malformed_trace_is_none(serve, tracer, spans, caplog, headers):
    """What the tracer cannot extract is as if nothing came, and nobody is bothered with it."""
    serve(lambda _: (200, []), headers=headers, tracer=tracer)

    assert spans.finished[0].parent_id is None
    assert caplog.records == []


@pytest.mark.parametrize("method", ["PURGE", "A" * 500, "\x1b[31mGET"])
def test_a_made_up_method_is_one_name(serve, tracer, spans, method):
    """Spans have as many names as there are methods, not as a sender can think of."""
    serve(lambda _: (200, []), method=method, tracer=tracer)

    (span,) = spans.finished
    assert span.operation_name == "HTTP other"
    assert len(span.tags["http.method"]) <= 40
    assert span.tags["http.method"].isprintable()


def test_paths_are_shown_encoded(serve, tracer, spans):
    """A path with blanks and newlines is shown as it went over the wire."""
    target = "/a%20b%0A" if serve is by_asgi else "/a b\n"
    serve(lambda _: (200, []), target, tracer=tracer)

    assert spans.finished[0].tags["http.url"] == "/a%20b%0A"


def test_the_extracted_span_is_the_parent_of_all(tracer, client, spans, echo_server):
    """What goes out of one service comes in to the next: two hops, one trace."""
    client.get(echo_server.url)
    names = ("ot-tracer-traceid", "ot-tracer-spanid")
    carried = [(name, echo_server.requests[0].headers.get(name)) for name in names]
    by_wsgi(lambda _: (200, []), headers=carried, tracer=tracer)

    _, request, served = spans.finished
    assert served.parent_id == request.context.span_id
    assert len({span.context.trace_id for span in spans.finished}) == 1
