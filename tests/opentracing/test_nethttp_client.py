"""The cases of nethttp's own client tests (opentracing-contrib/go-stdlib, nethttp/client_test.go)."""

from __future__ import annotations

import pytest
import servers
from opentracing import Format, SpanContextCorruptedException
from opentracing.mocktracer import MockTracer
from opentracing_spans import events


def site(request):
    answers = {
        "/ok": (200, {}, b""),
        "/redirect": (307, {"Location": "/ok"}, b""),
        "/fail": (500, {}, b"failure\n"),
    }
    return answers[request.path]


@pytest.fixture
def server(start):
    return start(servers.serve(site))


def hello(span, request):
    span.set_tag("hello", "world")


CASES = [
    ("/ok", {}, "HTTP Client", 3, {}),
    ("/redirect", {"operation_name": "client-span"}, "client-span", 4, {}),
    ("/fail", {}, "HTTP Client", None, {"error": True}),
    ("/ok", {"span_observer": hello}, "HTTP Client", 3, {"hello": "world"}),
]


@pytest.mark.parametrize(("path", "options", "name", "count", "tags"), CASES)
def test_client_trace(make_client, tracer, spans, server, path, options, name, count, tags):
    """One root under the caller's span, one "HTTP GET" for each hop, GetConn first, then the rest.

    Source: TestClientTrace. Its /fail has three spans; here a 500 is not tried again either.
    """
    with tracer.start_active_span("toplevel"):
        make_client(**options).get(f"{server.url}{path}")

    assert len(spans.finished) == (count or 3)
    (top,) = spans.named("toplevel")
    (root,) = spans.named(name)
    assert (top.parent_id, root.parent_id) == (None, top.context.span_id)
    children = spans.named("HTTP GET")
    assert [c.parent_id for c in children] == [root.context.span_id] * (len(spans.finished) - 2)
    for child in children:
        assert len(child.logs) >= 6
        assert next(iter(child.logs[0].key_values.items())) == ("event", "GetConn")
        assert tags.items() <= child.tags.items()


def test_no_tracer_no_spans(make_client, spans, server):
    """A client without a tracer has no spans, and says so by none being there.

    Source: TestTracerFromRequest, of which what a request carries has no counterpart here: the
    tracer is the client's.
    """
    make_client(settings={"tracer": None}).get(f"{server.url}/ok")

    assert spans.finished == []


def test_the_stream_of_an_upgrade_can_be_written(client, spans, start):
    """After a 101 the caller still reaches the connection and writes on it; closing ends the span.

    Source: TestWriteCloserFromRequest.
    """
    lines = []

    def upgraded(peer):
        peer.read_head()
        peer.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        )
        received = b""
        while not received.endswith(b"\n"):
            received += peer.socket.recv(16)
        lines.append(received)
        peer.send(b"pong\n")
        peer.drain()

    server = start(servers.ScriptedServer(upgraded))
    upgrade = {"Connection": "upgrade", "Upgrade": "websocket"}
    response = client.get(server.url, headers=upgrade, stream=True)
    connection = response.raw.connection
    connection.sock.sendall(b"ping\n")
    assert connection.sock.recv(5) == b"pong\n"
    assert spans.finished == []
    response.close()

    assert lines == [b"ping\n"]
    assert events(spans.requests[0])[-1] == "ClosedBody"


@pytest.mark.parametrize(
    ("options", "expected"), [({}, True), ({"inject": True}, True), ({"inject": False}, False)]
)
def test_inject_span_context(make_client, tracer, spans, echo_server, options, expected):
    """The server can extract the request's span, unless injection is switched off.

    Source: TestInjectSpanContext.
    """
    with tracer.start_active_span("root"):
        make_client(**options).get(echo_server.url)

    (request,) = echo_server.requests
    carrier = {
        name: request.headers.get(name) for name in ("ot-tracer-traceid", "ot-tracer-spanid")
    }
    if not expected:
        assert carrier == {"ot-tracer-traceid": None, "ot-tracer-spanid": None}
        with pytest.raises(SpanContextCorruptedException):
            MockTracer().extract(Format.HTTP_HEADERS, {})
        return
    brought = MockTracer().extract(Format.HTTP_HEADERS, carrier)
    (span,) = spans.requests
    assert (brought.trace_id, brought.span_id) == (span.context.trace_id, span.context.span_id)


@pytest.mark.parametrize("hooks", [True, False])
@pytest.mark.parametrize("custom", [True, False])
def test_client_custom_url(make_client, spans, server, hooks, custom):
    """The tag is what the user's function makes of the URL, with the hooks and without.

    Source: TestClientCustomURL; without a function, ours shows no query value, where Go's shows all.
    """
    own = {"url_tag": lambda url: url.partition("?")[0] + "?token=*"} if custom else {}
    make_client(client_trace=hooks, **own).get(f"{server.url}/ok?token=a")

    (span,) = spans.requests
    shown = "*" if custom else "REDACTED"
    assert span.tags["http.url"] == f"{server.url}/ok?token={shown}"
    assert span.tags["peer.address"] == f"{server.host}:{server.port}"
