"""The cases of nethttp's middleware tests (opentracing-contrib/go-stdlib, nethttp/server_test.go),
each by WSGI and by ASGI.

Go answers 200 where a handler says nothing. A WSGI or ASGI application has to say its status; what
becomes of one that does not is in ``test_server_spans``.
"""

from __future__ import annotations

import pytest
from opentracing_serving import by_asgi, by_wsgi

from tracedclient.inbound.opentracing import OpenTracingServer


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def serve(request, tracer):
    """``serve(handler, target, headers, component=…)``: status and body of a service in spans."""

    def ask(handler, target="/root", headers=(), **options):
        given = OpenTracingServer(tracer, **options) if options else tracer
        return request.param(handler, target, headers, tracer=given)

    return ask


def says(status, *pieces):
    return lambda request: (status, list(pieces))


def named(request):
    return f"HTTP {request.method}: /root"


def observed(span, request):
    span.set_tag("http.uri", request.url)


@pytest.mark.parametrize(
    ("options", "name"), [({}, "HTTP GET"), ({"operation_name": named}, "HTTP GET: /root")]
)
def test_operation_name_option(serve, spans, options, name):
    """The span is "HTTP GET", or what the user's function makes of the request.

    Source: TestOperationNameOption.
    """
    serve(says(200), **options)

    assert [span.operation_name for span in spans.finished] == [name]


@pytest.mark.parametrize("naming", [{}, {"operation_name": named}])
@pytest.mark.parametrize(
    ("observing", "tags"), [({}, {}), ({"span_observer": observed}, {"http.uri": "/"})]
)
def test_span_observer_option(serve, spans, naming, observing, tags):
    """The observer adds its tags to those that are always there, and takes none away.

    Source: TestSpanObserverOption, where the six are the first six here.
    """
    serve(says(404, b"404 page not found\n"), "/", **naming, **observing)

    (span,) = spans.finished
    assert span.operation_name == ("HTTP GET: /root" if naming else "HTTP GET")
    assert span.tags == {
        "span.kind": "server",
        "http.method": "GET",
        "http.url": "/",
        "component": "tracedclient",
        "http.status_code": 404,
        "http.response_size": 19,
        "tracedclient.trace_id": span.tags["tracedclient.trace_id"],
        **tags,
    }


def not_a_probe(request):
    return not request.headers.get("user-agent", "").startswith("kube-probe")


FILTER = {"span_filter": not_a_probe}


@pytest.mark.parametrize(
    ("agent", "options", "expected"),
    [
        (None, {}, True),
        (None, FILTER, True),
        ("kube-probe/1.12", FILTER, False),
        ("kube-probe/9.99", FILTER, False),
        ("PostmanRuntime/7.3.0", FILTER, True),
    ],
)
def test_span_filter_option(serve, spans, agent, options, expected):
    """Where the filter says no, the request is served without a span.

    Source: TestSpanFilterOption.
    """
    answer = serve(says(200, b"OK"), headers=[("User-Agent", agent)] if agent else [], **options)

    assert answer == (200, b"OK")
    assert len(spans.finished) == expected


@pytest.mark.parametrize(
    ("options", "tag"),
    [({}, "/root?token=REDACTED"), ({"url_tag": lambda url: url.partition("?")[0]}, "/root")],
)
def test_url_tag_option(serve, spans, options, tag):
    """The tag is path and query, without the query's values, or what the user's function says.

    Source: TestURLTagOption; Go shows the values.
    """
    serve(says(200), "/root?token=123", **options)

    assert spans.finished[0].tags["http.url"] == tag


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(200, [b"OK"], None), (200, [], None), (200, [b""], None), (500, [], True)],
    ids=["header-and-body", "header-only", "empty", "error"],
)
def test_span_error_and_status_code(serve, spans, status, body, error):
    """The status is on the span; a 500 is an error.

    Source: TestSpanErrorAndStatusCode.
    """
    serve(says(status, *body))

    (span,) = spans.finished
    assert (span.tags["http.status_code"], span.tags.get("error")) == (status, error)


@pytest.mark.parametrize(("body", "size"), [([b"123", b"45"], 5), ([], None), ([b""], None)])
def test_span_response_size(serve, spans, body, size):
    """The body's bytes are counted; none is no tag.

    Source: TestSpanResponseSize.
    """
    serve(says(200, *body))

    assert spans.finished[0].tags.get("http.response_size") == size


def panics(request):
    raise RuntimeError("panic test")


@pytest.mark.parametrize(
    ("handler", "status", "error"),
    [
        (says(200, b"OK"), 200, None),
        (panics, None, True),
        (says(500, b"InternalServerError"), 500, True),
    ],
    ids=["OK", "Panic", "InternalServerError"],
)
def test_middleware_handler_panic(serve, spans, handler, status, error):
    """An application that raises has a span that is finished, an error, and without a status; what it
    raises goes on to the server.

    Source: TestMiddlewareHandlerPanic.
    """
    if status is None:
        with pytest.raises(RuntimeError, match="panic test"):
            serve(handler)
    else:
        serve(handler)

    (span,) = spans.finished
    assert (span.tags.get("http.status_code"), span.tags.get("error")) == (status, error)
