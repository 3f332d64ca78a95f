"""The span of an ASGI request: WebSockets, the lifespan, requests that overlap, ends of all kinds."""

from __future__ import annotations

import asyncio
import contextvars

import pytest
from opentracing.mocktracer import MockTracer
from opentracing.scope_managers.contextvars import ContextVarsScopeManager
from opentracing_serving import asked_asgi

from tracedclient import HTTPClient
from tracedclient.inbound import ASGIMiddleware

BROUGHT = [("ot-tracer-traceid", "2a"), ("ot-tracer-spanid", "17")]


def test_a_websocket_is_a_request(tracer, spans):
    """A WebSocket has a span of its own, with 101 when it was accepted; its messages pass."""

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close"})

    sent = asked_asgi(ASGIMiddleware(app, tracer=tracer), kind="websocket", headers=BROUGHT)
    assert [m["type"] for m in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    (span,) = spans.finished
    assert (span.operation_name, span.tags["http.status_code"]) == ("HTTP GET", 101)
    assert span.context.trace_id == 0x2A


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.close"}], 403),
        (
            [
                {"type": "websocket.http.response.start", "status": 429, "headers": []},
                {"type": "websocket.http.response.body", "body": b"later"},
            ],
            429,
        ),
    ],
)
def test_a_websocket_that_is_refused(tracer, spans, messages, status):
    """A refusal has the status that the client is given."""

    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    asked_asgi(ASGIMiddleware(app, tracer=tracer), kind="websocket")
    assert spans.finished[0].tags["http.status_code"] == status


def test_lifespan_passes_untouched(tracer, spans):
    """Start and end of the server are no request's; the application gets the server's own calls."""
    got = []

    async def app(*call):
        got.append(call)

    async def receive():
        raise AssertionError

    async def send(_):
        raise AssertionError

    scope = {"type": "lifespan"}
    asyncio.run(ASGIMiddleware(app, tracer=tracer)(scope, receive, send))
    assert got == [(scope, receive, send)]
    assert spans.finished == []


def test_an_application_that_sends_nothing(tracer, spans):
    """No message is no status; the server answers by itself."""

    async def app(scope, receive, send):
        pass

    assert asked_asgi(ASGIMiddleware(app, tracer=tracer)) == []
    assert "http.status_code" not in spans.finished[0].tags


def test_a_cancelled_request(tracer, spans):
    """A request that its server cancels has a span that ends as an error; the cancellation goes on."""

    async def app(scope, receive, send):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asked_asgi(ASGIMiddleware(app, tracer=tracer))
    assert spans.finished[0].tags["error"] is True


def test_a_send_that_fails(tracer, spans):
    """What the client never got is not counted; the server's error reaches the application."""

    async def app(scope, receive, send):
        with pytest.raises(OSError):
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def broken(_):
        raise OSError

    scope = {"type": "http", "headers": [], "path": "/"}
    asyncio.run(ASGIMiddleware(app, tracer=tracer)(scope, None, broken))
    assert "http.status_code" not in spans.finished[0].tags


@pytest.mark.parametrize("manager", [None, ContextVarsScopeManager], ids=["threads", "contexts"])
def test_requests_that_overlap(manager, client, echo_server):
    """Two requests of one loop do not get into each other's span, even with a scope of the thread's."""
    tracer = MockTracer(manager and manager())
    began, both, in_force = [], None, {}

    async def app(scope, receive, send):
        began.append(scope)
        if len(began) == 2:
            both.set()
        await both.wait()
        in_force[scope["path"]] = tracer.active_span
        await asyncio.get_running_loop().run_in_executor(
            None, contextvars.copy_context().run, calls.get, echo_server.url + scope["path"]
        )

    async def serve():
        nonlocal both
        both = asyncio.Event()
        service = ASGIMiddleware(app, tracer=tracer)
        scopes = [{"type": "http", "headers": [], "path": f"/{n}"} for n in range(2)]
        await asyncio.gather(*(service(scope, None, None) for scope in scopes))

    with HTTPClient(tracer=tracer, sinks=[]) as calls:
        asyncio.run(serve())

    finished = {s.context.span_id: s for s in tracer.finished_spans()}
    for span in finished.values():
        if span.tags.get("span.kind") == "client":
            served = finished[finished[span.parent_id].parent_id]
            assert span.tags["http.url"].endswith(served.tags["http.url"])
    assert len(finished) == 6
    urls = {path: span and span.tags["http.url"] for path, span in in_force.items()}
    assert urls == ({"/0": "/0", "/1": "/1"} if manager else {"/0": None, "/1": None})


def test_an_application_abandoned_by_its_loop(tracer):
    """A coroutine that is closed elsewhere, when its loop is gone, ends without an error."""

    async def app(scope, receive, send):
        await asyncio.sleep(0)

    served = ASGIMiddleware(app, tracer=tracer)(
        {"type": "http", "headers": [], "path": "/"}, None, None
    )

    async def start():
        served.send(None)

    contextvars.copy_context().run(asyncio.run, start())
    served.close()
    assert tracer.finished_spans()[0].finished
